"""
mbsync (isync) against C{twist mailstore}.
"""

from __future__ import annotations

import pathlib
import subprocess

from mailstore.imap.wire import mutf7
from tests.clients.programs import need
from tests.clients.servercase import ServerProcess, ServerTestCase
from tests.clients.twoway import TwoWayTestsMixin

_CONFIG = """\
IMAPAccount store
Host 127.0.0.1
Port {port}
User alice
Pass password
SSLType None
AuthMechs {mechanism}

IMAPStore far
Account store
PathDelimiter /

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns "Public Folders/*" INBOX
Create Both
Remove Both
Expunge Both
SyncState *
"""


class MbsyncTests(TwoWayTestsMixin, ServerTestCase):
    """
    mbsync, in both directions.
    """

    skip = need("mbsync")
    mechanism = "PLAIN"

    def begin(self, server: ServerProcess, base: pathlib.Path) -> None:
        """
        Public folders and INBOX, deletions included.
        """
        self._maildir = base / "mail"
        self._maildir.mkdir()
        self._config = base / "mbsyncrc"
        self._config.write_text(
            _CONFIG.format(port=server.port, maildir=self._maildir, mechanism=self.mechanism)
        )

    def sync(self) -> None:
        """
        It has nothing to complain of.
        """
        done = subprocess.run(
            ["mbsync", "-c", str(self._config), "all"],
            capture_output=True,
            timeout=120,
            cwd=self._config.parent,
        )
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def place(self, folder: str) -> pathlib.Path:
        """
        Its names are those that the server writes; from version 1.5 on, UTF-8.
        """
        written = self._maildir / folder
        return written if written.exists() else self._maildir / mutf7.decode(folder.encode())

    def test_newFolder(self) -> None:
        """
        A folder that is made here appears there with its message, and one that is deleted there
        disappears here; a second copy of everything is the same as the first.
        """
        self.mechanism = "LOGIN"
        server = self.serve("--demo")
        self.begin(server, self.directory())
        self.sync()
        ours = self.place("Public Folders/Ours")
        for part in ("cur", "new", "tmp"):
            (ours / part).mkdir(parents=True)
        (ours / "cur" / "1.new.example:2,F").write_bytes(b"Subject: from here\n\nhello\n")
        self.sync()
        sides = self._sides(server)
        self.assertEqual(sides["Public Folders/Ours"], {"from here": {"\\Flagged"}})
        self.begin(server, self.directory())
        self.sync()
        self.assertEqual(self._sides(server), sides)
