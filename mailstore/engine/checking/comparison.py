"""
The whole search index, held against the texts that it is made of.

The index gives all pieces of three characters, and for each the texts that it says have it; the texts are
there in another order.  So of each text two sums are made, of numbers that stand for its pieces: one while
all texts are read, and one while the whole index is read.  Texts with equal sums are in the index with all
their pieces.  Of the others each piece is looked up; a piece that only the index has does no harm, since
whoever it names is looked at.

That takes, beside the pieces of one text and one entry of the index, three numbers for each text, and is
done for so many texts at once (L{MOST}).  Between slices others may change the store: what comes into the
index meanwhile is not looked at, and when it has been made anew nothing more is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import msgspec

from mailstore.engine.connection import Connection
from mailstore.engine.textindex import GRAM, PIECE_BITS, TextIndex, pieces
from mailstore.model import uint64s

#: Texts, or parts of long ones, that are compared in one walk through the index.
MOST = 250_000

#: Texts, and entries of the index, that are read in one slice.
_TEXTS, _ENTRIES = 200, 500_000

#: Texts that are looked up piece by piece.
_DOUBTFUL = 200

_NUMBERS = msgspec.json.Decoder(list[int])


class Comparison:
    """
    One comparison, a slice at a time.

    @ivar lacking: contents that the index does not know as it should.
    @ivar is_cut: there may be others.
    @ivar looked: how many contents have been looked at.
    """

    def __init__(self, db: Connection, index: TextIndex, done: int) -> None:
        """
        @param done: the content up to which the index is to know all.
        """
        self.lacking: list[int] = []
        self.is_cut = False
        self.looked = 0
        self._db = db
        self._index = index
        self._done = done
        self._after = 0
        #: Of each text: what the index calls it, and both sums.
        self._rows = uint64s()
        self._of_texts = uint64s()
        self._of_index = uint64s()
        self._doubtful = 0

    def run(self) -> Iterator[None]:
        """
        Compare; others may change the store after each step.

        @raise DatabaseError: the index is damaged.
        """
        while self._after < self._done and self._isThere():
            self._rows, self._of_texts = uint64s(), uint64s()
            more = True
            while more and not self._isFull():
                more = self._readTexts()
                yield
            self._of_index = uint64s(bytes(8 * len(self._rows)))
            for _ in self._readIndex():
                yield
                if not self._isThere():
                    return
            yield from self._lookUp()

    def _isThere(self) -> bool:
        """
        Whether the index is still the one that was to be compared.
        """
        return self._index.done(self._db) >= self._done

    def _isFull(self) -> bool:
        """
        Whether there are as many texts as are compared at once; those that are gone take some room too.
        """
        rows = self._rows
        return len(rows) >= MOST or (bool(rows) and (rows[-1] - rows[0]) >> PIECE_BITS >= 8 * MOST)

    def _readTexts(self) -> bool:
        """
        @return: there are more.
        """
        found = self._db.execute(
            "SELECT id, header, body, parts FROM texts WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
            (self._after, self._done, _TEXTS),
        ).fetchall()
        for content, *texts in found:
            for number, piece in enumerate(pieces(texts)):
                grams = {piece[at : at + GRAM] for at in range(len(piece) - GRAM + 1)}
                self._rows.append((content << PIECE_BITS) + number)
                self._of_texts.append(sum(map(_number, grams)))
        self.looked += len(found)
        self._after = found[-1][0] if len(found) == _TEXTS else self._done
        return self._after < self._done

    def _readIndex(self) -> Iterator[None]:
        if not self._rows:
            return
        # Where the first piece of each content is, so that none need be searched for.
        first = self._rows[0] >> PIECE_BITS
        starts = array("I", bytes(4 * ((self._rows[-1] >> PIECE_BITS) - first + 1)))
        known = bytearray(len(starts))
        for at, row in enumerate(self._rows):
            if not row & ((1 << PIECE_BITS) - 1):
                starts[(row >> PIECE_BITS) - first] = at
            known[(row >> PIECE_BITS) - first] += 1
        mask = (1 << PIECE_BITS) - 1
        sums = self._of_index
        with self._index.entries(self._db) as entries:
            last = ""
            while True:
                count = 0
                for term, numbers in entries.after(last, self._rows[0], self._rows[-1]):
                    last, number = term, _number(term)
                    rows = _NUMBERS.decode(f"[{numbers}]")
                    for row in rows:
                        at = (row >> PIECE_BITS) - first
                        if row & mask < known[at]:
                            sums[starts[at] + (row & mask)] += number
                    count += len(rows)
                    if count >= _ENTRIES:
                        break
                else:
                    return
                yield

    def _lookUp(self) -> Iterator[None]:
        doubtful = {
            row >> PIECE_BITS
            for row, one, other in zip(self._rows, self._of_texts, self._of_index, strict=True)
            if one != other
        }
        for content in sorted(doubtful):
            if self._doubtful >= _DOUBTFUL:
                self.is_cut = True
                return
            self._doubtful += 1
            if self._index.lacks(self._db, content):
                self.lacking.append(content)
            yield


def _number(gram: str) -> int:
    # The sum of all that a text can have is a number of 64 bits.
    return hash(gram) & 0xFFFFFFFF
