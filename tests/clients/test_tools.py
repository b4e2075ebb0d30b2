"""
Mail programs that are not written in Python against C{twist mailstore}.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess

from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess, ServerTestCase

_MBSYNC = """\
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


def _need(program: str) -> str | None:
    """
    Why a test of C{program} cannot run, if it cannot.
    """
    return None if shutil.which(program) else f"{program} is not installed (.ci/run installs it)"


class CurlTests(ServerTestCase):
    """
    curl as an IMAP client.
    """

    skip = _need("curl")

    def _curl(self, server: ServerProcess, path: str, *options: str) -> str:
        done = subprocess.run(
            ["curl", "-sS", "--user", "alice:password", *options, f"imap://127.0.0.1:{server.port}/{path}"],
            capture_output=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def test_reads(self) -> None:
        """
        It lists the public folders, and reads a message it has put there.
        """
        server = self.serve("--demo")
        self.assertIn('"Public Folders/', self._curl(server, ""))
        message = self.directory() / "message"
        message.write_bytes(b"Subject: from curl\r\n\r\nhello\r\n")
        self._curl(server, "INBOX", "-T", str(message))
        self.assertIn("SEARCH 2", self._curl(server, "INBOX?SUBJECT%20curl"))
        self.assertIn("hello", self._curl(server, "INBOX;MAILINDEX=2"))


class MbsyncTests(ServerTestCase):
    """
    mbsync, in both directions.
    """

    skip = _need("mbsync")

    def _sync(self, config: pathlib.Path) -> None:
        done = subprocess.run(
            ["mbsync", "-c", str(config), "all"], capture_output=True, timeout=120, cwd=config.parent
        )
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def _messages(self, maildir: pathlib.Path) -> dict[str, bytes]:
        """
        Every message below a directory, by path.
        """
        return {
            str(path.relative_to(maildir)): path.read_bytes()
            for path in sorted(maildir.rglob("*"))
            if path.is_file() and path.parent.name in ("cur", "new")
        }

    def _onServer(self, server: ServerProcess) -> list[bytes]:
        """
        All folders of the server, with what is in them.
        """
        client = RawClient(server.port)
        client.command(b"LOGIN alice password")
        found = client.command(b'LIST "" "*"')[:-1]
        for line in tuple(found):
            if b"\\Noselect" not in line:
                name = line.split(b' "/" ')[1].strip()
                found += client.command(b"STATUS %s (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)" % name)[:-1]
                client.command(b"EXAMINE " + name)
                found += client.command(b"UID FETCH 1:* (FLAGS RFC822.SIZE)")[:-1]
        client.close()
        self.assertTrue([each for each in found if b" FETCH (" in each], found)
        # Whose messages are recent changes with every look.
        return [each.replace(b" \\Recent", b"").replace(b"\\Recent", b"") for each in found]

    def test_converges(self) -> None:
        """
        The public tree comes down, a message and a flag go up, and a further
        run changes nothing on either side.
        """
        server = self.serve("--demo")
        base = self.directory()
        maildir = base / "mail"
        maildir.mkdir()
        config = base / "mbsyncrc"
        config.write_text(_MBSYNC.format(port=server.port, maildir=maildir, mechanism="PLAIN"))
        self._sync(config)
        first = self._messages(maildir)
        self.assertTrue([path for path in first if path.startswith("Public Folders/")], list(first))

        one = next(path for path in first if path.startswith("Public Folders/"))
        folder = (maildir / one).parents[1]
        (folder / "cur" / "1.new.example:2,F").write_bytes(b"Subject: from here\n\nhello\n")
        self._sync(config)
        second = self._messages(maildir)
        self.assertEqual(len(second), len(first) + 1)

        there = self._onServer(server)
        self._sync(config)
        self.assertEqual(self._messages(maildir), second)
        self.assertEqual(self._onServer(server), there)

        other = base / "other"
        other.mkdir()
        (base / "otherrc").write_text(_MBSYNC.format(port=server.port, maildir=other, mechanism="LOGIN"))
        self._sync(base / "otherrc")
        self.assertEqual(
            sorted(body.count(b"Subject: from here") for body in self._messages(other).values())[-1], 1
        )
        self.assertEqual(len(self._messages(other)), len(second))
