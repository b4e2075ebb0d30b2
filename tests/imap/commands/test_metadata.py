"""
Tests of GETMETADATA and SETMETADATA.
"""

from __future__ import annotations

from mailstore.errors import LimitReached, MessageTooBig
from mailstore.imap.limits import ImapLimits
from mailstore.model import SYSTEM
from tests.imap.commands.messagecase import MessageCase
from tests.imap.support import Server


class MetadataTests(MessageCase):
    """
    Alice, bob and their annotations.
    """

    def setUp(self) -> None:
        super().setUp()
        self.sales = f'"{self.public("Sales", alice="lrw")}"'
        self.alice = self.client(folder="")
        self.bob = self.client("bob", "")

    def test_announced(self) -> None:
        """
        METADATA, which holds for folders and for the server.
        """
        self.assertIn("METADATA", self.alice.command("CAPABILITY")[0].split())

    def test_setAndGet(self) -> None:
        """
        Values are kept, replaced and removed; names are the same in any case.
        """
        self.assertEqual(
            self.alice.command('SETMETADATA INBOX (/private/comment "mine" /SHARED/Comment "ours")'),
            ["T OK SETMETADATA completed"],
        )
        self.assertEqual(
            self.alice.command("GETMETADATA INBOX (/Private/COMMENT /shared/comment)"),
            [
                '* METADATA INBOX (/private/comment "mine" /shared/comment "ours")',
                "T OK GETMETADATA completed",
            ],
        )
        self.assertOk(self.alice.command("SETMETADATA INBOX (/private/comment NIL)"))
        self.assertEqual(
            self.alice.command("GETMETADATA INBOX /private/comment")[:-1],
            ["* METADATA INBOX (/private/comment NIL)"],
        )
        self.assertOk(self.alice.command('SETMETADATA INBOX (/private/comment "")'))
        self.assertEqual(
            self.alice.command("GETMETADATA INBOX /private/comment")[:-1],
            ['* METADATA INBOX (/private/comment "")'],
        )

    def test_anyBytes(self) -> None:
        """
        A value may be any bytes, in a literal or in one for binary data.
        """
        self.alice.say(b"T SETMETADATA INBOX (/private/comment {6+}\r\na\r\n\xff b)\r\n")
        self.assertEqual(self.alice.heard(), [b"T OK SETMETADATA completed"])
        self.assertIn(b"{6}\r\na\r\n\xff b)\r\n", self.alice.raw("GETMETADATA INBOX /private/comment"))
        self.alice.say(b"T SETMETADATA INBOX (/private/comment ~{3+}\r\na\0b)\r\n")
        self.assertEqual(self.alice.heard(), [b"T OK SETMETADATA completed"])
        self.assertIn(b"~{3}\r\na\0b)\r\n", self.alice.raw("GETMETADATA INBOX /private/comment"))

    def test_depth(self) -> None:
        """
        DEPTH says how much of what is below is told, before the folder or behind it.
        """
        self.alice.command(
            'SETMETADATA INBOX (/private/f/v "a" /private/f/v/small "b" /private/f/v/small/er "c")'
        )
        everything = ['/private/f/v "a"', '/private/f/v/small "b"', '/private/f/v/small/er "c"']
        for depth, count in (("0", 1), ("1", 2), ("infinity", 3)):
            answer = [f"* METADATA INBOX ({' '.join(everything[:count])})"]
            for arguments in (
                f"(DEPTH {depth}) INBOX /private/f/v",
                f"INBOX (DEPTH {depth}) (/private/f/v)",
            ):
                self.assertEqual(self.alice.command(f"GETMETADATA {arguments}")[:-1], answer)
        self.assertEqual(
            self.alice.command("GETMETADATA (DEPTH 1) INBOX /shared"), ["T OK GETMETADATA completed"]
        )

    def test_maxSize(self) -> None:
        """
        What is longer than MAXSIZE is left out, and the longest is told (RFC 5464 section 4.2.1).
        """
        self.alice.command(f'SETMETADATA INBOX (/private/comment "{"x" * 100}" /shared/comment "ours")')
        self.assertEqual(
            self.alice.command("GETMETADATA (MAXSIZE 50) INBOX (/private/comment /shared/comment)"),
            [
                '* METADATA INBOX (/shared/comment "ours")',
                "T OK [METADATA LONGENTRIES 100] GETMETADATA completed",
            ],
        )

    def test_server(self) -> None:
        """
        An empty name is the server, whose shared annotations are for administrators.
        """
        self.assertNo(self.alice.command('SETMETADATA "" (/shared/comment "hello")'), "NOPERM")
        self.result(self.engine.setRights(SYSTEM, "Public Folders", "alice", "lrswipkxtea"))
        self.assertOk(self.alice.command('SETMETADATA "" (/shared/comment "hello" /private/comment "mine")'))
        self.assertEqual(
            self.bob.command('GETMETADATA "" (/shared/comment /private/comment)')[0],
            '* METADATA "" (/shared/comment "hello" /private/comment NIL)',
        )

    def test_whose(self) -> None:
        """
        What is private only its owner sees; what is shared needs rights.
        """
        self.assertOk(
            self.alice.command(f'SETMETADATA {self.sales} (/private/comment "mine" /shared/comment "all")')
        )
        self.assertEqual(
            self.bob.command(f"GETMETADATA {self.sales} (/private/comment /shared/comment)")[0],
            f'* METADATA {self.sales} (/shared/comment "all" /private/comment NIL)',
        )
        self.assertOk(self.bob.command(f'SETMETADATA {self.sales} (/private/comment "bob\'s")'))
        self.assertNo(self.bob.command(f'SETMETADATA {self.sales} (/shared/comment "no")'), "NOPERM")
        self.assertNo(self.bob.command("GETMETADATA nope /shared/comment"), "NONEXISTENT")

    def test_bounds(self) -> None:
        """
        Too much is refused with the codes of RFC 5464 section 4.3, also when it is the store that refuses.
        """
        server = Server(self, ImapLimits(max_annotation=10, login_delay=0.0), store=self.store)
        client = server.client()
        self.assertEqual(
            client.ask(b"SETMETADATA INBOX (/private/comment {10+}\r\n0123456789)")[-1][:5], b"T OK "
        )
        reply = client.ask(b'SETMETADATA INBOX (/private/comment "0123456789x")')[-1]
        self.assertEqual(reply[:26], b"T NO [METADATA MAXSIZE 10]")

        for error, code in (
            (MessageTooBig("big"), "METADATA MAXSIZE 16384"),
            (LimitReached("many"), "METADATA TOOMANY"),
        ):

            async def refuse(*arguments: object, error: Exception = error) -> None:
                raise error

            self.store.instead["setMetadata"] = refuse
            self.assertNo(self.alice.command('SETMETADATA INBOX (/private/comment "x")'), code)

    def test_hugeLiteral(self) -> None:
        """
        A value that cannot even be held is refused in the same way, and the next command is understood.
        """
        refused = b"T NO [METADATA MAXSIZE 16384] The annotation is too big"
        self.alice.say(b"T SETMETADATA INBOX (/private/comment {1000000}\r\n")
        self.assertEqual(self.alice.heard(), [refused])
        self.alice.say(b"T SETMETADATA INBOX (/private/comment {70000+}\r\n" + b"x" * 70000 + b")\r\n")
        self.assertEqual(self.alice.heard(), [refused])
        self.assertOk(self.alice.command("NOOP"))

    def test_allOrNothing(self) -> None:
        """
        When one value cannot be set, none is.
        """
        self.assertNo(
            self.bob.command(f'SETMETADATA {self.sales} (/private/comment "x" /shared/comment "y")'), "NOPERM"
        )
        self.assertEqual(
            self.bob.command(f"GETMETADATA {self.sales} /private/comment")[0],
            f"* METADATA {self.sales} (/private/comment NIL)",
        )

    def test_bad(self) -> None:
        """
        What cannot be an annotation or an option is BAD.
        """
        for command in (
            "GETMETADATA INBOX",
            "GETMETADATA INBOX comment",
            "GETMETADATA INBOX /public/comment",
            "GETMETADATA INBOX /private/a//b",
            "GETMETADATA INBOX ()",
            "GETMETADATA (DEPTH 2) INBOX /shared/comment",
            "GETMETADATA (COLOUR 2) INBOX /shared/comment",
            "SETMETADATA INBOX (/shared NIL)",
            "SETMETADATA INBOX (/shared/comment)",
            "SETMETADATA INBOX /shared/comment NIL",
        ):
            self.assertBad(self.alice.command(command))
