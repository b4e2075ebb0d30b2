"""
Searching: which messages of a folder pass a test.

A test is applied to a slice of the folder's messages at a time.  Of a conjunction
the cheap tests come first, so that texts are read only of messages that the
others have left over.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator

import attrs

from mailstore.engine.connection import Connection
from mailstore.engine.fetching import emailId, threadId
from mailstore.engine.flags import Keywords
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow
from mailstore.engine.seen import Views
from mailstore.engine.snapshot import Snapshot
from mailstore.engine.textindex import Candidates, TextIndex
from mailstore.engine.users import Viewer
from mailstore.engine.verdicts import ContentColumns, Question, Verdicts
from mailstore.errors import InvalidRequest
from mailstore.message.text import fold
from mailstore.model import Criterion, SearchTerm, uint32s

#: The proleptic ordinal of 1970-01-01.
_EPOCH_DAY = 719163

#: Messages that one slice passes over when their contents are known already.
_WIDE = 50_000

_DAY = 86400

#: What is read of each message for a criterion, from the rows of m (messages), c (contents) and t (texts).
_VALUES = {
    Criterion.LARGER: "m.size",
    Criterion.SMALLER: "m.size",
    Criterion.RECEIVED_BEFORE: "m.internal_date + 60 * m.zone",
    Criterion.RECEIVED_ON: "m.internal_date + 60 * m.zone",
    Criterion.RECEIVED_SINCE: "m.internal_date + 60 * m.zone",
    Criterion.ARRIVED_BEFORE: "m.internal_date",
    Criterion.ARRIVED_SINCE: "m.internal_date",
    Criterion.SAVED_BEFORE: "m.saved",
    Criterion.SAVED_ON: "m.saved",
    Criterion.SAVED_SINCE: "m.saved",
    Criterion.EMAIL_ID: "c.hash",
    Criterion.THREAD_ID: "c.thread",
    Criterion.SENT_BEFORE: "c.sent_day",
    Criterion.SENT_ON: "c.sent_day",
    Criterion.SENT_SINCE: "c.sent_day",
    Criterion.HEADER: "t.header",
    Criterion.BODY: "t.body",
    Criterion.TEXT: "t.header, t.body, t.parts",
}

_TEXTS = frozenset((Criterion.HEADER, Criterion.BODY, Criterion.TEXT))
_BEFORE = (Criterion.RECEIVED_BEFORE, Criterion.SAVED_BEFORE)
_ON = (Criterion.RECEIVED_ON, Criterion.SAVED_ON)
_SINCE = (Criterion.RECEIVED_SINCE, Criterion.SAVED_SINCE)
_LISTS = frozenset((Criterion.AND, Criterion.OR, Criterion.NOT))


def check(term: SearchTerm, limits: EngineLimits) -> None:
    """
    Refuse a term that makes no sense or is too large.

    @raise InvalidRequest:
    """
    count = 0
    level: list[SearchTerm] = [term]
    depth = 0
    while level:
        depth += 1
        count += len(level)
        if depth > limits.max_search_depth or count > limits.max_search_terms:
            raise InvalidRequest("the search is too complex")
        for each in level:
            _checkOne(each)
        level = [inner for each in level for inner in each.terms]


def _checkOne(term: SearchTerm) -> None:
    criterion = term.criterion
    if term.terms and criterion not in _LISTS:
        raise InvalidRequest(f"a {criterion.value} test is of no other tests")
    if criterion is Criterion.NOT and len(term.terms) != 1:
        raise InvalidRequest("a negation is of one test")
    if criterion is Criterion.UID and term.uids is None:
        raise InvalidRequest("a test for UIDs names none")
    if criterion is Criterion.HEADER and not term.field:
        raise InvalidRequest("a test for a header field names none")
    if criterion is Criterion.FLAG and not term.text:
        raise InvalidRequest("a test for a flag names none")


@attrs.frozen
class _Slice:
    """
    What a test is applied to.
    """

    db: Connection
    row: FolderRow
    view: Snapshot
    keywords: Keywords
    #: When the index is used: by position, those that may hold a text that is looked for.
    contents: dict[int, int]
    verdicts: Verdicts

    def values(self, columns: str, positions: list[int]) -> Iterator[tuple[int, tuple[object, ...]]]:
        """
        Columns of messages, by position, one message at a time.
        """
        statement = f"SELECT {columns} FROM messages m"
        if "c." in columns:
            statement += " JOIN contents c ON c.id = m.content"
        if "t." in columns:
            statement += " JOIN texts t ON t.id = m.content"
        statement += " WHERE m.folder = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid"
        for low, high in _runs(positions):
            found = self.db.execute(statement, (self.row.id, self.view.uids[low], self.view.uids[high - 1]))
            yield from zip(range(low, high), found, strict=True)


def _runs(positions: list[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for at in range(1, len(positions) + 1):
        if at == len(positions) or positions[at] != positions[at - 1] + 1:
            yield positions[start], positions[at - 1] + 1
            start = at


_Test = Callable[[_Slice, list[int]], list[int]]


_Lookup = Callable[[SearchTerm], Candidates | None]


def _compile(term: SearchTerm, lookup: _Lookup) -> tuple[int, _Test]:
    """
    A function that gives those of some positions that pass, and how much it
    costs to ask it: 0 for the snapshot, 1 for columns, 2 for texts.
    """
    criterion = term.criterion
    if criterion in _LISTS:
        inner = sorted((_compile(each, lookup) for each in term.terms), key=lambda pair: pair[0])
        cost = max((each for each, _ in inner), default=0)
        return cost, _COMBINED[criterion]([test for _, test in inner])
    if criterion in _VALUES:
        test = _ofValues(_VALUES[criterion], _predicate(term))
        if criterion not in _TEXTS:
            return 1, test
        candidates = lookup(term)
        return 2, test if candidates is None else _ofCandidates(candidates, _question(term), test)
    return 0, _ofSnapshot(term)


def _all(tests: list[_Test]) -> _Test:
    def test(slice_: _Slice, positions: list[int]) -> list[int]:
        for each in tests:
            if not positions:
                break
            positions = each(slice_, positions)
        return positions

    return test


def _any(tests: list[_Test]) -> _Test:
    def test(slice_: _Slice, positions: list[int]) -> list[int]:
        passed: set[int] = set()
        left = positions
        for each in tests:
            if not left:
                break
            passed.update(each(slice_, left))
            left = [at for at in left if at not in passed]
        return [at for at in positions if at in passed]

    return test


def _none(tests: list[_Test]) -> _Test:
    def test(slice_: _Slice, positions: list[int]) -> list[int]:
        passed = set(tests[0](slice_, positions))
        return [at for at in positions if at not in passed]

    return test


_COMBINED: dict[Criterion, Callable[[list[_Test]], _Test]] = {
    Criterion.AND: _all,
    Criterion.OR: _any,
    Criterion.NOT: _none,
}


def _ofValues(columns: str, passes: Callable[..., bool]) -> _Test:
    def test(slice_: _Slice, positions: list[int]) -> list[int]:
        return [at for at, values in slice_.values(columns, positions) if passes(*values)]

    return test


def _ofCandidates(candidates: Candidates, question: Question, passes: _Test) -> _Test:
    found, indexed = candidates.found, candidates.indexed

    def test(slice_: _Slice, positions: list[int]) -> list[int]:
        contents, known = slice_.contents, slice_.verdicts.of(question)
        may = [at for at in positions if (c := contents.get(at, -1)) in found or c > indexed]
        open_ = [at for at in may if contents[at] not in known]
        answers: dict[int, bool] = {}
        if open_:
            passed = set(passes(slice_, open_))
            answers = {contents[at]: at in passed for at in open_}
            slice_.verdicts.add(question, answers)
        return [at for at in may if answers.get(contents[at]) or known.get(contents[at])]

    return test


def _question(term: SearchTerm) -> Question:
    """
    What a test asks of a text.
    """
    return (term.criterion.value, term.field.lower(), fold(term.text))


def _ofSnapshot(term: SearchTerm) -> _Test:
    criterion = term.criterion

    def test(slice_: _Slice, positions: list[int]) -> list[int]:
        view = slice_.view
        if criterion is Criterion.FLAG:
            bit = slice_.keywords.bit(term.text)
            return [at for at in positions if view.flags[at] & bit]
        if criterion is Criterion.MODSEQ:
            return [at for at in positions if view.modseqs[at] >= term.number]
        if criterion is Criterion.UID:
            uids = array("I", (view.uids[at] for at in positions))
            assert term.uids is not None
            return [bisect_left(view.uids, uid) for uid in term.uids.among(uids)]
        return positions

    return test


def _predicate(term: SearchTerm) -> Callable[..., bool]:
    criterion, number = term.criterion, term.number
    if criterion is Criterion.LARGER:
        return lambda size: bool(size > number)
    if criterion is Criterion.SMALLER:
        return lambda size: bool(size < number)
    if criterion is Criterion.ARRIVED_BEFORE:
        return lambda seconds: bool(seconds < number)
    if criterion is Criterion.ARRIVED_SINCE:
        return lambda seconds: bool(seconds >= number)
    if criterion is Criterion.EMAIL_ID:
        return lambda digest: emailId(digest) == term.text
    if criterion is Criterion.THREAD_ID:
        return lambda thread: thread is not None and threadId(thread) == term.text
    if criterion in _BEFORE:
        return lambda seconds: bool(seconds < (number - _EPOCH_DAY) * _DAY)
    if criterion in _ON:
        return lambda seconds: bool(seconds // _DAY == number - _EPOCH_DAY)
    if criterion in _SINCE:
        return lambda seconds: bool(seconds >= (number - _EPOCH_DAY) * _DAY)
    if criterion is Criterion.SENT_BEFORE:
        return lambda day: day is not None and bool(day < number)
    if criterion is Criterion.SENT_ON:
        return lambda day: bool(day == number)
    if criterion is Criterion.SENT_SINCE:
        return lambda day: day is not None and bool(day >= number)
    text = fold(term.text)
    if criterion is Criterion.HEADER:
        return _fieldTest(f"{term.field.lower()}: ", text)
    if criterion is Criterion.BODY:
        return lambda body: text in body
    return lambda header, body, parts: text in header or text in body or text in parts


def _fieldTest(prefix: str, text: str) -> Callable[[str], bool]:
    def passes(header: str) -> bool:
        if text not in header or prefix not in header:
            return False
        size = len(prefix)
        return any(line.startswith(prefix) and line.find(text, size) >= 0 for line in header.split("\n"))

    return passes


@attrs.frozen
class Memory:
    """
    What searches leave behind for others.
    """

    columns: ContentColumns
    verdicts: Verdicts

    @classmethod
    def of(cls, limits: EngineLimits) -> Memory:
        """
        One within the bounds.
        """
        half = limits.search_cache // 2
        return cls(ContentColumns(half), Verdicts(half))

    def forget(self) -> None:
        """
        Look at everything again.
        """
        self.columns.forget()
        self.verdicts.forget()


class Search:
    """
    One search, slice by slice.
    """

    def __init__(
        self, views: Views, limits: EngineLimits, index: TextIndex, memory: Memory, term: SearchTerm
    ) -> None:
        """
        @raise InvalidRequest: the term makes no sense.
        """
        check(term, limits)
        self._views = views
        self._limits = limits
        self._index = index
        self._memory = memory
        self._term = term
        self._rows = limits.search_rows
        self._test: _Test | None = None
        # Of each test for a text that the index knows of: who may pass it.
        self._candidates: list[tuple[Candidates, Question]] = []
        #: Messages of other contents cannot be found.
        self._must: Candidates | None = None
        self._after = 0

    def _begin(self, db: Connection) -> _Test:
        """
        Ask the index, once for the whole search.
        """
        looked_up: dict[int, Candidates | None] = {}

        def lookup(term: SearchTerm) -> Candidates | None:
            text = fold(term.text)
            if not text and term.criterion is Criterion.HEADER:
                text = f"{term.field.lower()}: "
            found = looked_up[id(term)] = self._index.candidates(db, text)
            if found is None:
                self._rows = self._limits.search_texts
            else:
                self._candidates.append((found, _question(term)))
            return found

        test = _compile(self._term, lookup)[1]
        for each in self._term.terms if self._term.criterion is Criterion.AND else (self._term,):
            candidates = looked_up.get(id(each))
            if candidates and (self._must is None or len(candidates.found) < len(self._must.found)):
                self._must = candidates
        return test

    def batch(self, db: Connection, row: FolderRow, viewer: Viewer) -> bytes | None:
        """
        What the next slice holds; C{None} when there is none.
        """
        if self._test is None:
            self._test = self._begin(db)
        view, _ = self._views.get(db, row, viewer)
        start = bisect_left(view.uids, self._after + 1)
        end = min(start + self._rows, len(view.uids))
        if start >= end:
            return None
        slice_ = _Slice(db, row, view, Keywords.of(row), {}, self._memory.verdicts)
        positions: list[int] | range = range(start, end)
        if self._candidates:
            if self._rows == self._limits.search_rows:
                # To pass over messages whose contents are known takes next to no time.
                known = min(self._memory.columns.known(row, view), start + _WIDE)
                end = max(end, known)
            positions, end = self._withContents(slice_, start, end)
        self._after = view.uids[end - 1]
        found = self._test(slice_, list(positions))
        return uint32s(view.uids[at] for at in found).tobytes()

    def _withContents(self, slice_: _Slice, start: int, end: int) -> tuple[list[int] | range, int]:
        """
        Find out which contents the messages at some positions are.

        @return: the positions that are to be looked at, and where they end: as many as have so many
            texts to be read as is good for one slice.
        """
        contents = self._memory.columns.get(slice_.db, slice_.row, slice_.view, start, end)
        left = self._limits.search_texts
        # All messages of a folder pass here: no call for each of them.
        may: set[int] = set()
        tests = [(each.found, each.indexed, slice_.verdicts.of(asked)) for each, asked in self._candidates]
        for found, indexed, _ in tests:
            may.update(
                [at for at, content in enumerate(contents, start) if content in found or content > indexed]
            )
        for at in sorted(may):
            content = slice_.contents[at] = contents[at - start]
            for found, indexed, known in tests:
                if content not in known and (content in found or content > indexed):
                    left -= 1
                    break
            if not left:
                end = at + 1
                break
        if self._must is None:
            return range(start, end), end
        return sorted(slice_.contents), end
