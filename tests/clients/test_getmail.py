"""
getmail against C{twist mailstore}.
"""

from __future__ import annotations

import os
import pathlib
import pwd
import re
import subprocess

from tests.channels import shortDirectory
from tests.clients.looking import file, letter, look
from tests.clients.programs import environment, found, need
from tests.clients.servercase import ServerProcess, ServerTestCase

_CONFIG = """\
[retriever]
type = SimpleIMAPRetriever
server = 127.0.0.1
port = {port}
username = alice
password = password
mailboxes = ("INBOX", "Public Folders/News")

[destination]
type = Maildir
path = {maildir}/
{owner}

[options]
delete = {delete}
read_all = false
delivered_to = false
received = false
verbose = 2
"""

#: The header fields that getmail adds.
_ADDED = re.compile(rb"(?m)^(Return-Path|X-getmail-retrieved-from-mailbox): .*\n")


class GetmailTests(ServerTestCase):
    """
    getmail, which takes mail out of folders and remembers what it has taken.
    """

    skip = need("getmail")

    def setUp(self) -> None:
        """
        An empty Maildir.  getmail delivers nothing as root: then it is another user's.
        """
        self.base = self.directory()
        self.maildir = pathlib.Path(shortDirectory(self))
        self.owner = "user = nobody" if os.geteuid() == 0 else ""
        for part in ("cur", "new", "tmp"):
            (self.maildir / part).mkdir()
        if self.owner:
            nobody = pwd.getpwnam("nobody")
            for each in (self.maildir, *self.maildir.iterdir()):
                os.chown(each, nobody.pw_uid, nobody.pw_gid)

    def _get(self, server: ServerProcess, delete: bool = False) -> list[bytes]:
        """
        Run it.

        @return: what it has brought that was not there before.
        """
        (self.base / "rc").write_text(
            _CONFIG.format(
                port=server.port,
                maildir=self.maildir,
                owner=self.owner,
                delete=str(delete).lower(),
            )
        )
        before = set(self._files())
        done = subprocess.run(
            [str(found("getmail")), f"--getmaildir={self.base}", f"--rcfile={self.base / 'rc'}"],
            capture_output=True,
            timeout=120,
            env=environment(self.base),
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return [path.read_bytes() for path in self._files() if path not in before]

    def _files(self) -> list[pathlib.Path]:
        return sorted(self.maildir.glob("new/*"))

    def test_retrieves(self) -> None:
        """
        It brings its user's mail and that of a public folder once, byte for byte, and then what is new.
        """
        server = self.serve("--demo")
        message = letter("in full", "a line\r\n.\r\n..\r\n\u00e4")
        file(server, "Public Folders/News", message)
        first = self._get(server)
        self.assertEqual(len(first), len(look(server, "INBOX")) + len(look(server, "Public Folders/News")))
        (brought,) = [_ADDED.sub(b"", each) for each in first if b"in full" in each]
        self.assertEqual(brought, message.replace(b"\r\n", b"\n"))
        self.assertEqual(self._get(server), [])
        file(server, "INBOX", letter("more"))
        (more,) = self._get(server)
        self.assertIn(b"Subject: more", more)

    def test_deletes(self) -> None:
        """
        Told to delete, it empties its user's mailbox and the public folder, where it may.
        """
        server = self.serve("--demo")
        file(server, "INBOX", letter("mine"))
        here = len(look(server, "INBOX")) + len(look(server, "Public Folders/News"))
        self.assertEqual(len(self._get(server, delete=True)), here)
        self.assertEqual((look(server, "INBOX"), look(server, "Public Folders/News")), ({}, {}))
        self.assertEqual(self._get(server, delete=True), [])
