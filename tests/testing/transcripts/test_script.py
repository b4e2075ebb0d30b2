"""
Tests of how scripts are read.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing.transcripts import Script, ScriptError
from mailstore.testing.transcripts.header import Message, Rights, SignIn
from mailstore.testing.transcripts.script import Close, Closed, Deflate, Expect, ExpectAll, Send, StartTls

HEADER = """\
# A comment.
Title: one
Title: and two
RFC: 9051 6.3.1
Covers: SELECT, UID FETCH
Covers: a point

Require: UIDPLUS MOVE
User: ann s3cret word
User: bob
Administrator: carol
Folder: Public Folders/Old News
Rights: lrs bob Public Folders/Old News
Messages: 2 Public Folders/Old News
Message: (\\Seen kind) Other Users/ann/INBOX
| Subject: x
|
| body
Limit: imap.max_line = 2000
Setting: imap.x = "y"
TLS: yes
Session: A dave
Session: ann in Public Folders/Old News

A C: a1 NOOP
A S: a1 OK ...
"""


class HeaderTests(SynchronousTestCase):
    """
    What stands before the conversation.
    """

    def test_everything(self) -> None:
        """
        Every line of a header has its meaning.
        """
        script = Script.parse(HEADER)
        header = script.header
        self.assertEqual((header.title, header.rfc), ("one and two", "9051 6.3.1"))
        self.assertEqual(script.covers, {"SELECT", "UID FETCH", "a point"})
        self.assertEqual(header.requires, ("UIDPLUS", "MOVE"))
        self.assertEqual(
            header.users, {"ann": "s3cret word", "bob": "secret", "carol": "secret", "dave": "secret"}
        )
        self.assertEqual((header.administrators, header.folders), (("carol",), ("Public Folders/Old News",)))
        self.assertEqual(header.rights, (Rights("Public Folders/Old News", "bob", "lrs"),))
        self.assertEqual(
            header.messages,
            (
                Message("Public Folders/Old News", (), b"Subject: message 1\r\n\r\ntext 1\r\n"),
                Message("Public Folders/Old News", (), b"Subject: message 2\r\n\r\ntext 2\r\n"),
                Message("Other Users/ann/INBOX", ("\\Seen", "kind"), b"Subject: x\r\n\r\nbody\r\n"),
            ),
        )
        self.assertEqual(
            (header.settings, header.tls), ((("limits.imap", "max_line", "2000"), ("imap", "x", '"y"')), True)
        )
        self.assertEqual(header.sessions, {"A": SignIn("dave"), "": SignIn("ann", "Public Folders/Old News")})
        self.assertEqual(script.sessions, ("A", ""))

    def test_bad(self) -> None:
        """
        A line that means nothing is named, with the reason.
        """
        for lines, place, reason in (
            ("Titel: x", 1, "did you mean 'Title'"),
            ("Zzz: x", 1, "there are: Title"),
            ("what", 1, "neither a line of a header"),
            ("Title: a\nFolder:", 2, "says nothing"),
            ("Rights: lrs bob", 1, "must be LETTERS"),
            ("Messages: many INBOX", 1, "must be COUNT"),
            ("Messages: 999999 INBOX", 1, "at most 10000"),
            ("Message: INBOX\nTitle: x", 2, "begins with |"),
            ("Limit: max_line = 3", 1, "must be imap.NAME"),
            ("TLS: maybe", 1, "yes or no"),
            ("Setting: x = y", 1, "must be TABLE.NAME"),
            ("Session: a b c", 1, "must be [NAME]"),
            ("Session: A ann\nSession: A bob", 2, "already"),
        ):
            error = self.assertRaises(ScriptError, Script.parse, f"{lines}\nC: a NOOP\nS: a OK", "file.txt")
            self.assertIn(f"file.txt:{place}: ", str(error))
            self.assertIn(reason, str(error))


class ConversationTests(SynchronousTestCase):
    """
    The conversation.
    """

    def sent(self, text: str) -> list[bytes]:
        """
        What the clients of a script send.
        """
        return [step.data.render({}) for step in Script.parse(text).steps if isinstance(step, Send)]

    def test_steps(self) -> None:
        """
        Every line is a step with its place; those of a group are one.
        """
        script = Script.parse(
            "B S: * OK ...\n\n# what\nC: a NOOP\nS~ 1\nS~ 2\nB S~ 3\nS? 4\nS: a OK\n"
            "C: ${tls}\nC: ${deflate}\nC: ${close}\nB S: ${closed}\n"
        )
        self.assertEqual(
            [(type(step), step.line, step.session) for step in script.steps],
            [
                (Expect, 1, "B"),
                (Send, 4, ""),
                (ExpectAll, 5, ""),
                (ExpectAll, 7, "B"),
                (Expect, 8, ""),
                (Expect, 9, ""),
                (StartTls, 10, ""),
                (Deflate, 11, ""),
                (Close, 12, ""),
                (Closed, 13, "B"),
            ],
        )

    def test_literals(self) -> None:
        """
        A literal's size is counted, over what the server says in between; the command ends or goes on.
        """
        self.assertEqual(
            self.sent(
                "C: a APPEND X {#}\nB C: b NOOP\nS: + ...\nC| one\nC|\nC| two\nC|\nB S: b OK\nS: a OK\n"
            ),
            [b"a APPEND X {12}\r\n", b"b NOOP\r\n", b"one\r\n\r\ntwo\r\n\r\n"],
        )
        self.assertEqual(
            self.sent("C: a LOGIN {#+}\nC| ann\nC>  {#+}\nC| x y\nC> ${hex 20}\nS: a OK"),
            [b"a LOGIN {3+}\r\n", b"ann", b" {3+}\r\n", b"x y", b" \r\n"],
        )
        self.assertEqual(self.sent("C: a X {9+}\nC| abc\nS: a BAD"), [b"a X {9+}\r\n", b"abc\r\n"])

    def test_expectedLiterals(self) -> None:
        """
        A response is one step, whatever it holds.
        """
        (step,) = Script.parse("S: * {#}\nS| one\nS|\nS>  {*} {#}\nS| ${x=text}\nS> )").steps
        assert isinstance(step, Expect)
        self.assertEqual(step.text.match(b"* {5}\r\n {9}\r\n {1}\r\n)", {}), {})
        self.assertEqual([literal is None for literal in step.literals], [False, True, False])

    def test_lineEnds(self) -> None:
        """
        A file may have CRLF.
        """
        self.assertEqual(self.sent("C: a X\r\nS: a OK\r\n"), [b"a X\r\n"])

    def test_bad(self) -> None:
        """
        What makes no sense is named, with the reason.
        """
        for text, place, reason in (
            ("C: a\nwhat", ":2", "neither C: nor S:"),
            ("C: a\nC~ b", ":2", "neither C: nor S:"),
            ("C: a\nTitle: x", ":2", "neither C: nor S:"),
            ("C: a {#}\nS: +", ":1", "no C| line"),
            ("C: a {#}\nC: b\nC| x", ":1", "no C| line"),
            ("C: a\nC| x", ":2", "does not follow"),
            ("C| x", ":1", "does not follow"),
            ("C: a\nC> x", ":2", "does not follow"),
            ("S: a\nS| x", ":2", "does not follow"),
            ("S: a {#}\nB S| x", ":1", "no S| line"),
            ("C: ${x}", ":1", "nothing was kept under 'x'"),
            ("S? ${x=word}\nS: y\nC: ${x}", ":3", "nothing was kept under 'x'"),
            ("S: a\nS: ${oops", ":2", "no end of"),
            ("S? a\nC: b", ":1", "must follow"),
            ("S? a\nB S: x", ":1", "must follow"),
            ("Title: x\n", "", "no conversation"),
        ):
            error = self.assertRaises(ScriptError, Script.parse, text, "file.txt")
            self.assertTrue(str(error).startswith(f"file.txt{place}: "), error)
            self.assertIn(reason, str(error))

    def test_load(self) -> None:
        """
        A file that is no text, and one that is too long, are named.
        """
        path = Path(self.mktemp())
        path.write_bytes(b"C: \xff")
        self.assertIn("not UTF-8 at byte 3", str(self.assertRaises(ScriptError, Script.load, path)))
        path.write_bytes(b"C: a\n" * 1_000_000)
        self.assertIn("longer than", str(self.assertRaises(ScriptError, Script.load, path)))
        path.write_text("C: a\nS: ${closed}\n")
        self.assertEqual(Script.load(path).name, str(path))
