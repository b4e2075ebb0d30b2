"""
What messages are sorted and threaded by.
"""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from mailstore.message.references import MAX_REFERENCES, SIZE, identifiers, references
from mailstore.message.sorting import MAX_KEY, SortKeys, baseSubject, collated, sortKeys
from mailstore.message.structure import parse


class SubjectTests(SynchronousTestCase):
    """
    L{baseSubject}.
    """

    def test_bases(self) -> None:
        """
        What answers and forwards add is taken away, and is noticed (RFC 5256 section 2.1).
        """
        for subject, base, is_reply in (
            ("", "", False),
            ("plain", "PLAIN", False),
            ("  two \t spaces  ", "TWO SPACES", False),
            ("Re: a", "A", True),
            ("RE:re: Fw: FWD:a", "A", True),
            ("re [2] : a", "A", True),
            ("Re[3]: a", "A", True),
            ("[list] Re: a", "A", True),
            ("[list] a", "A", False),
            ("[one][two] [three] a", "A", False),
            ("[only]", "[ONLY]", False),
            ("[one] [only]", "[ONLY]", False),
            ("[one] Re: [two] a", "A", True),
            ("a (fwd)", "A", True),
            ("a (fwd) (FWD) ", "A", True),
            ("(fwd)", "", True),
            ("[Fwd: a]", "A", True),
            ("[fwd: [fwd: Re: a (fwd)]]", "A", True),
            ("Re:", "", True),
            ("regarding: a", "REGARDING: A", False),
            ("re a", "RE A", False),
            ("a re: b", "A RE: B", False),
            ("[a[b] c", "[A[B] C", False),
            ("Re: \u00e4pfel", "A\u0308PFEL", True),
        ):
            self.assertEqual(baseSubject(subject), (base, is_reply), subject)

    def test_bounded(self) -> None:
        """
        However long it is and whatever it is made of, it takes hardly any time.
        """
        begun = time.process_time()
        for piece in ("[a]", "re:", "(fwd)", "[fwd:", " ", "[", "re[x]", "[a] re:", "\u0301"):
            base, _ = baseSubject(piece * 100_000)
            self.assertLessEqual(len(base), MAX_KEY)
        self.assertLess(time.process_time() - begun, 2)

    def test_collated(self) -> None:
        """
        Case and composition make no difference.
        """
        for one, two in (("Ab_z", "aB_Z"), ("\u00c4", "a\u0308"), ("\u01c6", "\u01c5"), ("\uff21", "a")):
            self.assertEqual(collated(one), collated(two))
        self.assertLess(collated("a"), collated("_"))
        self.assertNotEqual(collated("\u00df"), collated("ss"))


class ReferencesTests(SynchronousTestCase):
    """
    Identifiers of messages.
    """

    def test_identifiers(self) -> None:
        """
        Those that are some are found, in one spelling.
        """
        for raw, expected in (
            (b"", []),
            (b"<a@b>", [b"a@b"]),
            (b" <a@b>\r\n\t<c@d> (and <e@f>) g@h <> <nothing> <i @ j>", [b"a@b", b"c@d", b"e@f", b"i@j"]),
            (b'<"a.b"@c> <"a\\"b"@c>', [b"a.b@c", b'a"b@c']),
            (b"<" * 10_000 + b"a@b>", [b"a@b"]),
            (b"<" + b"a" * 2000 + b"@b>", []),
        ):
            self.assertEqual(list(identifiers(raw)), expected)

    def test_references(self) -> None:
        """
        In-Reply-To counts without References, its first identifier only; the first of all is the thread's.
        """
        a, b, c = (references(b"<%c@x>" % each, b"", b"").message for each in b"abc")
        assert a is not None and b is not None and c is not None
        self.assertEqual({len(a), len(b), len(c)}, {SIZE})
        found = references(b"<c@x>", b"<a@x> <b@x>", b"<z@x>")
        self.assertEqual((found.message, found.references, found.thread), (c, a + b, a))
        found = references(b"<c@x>", b"nonsense", b"<a@x> <b@x>")
        self.assertEqual((found.references, found.thread), (a, a))
        found = references(b"<c@x>", b"", b"")
        self.assertEqual((found.references, found.thread), (b"", c))
        found = references(b"nonsense", b"", b"")
        self.assertEqual((found.message, found.references, found.thread), (None, b"", None))

    def test_bounded(self) -> None:
        """
        Of very many the first is kept, and the last ones.
        """
        raw = b" ".join(b"<%d@x>" % each for each in range(1000))
        kept = references(b"", raw, b"").references
        self.assertEqual(len(kept), MAX_REFERENCES * SIZE)
        self.assertEqual(kept[:SIZE], references(b"<0@x>", b"", b"").message)
        self.assertEqual(kept[-SIZE:], references(b"<999@x>", b"", b"").message)
        self.assertEqual(kept[SIZE : 2 * SIZE], references(b"<901@x>", b"", b"").message)


class KeysTests(SynchronousTestCase):
    """
    L{sortKeys}.
    """

    def _keys(self, header: bytes) -> SortKeys:
        return sortKeys(parse(header + b"\r\n\r\n"))

    def test_addresses(self) -> None:
        """
        The mailbox of the first address counts, decoded, without name and domain.
        """
        keys = self._keys(
            b"From: Zoe <ann@x>, bob@y\r\nTo: friends: carl@x;\r\n"
            b"Cc: =?utf-8?q?=C3=A4?= <D.E@x>\r\nFrom: no@x"
        )
        self.assertEqual((keys.sender, keys.recipient, keys.copied), ("ANN", "FRIENDS", "D.E"))
        keys = self._keys(b"From:\r\nTo: ,,\r\nX-Cc: a@b")
        self.assertEqual((keys.sender, keys.recipient, keys.copied), ("", "", ""))

    def test_sent(self) -> None:
        """
        Dates are moments; a time that makes no sense is midnight, a zone that makes none is UTC
        (RFC 5256 section 2.2).
        """
        for value, expected in (
            (b"Sun, 9 Sep 2001 01:46:40 +0000", 1_000_000_000),
            (b"Sun, 9 Sep 2001 03:46:40 +0200", 1_000_000_000),
            (b"8 Sep 2001 20:46:40 EST (comment)", 1_000_000_000),
            (b"9 Sep 2001 01:46:40", 1_000_000_000),
            (b"9 Sep 2001 99:46:40 +0000", 1_000_000_000 - 6400),
            (b"31 Feb 2001 00:00:00 +0000", None),
            (b"1 Jan 1960 00:00:00 +0000", -315619200),
            (b"tomorrow", None),
            (b"", None),
        ):
            self.assertEqual(self._keys(b"Date: " + value).sent, expected, value)

    def test_anything(self) -> None:
        """
        Any bytes have keys.
        """
        for header in (b"", b"\xff\0" * 100, b"Subject:", b"Date: " + b"9" * 5000, b"From: " + b"(" * 5000):
            self.assertIs(type(self._keys(header)), SortKeys)
