"""
What is kept of searches for texts, for the next who looks for the same.

A content never changes and its id is never used again.  So which content a message is, and
whether a content holds a text, are facts: they are the same for every user, folder and time, and only
which messages there are, and who may read them, is asked each time.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import TypeAlias

import attrs

from mailstore.engine.connection import Connection
from mailstore.engine.places import FolderRow
from mailstore.engine.snapshot import Snapshot
from mailstore.lru import Cache
from mailstore.model import uint64s

#: What is looked for where: the criterion, the field and the folded text.
Question: TypeAlias = tuple[str, str, str]

#: Bytes that a question costs beside its words, and that an answer costs.
_QUESTION_COST, _ANSWER_COST = 500, 100

_CONTENTS = "SELECT content FROM messages WHERE folder = ? AND uid BETWEEN ? AND ? ORDER BY uid"


class Verdicts:
    """
    Which contents hold which texts, as far as that was looked at.
    """

    def __init__(self, capacity: int) -> None:
        """
        @param capacity: bytes that all of it may have, by estimate.
        """
        self._capacity = capacity
        self._answers: OrderedDict[Question, dict[int, bool]] = OrderedDict()
        self.cost = 0

    def of(self, question: Question) -> dict[int, bool]:
        """
        The answers to a question, by content; they are not to be changed but by L{add}.
        """
        found = self._answers.get(question)
        if found is None:
            return {}
        self._answers.move_to_end(question)
        return found

    def add(self, question: Question, answers: dict[int, bool]) -> None:
        """
        Keep answers; what was asked longest ago goes for them.
        """
        known = self._answers.get(question)
        if known is None:
            known = self._answers[question] = {}
            self.cost += _questionCost(question)
        self._answers.move_to_end(question)
        before = len(known)
        known.update(answers)
        self.cost += (len(known) - before) * _ANSWER_COST
        while self.cost > self._capacity:
            gone, forgotten = self._answers.popitem(last=False)
            self.cost -= _questionCost(gone) + len(forgotten) * _ANSWER_COST

    def forget(self) -> None:
        """
        Look at everything again.
        """
        self._answers.clear()
        self.cost = 0


def _questionCost(question: Question) -> int:
    return _QUESTION_COST + sum(map(len, question))


@attrs.define
class _Column:
    #: Of the messages of a folder in their order, all or the first.
    uids: array[int]
    contents: array[int]


class ContentColumns:
    """
    Which contents the messages of folders are.
    """

    def __init__(self, capacity: int) -> None:
        """
        @param capacity: bytes that all of it may have, nearly.
        """
        self._kept: Cache[int, _Column] = Cache(capacity)

    @property
    def cost(self) -> int:
        """
        Bytes that all of it has, nearly.
        """
        return self._kept.cost

    def known(self, row: FolderRow, view: Snapshot) -> int:
        """
        Of how many of the first messages it is known without reading.
        """
        column = self._kept.get(row.id)
        if column is None:
            return 0
        if column.uids is not view.uids:
            count = len(column.contents)
            if column.uids[:count].tobytes() != view.uids[:count].tobytes():
                # Some were expunged.
                self._kept.remove(row.id)
                return 0
            column.uids = view.uids
        return len(column.contents)

    def get(self, db: Connection, row: FolderRow, view: Snapshot, start: int, end: int) -> array[int]:
        """
        The contents of the messages at some positions.
        """
        known = self.known(row, view)
        if known < start:
            # Whoever begins in the middle reads for himself.
            return uint64s(
                content for (content,) in db.execute(_CONTENTS, (row.id, *_ends(view, start, end)))
            )
        column = self._kept.get(row.id) or _Column(view.uids, uint64s())
        if known < end:
            found = db.execute(_CONTENTS, (row.id, *_ends(view, known, end)))
            column.contents.extend(content for (content,) in found)
            self._kept.put(row.id, column, 500 + 12 * len(column.contents))
        return column.contents[start:end]

    def forget(self) -> None:
        """
        Read everything again.
        """
        self._kept.clear()


def _ends(view: Snapshot, start: int, end: int) -> tuple[int, int]:
    return view.uids[start], view.uids[end - 1]
