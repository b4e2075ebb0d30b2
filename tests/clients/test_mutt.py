"""
mutt, at a terminal, against C{twist mailstore}.
"""

from __future__ import annotations

import pathlib

import pexpect

from tests.clients.looking import file, letter, look
from tests.clients.programs import need
from tests.clients.servercase import ServerProcess, ServerTestCase

_NEWS = "Public Folders/News"

_CONFIG = """\
set imap_user=alice imap_pass=password imap_authenticators=plain
set ssl_starttls=no ssl_force_tls=no
set folder="imap://127.0.0.1:{port}/" spoolfile="imap://127.0.0.1:{port}/INBOX"
set record="" postponed="" header_cache="" certificate_file=""
set confirmappend=no confirmcreate=no delete=yes quit=yes move=no mark_old=no
set wait_key=no sleep_time=0
set imap_idle=yes timeout=1 mail_check=1
set sort=mailbox-order index_format="%C %Z <%s>"
"""

#: Seconds in which mutt must show what it is expected to.
_PATIENCE = 60

#: The name as it is typed; a space alone would go through the names that mutt knows.
_TYPED = _NEWS.replace(" ", "\x16 ")


class MuttTests(ServerTestCase):
    """
    mutt, by its keys and what it shows.
    """

    skip = need("mutt")

    def _mutt(self, server: ServerProcess, base: pathlib.Path) -> pexpect.spawn:
        """
        mutt, which has opened INBOX.
        """
        (base / "muttrc").write_text(_CONFIG.format(port=server.port))
        mutt = pexpect.spawn(
            "mutt",
            ["-n", "-F", str(base / "muttrc")],
            env={"TERM": "vt100", "HOME": str(base), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            dimensions=(24, 100),
            timeout=_PATIENCE,
            encoding="utf-8",
        )
        self.addCleanup(mutt.close, True)
        return mutt

    def test_works(self) -> None:
        """
        It reads a message, flags another, saves one to a public folder, deletes one and
        synchronises; opens the public folder, and shows what comes while it waits there.
        """
        server = self.serve("--demo")
        for subject in ("one", "two", "three", "four"):
            file(server, "INBOX", letter(subject, f"body of {subject}"))
        mutt = self._mutt(server, self.directory())
        mutt.expect("<four>")
        for keys, shown in (
            ("2\r\r", "body of one"),
            ("i", "<four>"),
            ("3\rF4\rs", "Save to mailbox"),
            (f"\x15={_TYPED}\r5\rd$", "3 kept, 2 deleted"),
            ("c", "Open mailbox"),
            (f"\x15={_TYPED}\r", "<three>"),
        ):
            mutt.send(keys)
            mutt.expect(shown)
        file(server, _NEWS, letter("fresh"))
        mutt.expect("<fresh>")
        mutt.send("q")
        mutt.expect(pexpect.EOF)
        mutt.wait()
        self.assertEqual(mutt.exitstatus, 0)
        self.assertEqual(
            look(server, "INBOX"), {"Your mailbox": set(), "one": {"\\Seen"}, "two": {"\\Flagged"}}
        )
        news = look(server, _NEWS)
        self.assertEqual((news["three"], news["fresh"]), (set(), set()))
        self.assertEqual(len(news), 5)
