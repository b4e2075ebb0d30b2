"""
Tests for L{tests.message.imapsyntax}: the checker refuses what it must.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.message.imapsyntax import Malformed, checkBody, checkEnvelope, read

TEXT = b'("text" "plain" NIL NIL NIL "7bit" 1 2'


class ReadTests(SynchronousTestCase):
    """
    Values.
    """

    def test_values(self) -> None:
        """
        Strings, numbers, NIL and lists.
        """
        self.assertEqual(
            read(b'("a\\"b\\\\" {3}\r\n()" NIL 0 12 ()(1)(2))'),
            (b'a"b\\', b'()"', None, 0, 12, (), (1,), (2,)),
        )

    def test_refused(self) -> None:
        """
        What is nearly a value.
        """
        for data in (
            b"",
            b"(",
            b")",
            b"())",
            b"( 1)",
            b"(1 )",
            b"(1  2)",
            b"(1()",
            b'("a""b")',
            b'("a"("b"))',
            b'"a',
            b'"\xe4"',
            b'"\n"',
            b'"\\a"',
            b"{1}\r\n",
            b"{1}\r\n\0",
            b"{01}\r\na",
            b"{1}a",
            b"01",
            b"nil",
            b"-1",
        ):
            self.assertRaises(Malformed, read, data)


class CheckTests(SynchronousTestCase):
    """
    Envelopes and bodies.
    """

    def test_envelopes(self) -> None:
        """
        Ten members, strings or address lists.
        """
        checkEnvelope(read(b'("d" "s" ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL NIL NIL)'))
        for data in (
            b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
            b"(1 NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
            b"(NIL NIL () NIL NIL NIL NIL NIL NIL NIL)",
            b"(NIL NIL ((NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)",
            b"NIL",
        ):
            self.assertRaises(Malformed, checkEnvelope, read(data))

    def test_bodies(self) -> None:
        """
        Bodies with extension data and without.
        """
        checkBody(read(TEXT + b")"), False)
        checkBody(read(TEXT + b' NIL ("inline" NIL) ("de" "en") NIL)'), True)
        checkBody(read(b"(" + TEXT + b")" + TEXT + b') "mixed")'), False)
        for data, extended in (
            (TEXT + b")", True),
            (TEXT + b" NIL)", False),
            (TEXT + b" NIL NIL NIL NIL NIL)", True),
            (TEXT + b" NIL () NIL NIL)", True),
            (TEXT + b" NIL NIL () NIL)", True),
            (b'("text" "plain" NIL NIL NIL "7bit" 1)', False),
            (b'("text" "plain" ("a") NIL NIL "7bit" 1 2)', False),
            (b'("message" "rfc822" NIL NIL NIL "7bit" 1 2)', False),
            (b'("multipart" "mixed" NIL NIL NIL "7bit" 1)', False),
            (b'("mixed")', False),
            (b"(" + TEXT + b"))", False),
            (b"()", False),
        ):
            self.assertRaises(Malformed, checkBody, read(data), extended)
