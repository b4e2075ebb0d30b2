"""
The whole search index held against the texts.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

from mailstore.engine import textindex
from mailstore.engine.checking import Finding, comparison, searchindex
from mailstore.engine.textindex import PIECE_BITS
from mailstore.testing.storecases.base import mail
from tests.engine.checking.checkcase import CheckCase

_BODIES = (
    "naïve Übergröße",
    "Ελληνικά",
    "日本語のテキスト",
    "emoji 🎉🎊 \x00 nul",
    "a\u0301 e\u0308",
    "\ud800 x",
)


class ComparisonTests(CheckCase):
    """
    What is found, and between which slices others can do what.
    """

    def _found(self) -> list[Finding]:
        return [each for each in self.check().findings if each.kind == "search-index"]

    def _without(self, gram: str, content: int, number: int = 0) -> str:
        """
        What takes a piece of a text out of the index, and nothing else.
        """
        return (
            "INSERT INTO text_index (text_index, rowid, text)"
            f" VALUES ('delete', {(content << PIECE_BITS) + number}, '{gram}')"
        )

    def test_sound(self) -> None:
        """
        Nothing is found, and no text need be looked up piece by piece, in whatever alphabet it is.
        """
        store = self.open(self.path_)
        for body in _BODIES:
            text = f"Content-Type: text/plain; charset=utf-8\r\nSubject: {len(body)}\r\n\r\n{body}\r\n"
            self.append(store, "ann", "INBOX", text.encode("utf-8", "surrogatepass"))
        self.append(store, "ann", "INBOX", mail(body="long " * textindex._PIECE))
        while self.now(store.indexMore()):
            pass
        self.now(store.close())
        with mock.patch("mailstore.engine.textindex.TextIndex.lacks") as lacks:
            self.assertEqual(self._found(), [])
        self.assertEqual(lacks.call_count, 0)

    def test_onePiece(self) -> None:
        """
        One piece of three characters of one text is enough, wherever it is; it is mended.
        """
        for content, column, number in ((1, "header", 0), (6, "header", 0), (7, "header", 0), (7, "body", 1)):
            [(text,)] = self.rows(self.path_, f"SELECT {column} FROM texts WHERE id = {content}")
            gram = next(text[at : at + 3] for at in range(90) if text[at : at + 3].isalnum())
            self.damage(self._without(gram, content, number))
            [found] = self._found()
            self.assertIn("texts of 1 contents of 7", found.problem)
            self.assertEqual(self.repair().left, 0)
            self.assertEqual(self._found(), [])

    def test_tooMuch(self) -> None:
        """
        What the index has and no text does no harm.
        """
        self.damage(f"INSERT INTO text_index (rowid, text) VALUES ({3 << PIECE_BITS}, 'something else')")
        self.damage(f"INSERT INTO text_index (rowid, text) VALUES ({90 << PIECE_BITS}, 'of no content')")
        self.assertEqual(self._found(), [])

    def test_many(self) -> None:
        """
        Of very many that are lacking, some are looked up.
        """
        self.damage("INSERT INTO text_index (text_index) VALUES ('delete-all')")
        with mock.patch.object(comparison, "_DOUBTFUL", 3):
            [found] = self._found()
        self.assertIn("texts of at least 3 contents of 7", found.problem)

    def _slices(self, meanwhile: Callable[[int], object]) -> tuple[list[str], int]:
        """
        Compare in the smallest slices.

        @param meanwhile: called between them.
        @return: what is found, and how many slices it took.
        """
        checker = self.checker()
        problems: list[str] = []
        slices = 0
        with (
            mock.patch.object(comparison, "MOST", 2),
            mock.patch.object(comparison, "_TEXTS", 1),
            mock.patch.object(comparison, "_ENTRIES", 20),
        ):
            for fault in searchindex.index(checker._context):
                if fault is None:
                    meanwhile(slices)
                    slices += 1
                else:
                    problems.append(fault.problem)
        checker.close()
        return problems, slices

    def test_slices(self) -> None:
        """
        It is done in slices, a few texts at a time, with the same result.
        """
        problems, slices = self._slices(lambda _: None)
        self.assertEqual(problems, [])
        self.assertGreater(slices, 20)
        self.damage(self._without("sub", 2), self._without("sub", 7))
        self.assertEqual(len(self._slices(lambda _: None)[0]), 1)
        self.assertIn("texts of 2 contents", self._slices(lambda _: None)[0][0])

    def test_meanwhile(self) -> None:
        """
        Messages that come, are indexed, and go between slices are no faults, and neither is an index that is
        begun again.
        """
        store = self.open(self.path_)

        def come(number: int) -> None:
            if number % 3 == 0:
                self.append(store, "ann", "INBOX", mail(1000 + number))
                self.now(store.indexMore())

        self.assertEqual(self._slices(come)[0], [])

        def go(number: int) -> None:
            if number == 2:
                self.now(store.deleteFolder("ann", "Sent"))
                self.now(store.deleteFolder("ann", "Public Folders/D"))
                while self.now(store.tidyMore()):
                    pass

        self.assertEqual(self._slices(go)[0], [])

        def again(number: int) -> None:
            if number == 5:
                self.execute(self.path_, "UPDATE meta SET value = '2.0.0.0' WHERE key = 'indexed'")
                self.execute(self.path_, "INSERT INTO text_index (text_index) VALUES ('delete-all')")

        self.assertEqual(self._slices(again)[0], [])
