"""
OfflineIMAP against C{twist mailstore}.
"""

from __future__ import annotations

import pathlib
import subprocess

from tests.clients.programs import environment, need
from tests.clients.servercase import ServerProcess, ServerTestCase
from tests.clients.twoway import TwoWayTestsMixin

_CONFIG = """\
[general]
accounts = all
metadata = {base}/metadata
maxsyncaccounts = 1
socktimeout = 60
ui = basic

[Account all]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {base}/mail
sep = /

[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = alice
remotepass = password
auth_mechanisms = PLAIN
ssl = no
starttls = no
"""


class OfflineImapTests(TwoWayTestsMixin, ServerTestCase):
    """
    OfflineIMAP, in both directions.
    """

    skip = need("offlineimap")

    def begin(self, server: ServerProcess, base: pathlib.Path) -> None:
        """
        All folders that the server lists.
        """
        self._base = base
        (base / "offlineimaprc").write_text(_CONFIG.format(base=base, port=server.port))

    def sync(self) -> None:
        """
        It has nothing to complain of.
        """
        done = subprocess.run(
            ["offlineimap", "-o", "-c", str(self._base / "offlineimaprc")],
            capture_output=True,
            timeout=120,
            env=environment(self._base),
        )
        said = (done.stdout + done.stderr).decode(errors="replace")
        self.assertEqual(done.returncode, 0, said)
        self.assertNotIn("ERROR", said)

    def place(self, folder: str) -> pathlib.Path:
        """
        Its names are those that the server writes.
        """
        return self._base / "mail" / folder
