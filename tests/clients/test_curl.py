"""
curl as an IMAP client of C{twist mailstore}.
"""

from __future__ import annotations

import subprocess

from tests.clients.looking import folders, letter, look
from tests.clients.programs import need
from tests.clients.servercase import ServerProcess, ServerTestCase

#: C{Public Folders/Work}, in a URL.
_WORK = "Public%20Folders/Work"


class CurlTests(ServerTestCase):
    """
    curl, one command at a time.
    """

    skip = need("curl")

    def _curl(self, server: ServerProcess, path: str, *options: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["curl", "-sS", "--user", "alice:password", *options, f"imap://127.0.0.1:{server.port}/{path}"],
            input=stdin,
            capture_output=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def test_works(self) -> None:
        """
        It lists, files, finds, reads, flags, copies, moves and expunges, in a public folder and in
        its own mailbox.
        """
        server = self.serve("--demo")
        self.assertIn('"Public Folders/News"', self._curl(server, ""))
        self._curl(server, "", "-X", 'CREATE "Public Folders/Work"')
        message = self.directory() / "message"
        for path in ("INBOX", _WORK):
            for subject in ("one", "two"):
                message.write_bytes(letter(f"{subject} {path[:3]}"))
                self._curl(server, path, "-T", str(message))
        self.assertIn("SEARCH 2\r\n", self._curl(server, "INBOX?SUBJECT%20one"))
        self.assertEqual(self._curl(server, "INBOX;MAILINDEX=2"), letter("one INB").decode())
        self.assertEqual(self._curl(server, "INBOX;UID=2;SECTION=TEXT"), "hello\r\n")
        flagged = self._curl(server, "INBOX", "-X", "STORE 2:3 +FLAGS (\\Flagged)")
        self.assertIn("3 FETCH (FLAGS (\\Seen \\Flagged))", flagged)
        self._curl(server, "INBOX", "-X", 'UID COPY 2 "Public Folders/Work"')
        self._curl(server, "INBOX", "-X", 'UID MOVE 3 "Public Folders/Work"')
        self._curl(server, "INBOX", "-X", "STORE 2 +FLAGS.SILENT (\\Deleted)")
        self.assertIn("2 EXPUNGE", self._curl(server, "INBOX", "-X", "EXPUNGE"))
        self.assertEqual(list(look(server, "INBOX")), ["Your mailbox"])
        filed = look(server, "Public Folders/Work")
        self.assertEqual(set(filed), {"one Pub", "two Pub", "one INB", "two INB"})
        self.assertEqual([name for name in filed if "\\Flagged" in filed[name]], ["one INB", "two INB"])
        self._curl(server, "", "-X", 'DELETE "Public Folders/Work"')
        self.assertNotIn("Public Folders/Work", folders(server))
