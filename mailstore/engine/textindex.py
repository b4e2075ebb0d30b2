"""
The search index: which messages hold a text, by all pieces of three characters in them
(FTS5's trigram tokenizer, sqlite.org/fts5.html section 4.3.4).

It says who I{may} hold a text; whoever it names is looked at, so that what is found is exact.
So nothing is ever taken out of it: ids of contents are never used again.

Indexing takes about 1 ms for each KiB of text, far more than all else of a delivery.  So a
delivery leaves it undone, and it is done afterwards in small steps (L{TextIndex.step}), in the order of
the contents.  How far it has come is written in the same transaction; a search
looks at all contents that come after.

The index is contentless and can be made again from the texts at any time.  Texts are
indexed in pieces, which overlap so that what is asked for is never cut in two::

    rowid = content << 12 | number of the piece
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

import attrs

from mailstore.engine.connection import Connection
from mailstore.errors import StoreFault

#: To be raised whenever something else is to be in the index; then it is made again.
_FORMAT = 2

#: Characters that the index knows a text by.
GRAM = 3

#: Characters of a text that is looked for that the index is asked for.
_WINDOW = 32

#: Characters of a piece, and where in the rowid its number ends.
_PIECE = 32 * 1024
PIECE_BITS = 12

#: Characters that are indexed in one step.
_STEP = 32 * 1024

#: More pieces than this are not worth looking up one by one.
_MAX_FOUND = 50_000

#: Pieces of three characters that are asked for at once.
_ASKED = 100

#: Contents that are gone before the index is made again, and what part of all they must be.
_MIN_GONE, _GONE_PART = 10_000, 2

_TABLE = (
    "CREATE VIRTUAL TABLE text_index USING fts5"
    "(text, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1')"
)


class _State(NamedTuple):
    format: int
    #: All contents up to this one are in the index.
    done: int
    #: And so many pieces of the next one.
    pieces: int
    #: Contents that were in the index and are no more.
    gone: int


@attrs.frozen
class Candidates:
    """
    Contents that may hold a text.
    """

    found: frozenset[int]
    #: Whatever comes after this content may hold it too.
    indexed: int

    def __contains__(self, content: object) -> bool:
        return content in self.found or (isinstance(content, int) and content > self.indexed)


class TextIndex:
    """
    The index of one database.

    @ivar usable: this SQLite can have one (FTS5, and since 3.34 trigrams).
    """

    def __init__(self) -> None:
        self.usable = False

    def look(self, db: Connection) -> None:
        """
        Find out whether there can be an index.
        """
        self.usable = _hasTrigrams(db)

    def prepare(self, db: Connection) -> None:
        """
        Find out whether there can be an index, and begin one if there is none of the right format.
        """
        self.look(db)
        if not self.usable:
            # What is delivered from now on is in none: who can have one begins again.
            _save(db, _State(0, 0, 0, 0))
        elif _load(db).format != _FORMAT:
            self.reset(db)

    def recall(self, db: Connection) -> None:
        """
        Take the index as it is, if it is of the right format; else there is none.
        """
        self.look(db)
        self.usable = self.usable and _load(db).format == _FORMAT

    def reset(self, db: Connection) -> None:
        """
        Begin again, with nothing in it.
        """
        if self.usable:
            db.execute("DROP TABLE IF EXISTS text_index")
            db.execute(_TABLE)
            _save(db, _State(_FORMAT, 0, 0, 0))

    def isBehind(self, db: Connection) -> bool:
        """
        Whether there are texts that are not in it.
        """
        if not self.usable:
            return False
        done = _load(db).done
        return db.execute("SELECT 1 FROM texts WHERE id > ? LIMIT 1", (done,)).fetchone() is not None

    def step(self, db: Connection) -> None:
        """
        Put the next pieces into it.
        """
        state = _load(db)
        room = _STEP
        while room > 0:
            row = db.execute(
                "SELECT id, header, body, parts FROM texts WHERE id > ? ORDER BY id LIMIT 1", (state.done,)
            ).fetchone()
            if row is None:
                break
            content, *texts = row
            found = pieces(texts)
            for number in range(state.pieces, len(found)):
                if room <= 0:
                    break
                db.execute(
                    "INSERT INTO text_index (rowid, text) VALUES (?, ?)",
                    ((content << PIECE_BITS) + number, found[number]),
                )
                room -= len(found[number]) + 1
                state = state._replace(pieces=number + 1)
            if state.pieces >= len(found):
                state = state._replace(done=content, pieces=0)
                # A message without any text costs something too.
                room -= 100
        _save(db, state)

    def done(self, db: Connection) -> int:
        """
        Up to which content the texts are in it; 0 when it is to be begun again.

        @raise ValueError: what is written of that makes no sense.
        """
        state = _load(db)
        return state.done if self.usable and state.format == _FORMAT else 0

    def lacks(self, db: Connection, content: int) -> bool:
        """
        Whether the index does not know a content that it should, by one of its pieces of
        three characters.

        @raise DatabaseError: the index is damaged.
        """
        texts = db.execute("SELECT header, body, parts FROM texts WHERE id = ?", (content,)).fetchone()
        for number, piece in enumerate(pieces(list(texts or ()))):
            grams = sorted({piece[at : at + GRAM] for at in range(len(piece) - GRAM + 1)})
            for start in range(0, len(grams), _ASKED):
                query = _query(grams[start : start + _ASKED])
                if (
                    query
                    and not db.execute(
                        "SELECT 1 FROM text_index WHERE text_index MATCH ? AND rowid = ?",
                        (query, (content << PIECE_BITS) + number),
                    ).fetchone()
                ):
                    return True
        return False

    def entries(self, db: Connection) -> Entries:
        """
        All that is in it.
        """
        return Entries(db)

    def removed(self, db: Connection, contents: list[int]) -> None:
        """
        Note that some contents are gone; when they are most of what there was, begin again.

        @param contents: they and their texts are gone already.
        """
        if not self.usable:
            return
        state = _load(db)
        gone = state.gone + sum(each <= state.done for each in contents)
        # They are counted now and then, which takes a while.
        if gone // _MIN_GONE > state.gone // _MIN_GONE:
            (left,) = db.execute("SELECT count(*) FROM contents").fetchone()
            if gone * _GONE_PART > gone + left:
                self.reset(db)
                return
        pieces = 0 if state.pieces and _partlyGone(db, state.done, contents) else state.pieces
        if (gone, pieces) != (state.gone, state.pieces):
            _save(db, state._replace(gone=gone, pieces=pieces))

    def candidates(self, db: Connection, text: str) -> Candidates | None:
        """
        The contents that may hold a folded text; C{None} when the index cannot tell: the
        text is too short, or is in too many.
        """
        if not self.usable:
            return None
        window = text[:_WINDOW]
        grams = {window[at : at + GRAM] for at in range(len(window) - GRAM + 1)}
        query = _query(grams)
        if not query:
            return None
        found = db.execute(
            "SELECT rowid FROM text_index WHERE text_index MATCH ? LIMIT ?", (query, _MAX_FOUND + 1)
        ).fetchall()
        if len(found) > _MAX_FOUND:
            return None
        return Candidates(frozenset(rowid >> PIECE_BITS for (rowid,) in found), _load(db).done)


class Entries(AbstractContextManager["Entries"]):
    """
    All entries of the index, to be walked through while this is open.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db

    def __enter__(self) -> Entries:
        # What only reads may have something of its own all the same, which is gone with the connection.
        (is_reader,) = self._db.execute("PRAGMA query_only").fetchone()
        self._db.execute("PRAGMA query_only = OFF")
        self._db.execute("CREATE VIRTUAL TABLE temp.entries USING fts5vocab(main, text_index, instance)")
        self._db.execute(f"PRAGMA query_only = {is_reader}")
        return self

    def __exit__(self, *_: object) -> None:
        (is_reader,) = self._db.execute("PRAGMA query_only").fetchone()
        self._db.execute("PRAGMA query_only = OFF")
        self._db.execute("DROP TABLE temp.entries")
        self._db.execute(f"PRAGMA query_only = {is_reader}")

    def after(self, term: str, low: int, high: int) -> Iterator[tuple[str, str]]:
        """
        Pieces of three characters behind one, in order, with the rowids of the texts that have them, as
        numbers with commas between.

        @param low: the first rowid that is wanted.
        @param high: the last one.
        """
        return iter(
            self._db.execute(
                "SELECT term, group_concat(doc) FROM temp.entries"
                " WHERE term > ? AND doc BETWEEN ? AND ? GROUP BY term",
                (term, low, high),
            )
        )


