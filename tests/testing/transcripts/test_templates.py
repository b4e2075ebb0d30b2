"""
Tests of L{mailstore.testing.transcripts.templates}.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing.transcripts.templates import (
    MAX_REPEATED,
    BadTemplate,
    readData,
    readExpected,
    readSent,
)


class SentTests(SynchronousTestCase):
    """
    What a client sends.
    """

    def test_bytes(self) -> None:
        """
        Text is UTF-8; bytes can be written in hex, and repeated.
        """
        for text, data in (
            ("a NOOP", b"a NOOP"),
            ("ü", b"\xc3\xbc"),
            ("a${hex 00FF}b", b"a\x00\xffb"),
            ("${repeat 3 ab}c", b"abababc"),
            ("{5} } $x {", b"{5} } $x {"),
            ("...", b"..."),
            ("{*}", b"{*}"),
        ):
            self.assertEqual(readSent(text).render({}), data)

    def test_scram(self) -> None:
        """
        The last words of both sides are those of RFC 7677 section 3; what is no challenge leads to some that
        are of no use.
        """
        first = b64encode(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").decode()
        challenge = b64encode(
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        )
        values = {"kept": challenge}
        proof = b64decode(readSent(f"${{proof {first} pencil kept}}").render(values))
        self.assertTrue(proof.endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), proof)
        answer = readExpected(f"+ ${{answer {first} pencil kept}}")
        words = b64encode(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        self.assertEqual(answer.match(b"+ " + words, values), {})
        self.assertIsNone(answer.match(b"+ " + words[:-4], values))
        self.assertEqual(answer.names, {"kept"})
        for wrong in (b"", b"!", b64encode(b"r=x"), b64encode(b"r=x,s=!,i=99999999999999")):
            self.assertTrue(readSent(f"${{proof {first} pencil kept}}").render({"kept": wrong}))

    def test_variables(self) -> None:
        """
        What was kept is put in its place.
        """
        template = readSent("x ${validity} ${a1}")
        self.assertEqual(template.names, {"validity", "a1"})
        self.assertEqual(template.render({"validity": b"7", "a1": b"{"}), b"x 7 {")

    def test_sizes(self) -> None:
        """
        The size of a literal is that of its bytes, whatever was kept.
        """
        data = readData(["Subject: ü", "", "${x}"], sent=True)
        self.assertEqual(readSent("a {#}", data).render({"x": b"123"}), b"a {18}")
        self.assertEqual(readSent("a ~{#+}", data).render({"x": b""}), b"a ~{15+}")
        self.assertEqual(data.render({"x": b"123"}), b"Subject: \xc3\xbc\r\n\r\n123")

    def test_bad(self) -> None:
        """
        What cannot be understood, or cannot be sent, is refused with the reason.
        """
        for text, reason in (
            ("${", "no end of"),
            ("${x y}", "means nothing"),
            ("${hex 0}", "means nothing"),
            ("${number}", "to wait for"),
            ("${x=text}", "to wait for"),
            ("${close}", "means nothing"),
            (f"${{repeat {MAX_REPEATED} ab}}", "at most"),
        ):
            self.assertIn(reason, str(self.assertRaises(BadTemplate, readSent, text)))


class ExpectedTests(SynchronousTestCase):
    """
    What a server must send.
    """

    def check(
        self, text: str, data: bytes, kept: dict[str, bytes] | None, values: dict[str, bytes] | None = None
    ) -> None:
        """
        What matching a text gives.
        """
        self.assertEqual(readExpected(text).match(data, values or {}), kept)

    def test_exact(self) -> None:
        """
        Without variables, every byte counts.
        """
        self.check("* 1 FETCH (FLAGS (\\Seen))", b"* 1 FETCH (FLAGS (\\Seen))", {})
        for data in (b"a ok", b"a OK ", b" a OK", b"a OK\r\n", b""):
            self.check("a OK", data, None)
        self.check("a.c*", b"abc", None)

    def test_end(self) -> None:
        """
        Three dots at the end stand for any text on the line, and elsewhere for themselves.
        """
        for data in (b"a OK done", b"a OK "):
            self.check("a OK ...", data, {})
        self.check("a OK ...", b"a OK", None)
        self.check("a OK ...", b"a OK x\r\ny", None)
        self.check("a OK [X]...", b"a OK [X] y", {})
        self.check("a... b", b"axxx b", None)
        self.check("* BYE x...", b"* BYE x...", {})
        self.check("* BYE x...", b"* BYE xyz", None)
        self.check("...", b"", {})

    def test_kinds(self) -> None:
        """
        Kinds of text.
        """
        for text, right, wrong in (
            ("${number}", b"4294967296", b"4a"),
            ("${word}", b"Fc2-a.7", b"a b"),
            ("${date}", b" 1-Feb-2026 10:00:00 +0100", b"1-Feb-2026 10:00:00 +0100"),
            ("${text}", b"", b"a\r\nb"),
            ("${/[ab]{2}/}", b"ab", b"abb"),
            ("${/a|b/}${number}", b"b1", b"a"),
            ("${/(a|b)+/}${/(c|d)/}", b"abbac", b"c"),
        ):
            self.check(text, right, {})
            self.check(text, wrong, None)

    def test_kept(self) -> None:
        """
        What is kept has the name's, and must be the same where the name occurs again.
        """
        self.check("x ${n=number} ${w=/[a-c]+/}", b"x 12 abc", {"n": b"12", "w": b"abc"})
        self.check("${n=number} ${n=number}", b"1 2", None)
        self.check("${n=number} ${n=number}", b"2 2", {"n": b"2"})
        self.check("x ${n}", b"x 12", {}, {"n": b"12"})
        self.check("x ${n}", b"x 1", None, {"n": b"12"})
        self.check("x ${n}", b"x aa", None, {"n": b".."})

    def test_greater(self) -> None:
        """
        A number can be wanted greater than another, as a number.
        """
        self.check("${m=number>n}", b"10", {"m": b"10"}, {"n": b"9"})
        for data in (b"9", b"8"):
            self.check("${number>n}", data, None, {"n": b"9"})
        self.check("${number>n}", b"1", None, {"n": b"x"})
        self.check("${n=number} ${number>n}", b"1 2", {"n": b"1"})

    def test_literals(self) -> None:
        """
        The announced size of a literal must be right, unless it may hold anything.
        """
        template = readExpected("* 1 FETCH (X {#}", readData(["abc"], sent=False))
        self.assertEqual(template.match(b"* 1 FETCH (X {3}\r\n", {}), {})
        self.assertIsNone(template.match(b"* 1 FETCH (X {4}\r\n", {}))
        varying = readExpected("* 1 FETCH (X {#}", readData(["${number}"], sent=False))
        self.assertEqual(varying.match(b"* 1 FETCH (X {44}\r\n", {}), {})
        self.check("X {*} Y {*})", b"X {3}\r\n Y {4}\r\n)", {})
        self.check("X {*})", b"X {x}\r\n)", None)

    def test_bad(self) -> None:
        """
        What makes no sense is refused with the reason.
        """
        for text, reason in (
            ("${number=number}", "cannot be the name"),
            ("${x=word>y}", "only a ${number}"),
            ("${/(?P<a>a)/}", "no names"),
            ("${/[/}", "no regular expression"),
            ("${/a", "no end"),
            ("{#+}", "no +"),
            ("${numbre=x}", "means nothing"),
        ):
            self.assertIn(reason, str(self.assertRaises(BadTemplate, readExpected, text)))
