"""
Tests of L{mailstore.imap.patterns}.
"""

from __future__ import annotations

import random
from functools import lru_cache

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.patterns import Pattern


def plainly(pattern: str, name: str) -> bool:
    """
    What a pattern means, by its definition and without regard to speed.
    """

    @lru_cache(None)
    def match(at: int, place: int) -> bool:
        if at == len(pattern):
            return place == len(name)
        if pattern[at] in "*%":
            if match(at + 1, place):
                return True
            return place < len(name) and (pattern[at] == "*" or name[place] != "/") and match(at, place + 1)
        return place < len(name) and name[place] == pattern[at] and match(at + 1, place + 1)

    return match(0, 0)


class PatternTests(SynchronousTestCase):
    """
    LIST patterns.
    """

    def test_table(self) -> None:
        """
        C{*} crosses separators and C{%} does not.
        """
        for reference, pattern, matching, others in (
            ("", "*", ("a", "a/b", "INBOX"), ()),
            ("", "%", ("a", "INBOX"), ("a/b",)),
            ("", "a/%", ("a/b", "a/"), ("a", "a/b/c")),
            ("a/", "%", ("a/b",), ("b", "a/b/c")),
            ("", "%/%", ("a/b",), ("a", "a/b/c")),
            ("", "*b", ("b", "a/b", "ab"), ("a/b/c",)),
            ("", "a*", ("a", "ab", "a/b"), ("ba",)),
            ("", "a.c", ("a.c",), ("abc",)),
            ("", "(a", ("(a",), ("a",)),
            ("", "%\n%", ("a\nb",), ("ab",)),
        ):
            made = Pattern(reference, pattern)
            for name in matching:
                self.assertTrue(made.matches(name), (reference, pattern, name))
            for name in others:
                self.assertFalse(made.matches(name), (reference, pattern, name))

    def test_inboxInAnyCase(self) -> None:
        """
        INBOX is found in whatever case it is asked for, also as a parent; no other name is.
        """
        self.assertTrue(Pattern("", "inBox").matches("INBOX"))
        self.assertTrue(Pattern("inbox/", "%").matches("INBOX/a"))
        self.assertFalse(Pattern("", "sent").matches("Sent"))

    def test_normalForm(self) -> None:
        """
        Wildcards in a row are one.
        """
        self.assertEqual(Pattern("", "a%%%b").text, "a%b")
        self.assertEqual(Pattern("a%", "%*%%*b").text, "a*b")
        self.assertEqual(Pattern("", "%%*").wildcards, 1)

    def test_prefix(self) -> None:
        """
        Every matching name lies between C{prefix} and C{end}.
        """
        made = Pattern("Public Folders/", "a%")
        self.assertEqual(made.prefix, "Public Folders/a")
        self.assertTrue(made.prefix <= "Public Folders/a\U0010fffd" < made.end)

    def test_byDefinition(self) -> None:
        """
        Any pattern matches any name exactly when its definition says so.
        """
        chance = random.Random(3)
        for _ in range(4000):
            pattern = "".join(chance.choices("ab/*%*%", k=chance.randint(0, 8)))
            name = "".join(chance.choices("aab/", k=chance.randint(0, 9)))
            self.assertEqual(Pattern("", pattern).matches(name), plainly(pattern, name), (pattern, name))

    def test_noBacktracking(self) -> None:
        """
        Patterns made to try everything twice are answered; with backtracking they
        would not be within anybody's life.
        """
        for pattern in ("*a" * 15 + "*b", "%a" * 15 + "%b", "*a%a" * 7 + "b"):
            self.assertFalse(Pattern("", pattern).matches("a" * 1000))
