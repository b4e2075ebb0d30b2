"""
Commands as values.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreFault, allErrors
from mailstore.lmtp import commands
from mailstore.lmtp.commands import Path, SyntaxFault
from mailstore.lmtp.courier import Addressing
from mailstore.lmtp.replies import CODES, MAX_TEXT, Reply, refusal
from mailstore.lmtp.trace import fields
from mailstore.model import Recipient


class ArgumentTests(SynchronousTestCase):
    """
    What MAIL, RCPT and LHLO say.
    """

    def test_paths(self) -> None:
        """
        Paths of every form.
        """
        for text, local, domain in (
            ("<ann@example.org>", "ann", "example.org"),
            ("<ann+x/y.z@a-b.example>", "ann+x/y.z", "a-b.example"),
            ("<ann>", "ann", ""),
            ("<postmaster@[127.0.0.1]>", "postmaster", "[127.0.0.1]"),
            ("<x@[IPv6:::1]>", "x", "[IPv6:::1]"),
            ('<"a b@c"@example.org>', "a b@c", "example.org"),
            ('<"a\\"b\\\\c"@example.org>', 'a"b\\c', "example.org"),
            ('<""@example.org>', "", "example.org"),
            ("<@relay.example,@other.example:ann@example.org>", "ann", "example.org"),
            ("<>", "", ""),
        ):
            envelope = commands.mail(f"FROM:{text}")
            self.assertEqual((envelope.sender.local, envelope.sender.domain), (local, domain), text)
            self.assertEqual(commands.mail(f"from: {text}").sender.written, text[1:-1])
        self.assertEqual(commands.recipient("TO:<ann@b.c>", False).address, "ann@b.c")
        self.assertEqual(commands.recipient("to:<ann>", False).address, "ann")

    def test_notPaths(self) -> None:
        """
        What is no path.
        """
        for text in (
            *("", "ann@example.org", "<ann", "ann>", "<ann@>", "<@example.org>", "<a@b@c>", "<a b@c>"),
            *(
                "<a..b@c>",
                "<.a@c>",
                "<a@-b>",
                "<a@b->",
                "<a@b..c>",
                '<"a@b>',
                "<a\tb@c>",
                "<a@b>x",
                "<a\\@b>",
            ),
            *("<@x:>", "<a@[1 2]>", f"<{'a' * 260}@b.c>"),
        ):
            for parse in (
                lambda each: commands.mail(f"FROM:{each}"),
                lambda each: commands.recipient(f"TO:{each}", True),
            ):
                with self.assertRaises(SyntaxFault, msg=text) as raised:
                    parse(text)
                self.assertEqual(raised.exception.code, 501)
        for rest in ("", "FROM", "TO:<a@b>", "FROM<a@b>"):
            self.assertRaises(SyntaxFault, commands.mail, rest)
        self.assertEqual(self.assertRaises(SyntaxFault, commands.recipient, "TO:<>", False).code, 553)

    def test_parameters(self) -> None:
        """
        Known parameters are understood, others refused.
        """
        envelope = commands.mail("FROM:<a@b> size=123 BODY=8bitmime SMTPUTF8")
        self.assertEqual((envelope.size, envelope.utf8), (123, True))
        self.assertEqual(commands.mail("FROM:<é@b> SMTPUTF8").sender.local, "é")
        for rest, code in (
            ("FROM:<a@b> SIZE=x", 555),
            ("FROM:<a@b> SIZE", 555),
            ("FROM:<a@b> BODY=BINARYMIME", 555),
            ("FROM:<a@b> RET=HDRS", 555),
            ("FROM:<a@b> SIZE=1 SIZE=1", 501),
            ("FROM:<a@b> =", 501),
            ("FROM:<a@b> SIZE=" + "9" * 21, 555),
            ("FROM:<é@b>", 553),
        ):
            self.assertEqual(self.assertRaises(SyntaxFault, commands.mail, rest).code, code, rest)
        self.assertEqual(
            self.assertRaises(SyntaxFault, commands.recipient, "TO:<a@b> NOTIFY=NEVER", True).code, 555
        )
        self.assertEqual(
            self.assertRaises(SyntaxFault, commands.recipient, "TO:<é@b>", False).status, "5.6.7"
        )

    def test_split(self) -> None:
        """
        Names in any case; control characters and broken UTF-8 are no command.
        """
        self.assertEqual(commands.split(b"mail  FROM:<> "), ("MAIL", "FROM:<>"))
        self.assertEqual(commands.split(b""), ("", ""))
        for line in (b"NOOP\0", b"NOOP a\nMAIL FROM:<>", b"NOOP\r", b"NOOP \xff", "NOOP \u2028".encode()):
            self.assertEqual(self.assertRaises(SyntaxFault, commands.split, line).code, 500)
        for rest in ("", "a b", "a,b", "[1", "a" * 300):
            self.assertRaises(SyntaxFault, commands.greeter, rest)
        self.assertEqual(commands.greeter("mx_1.example"), "mx_1.example")


class AddressingTests(SynchronousTestCase):
    """
    From paths to recipients.
    """

    def test_recipient(self) -> None:
        """
        Domains, details and case.
        """
        for detail, local, domain, user, folder in (
            ("", "ann", "", "ann", ""),
            ("", "ann", "EXAMPLE.org", "ann", ""),
            ("", "ann", "other.org", "ann@other.org", ""),
            ("", "ann+x", "example.org", "ann+x", ""),
            ("+", "ann+x/y+z", "example.org", "ann", "x/y+z"),
            ("+", "ann+", "example.org", "ann", ""),
            ("+", "+x", "example.org", "+x", ""),
            ("+", "ann+x", "other.org", "ann+x@other.org", ""),
        ):
            path = Path(local, domain, "")
            expected = Recipient(path.address, user, folder)
            self.assertEqual(Addressing(["Example.ORG"], detail).recipient(path), expected)

    def test_everyDomain(self) -> None:
        """
        An asterisk is every domain.
        """
        path = Path("ann+lists", "any.example", "ann+lists@any.example")
        expected = Recipient("ann+lists@any.example", "ann", "lists")
        self.assertEqual(Addressing(["*"], "+").recipient(path), expected)


class TraceTests(SynchronousTestCase):
    """
    The fields that are added.
    """

    def test_one(self) -> None:
        """
        With one recipient it is named.
        """
        envelope = commands.mail("FROM:<bob@b.example>")
        path = commands.recipient("TO:<Ann@example.org>", False)
        self.assertEqual(
            fields(envelope, [path], "mx.example", "127.0.0.1", "host.example", 1_000_000_000),
            b"Return-Path: <bob@b.example>\r\n"
            b"Delivered-To: Ann@example.org\r\n"
            b"Received: from mx.example ([127.0.0.1])\r\n"
            b"\tby host.example (mailstore) with LMTP\r\n"
            b"\tfor <Ann@example.org>;\r\n"
            b"\tSun, 09 Sep 2001 01:46:40 -0000\r\n",
        )

    def test_several(self) -> None:
        """
        With several, none.
        """
        envelope = commands.mail("FROM:<> SMTPUTF8")
        paths = [commands.recipient(f"TO:<{each}@example.org>", False) for each in ("ann", "bob")]
        self.assertEqual(
            fields(envelope, paths, "mx.example", "", "h", 0),
            b"Return-Path: <>\r\nReceived: from mx.example (local)\r\n"
            b"\tby h (mailstore) with UTF8LMTP;\r\n\tThu, 01 Jan 1970 00:00:00 -0000\r\n",
        )


class ReplyTests(SynchronousTestCase):
    """
    Errors of the store, and lines.
    """

    def test_closedSet(self) -> None:
        """
        Each error of the store has its reply, whose codes fit each other; one that delivery cannot have is
        a fault, which the mail server tries again.
        """
        for error in allErrors():
            reply = refusal(error("why"))
            self.assertEqual(str(reply.code)[0], reply.status[0])
            if error in CODES:
                self.assertIn(reply.text, ("why", CODES[error][2]))
            else:
                self.assertEqual(reply, refusal(StoreFault("why")))

    def test_render(self) -> None:
        """
        One line of ASCII, not too long.
        """
        self.assertEqual(Reply(550, "5.1.1", "nó\r\n250 x").render(), b"550 5.1.1 n???250 x\r\n")
        self.assertEqual(Reply(354, "", "go").render(), b"354 go\r\n")
        self.assertLessEqual(len(Reply(550, "5.1.1", "x" * 1000).render()), 512)
        self.assertIn(b"x" * MAX_TEXT, Reply(550, "5.1.1", "x" * 1000).render())