def _partlyGone(db: Connection, done: int, contents: list[int]) -> bool:
    """
    Whether the content after C{done}, some of whose pieces are in the index, is among those
    that are gone: the pieces of the one that is next now are not.
    """
    (next_one,) = db.execute("SELECT min(id) FROM texts WHERE id > ?", (done,)).fetchone()
    return any(each > done and (next_one is None or each < next_one) for each in contents)


def _query(grams: Iterable[str]) -> str:
    """
    What asks the index for all of some pieces of three characters; empty for none that can be asked for.
    """
    usable = [each for each in grams if "\0" not in each and each.isprintable()]
    return " AND ".join('"' + each.replace('"', '""') + '"' for each in usable)


def pieces(texts: list[str]) -> list[str]:
    """
    Texts in pieces that overlap.
    """
    found: list[str] = []
    for text in texts:
        # FTS5 reads no further than a NUL.
        text = text.replace("\0", " ")
        at = 0
        while at < len(text):
            found.append(text[at : at + _PIECE])
            if at + _PIECE >= len(text):
                break
            at += _PIECE - _WINDOW
    return found


def _load(db: Connection) -> _State:
    row = db.execute("SELECT value FROM meta WHERE key = 'indexed'").fetchone()
    if row is None:
        raise StoreFault("what is indexed is not told")
    if not row[0]:
        return _State(0, 0, 0, 0)
    return _State(*map(int, row[0].split(".")))


def _save(db: Connection, state: _State) -> None:
    db.execute("UPDATE meta SET value = ? WHERE key = 'indexed'", (".".join(map(str, state)),))


def _hasTrigrams(db: Connection) -> bool:
    version: str = db.execute("SELECT sqlite_version()").fetchone()[0]
    if tuple(map(int, version.split(".")[:2])) < (3, 34):
        return False
    found: int = db.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()[0]
    return bool(found)
