"""
What a check finds, and what it says of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from mailstore.engine.connection import Connection

if TYPE_CHECKING:
    from mailstore.engine.checking.context import Context

#: Findings of one kind that are told one by one; more are only counted.
MOST_TOLD = 1000


@attrs.frozen
class Finding:
    """
    Something in a store that contradicts something else in it.
    """

    #: What is wrong, as a word that programs can know it by: C{"folder-counts"}.
    kind: str
    #: What it is about, as its user knows it.
    where: str
    #: What is wrong with it.
    problem: str
    #: What mending it does, or did; C{""} when it cannot be mended without losing mail.
    remedy: str = ""
    #: It is as it should be again.
    mended: bool = False


@attrs.frozen
class Fault:
    """
    A L{Finding} with what mends it.
    """

    kind: str
    where: str
    problem: str
    remedy: str = ""
    #: Mends it, in the write transaction in which it was found.
    mend: Callable[[Connection], object] | None = None
    #: The content that it is about; 0 for none.
    content: int = 0

    @property
    def key(self) -> tuple[str, int | str]:
        """
        The same whenever the same is found again.
        """
        return self.kind, self.content or self.where

    def finding(self, mended: bool = False) -> Finding:
        """
        What is said of it.
        """
        return Finding(self.kind, self.where, self.problem, self.remedy if self.mend else "", mended)


def counted(number: int, word: str) -> str:
    """
    C{"1 message"}, C{"2 messages"}.
    """
    return f"{number} {word}{'' if number == 1 else 's'}"


class Execute:
    """
    Mends by one statement.
    """

    def __init__(self, statement: str, *operands: object) -> None:
        self._statement = statement
        self._operands = operands

    def __call__(self, db: Connection) -> None:
        db.execute(self._statement, self._operands)


#: Looks through a store.  C{None} in between means that nothing depends on what was read before: another
#: moment of the store may be read from here on.
Find = Callable[["Context"], Iterator[Fault | None]]

#: Looks at one content.
FindOne = Callable[["Context", int], Iterator[Fault]]


@attrs.frozen
class Check:
    """
    One of the things that are looked at.
    """

    #: What is looked at, for whoever waits.
    title: str
    find: Find
    #: For checks that take long, which must not be made within a write transaction:
    #: looks again at one content that a fault was about.
    find_one: FindOne | None = None


@attrs.define
class Report:
    """
    All that was found.
    """

    #: At most L{MOST_TOLD} of each kind.
    findings: list[Finding] = attrs.field(factory=list)
    #: By kind, how many were found, and how many of them were mended.
    found: Counter[str] = attrs.field(factory=Counter)
    mended: Counter[str] = attrs.field(factory=Counter)

    def add(self, finding: Finding) -> None:
        """
        Note a finding.
        """
        self.found[finding.kind] += 1
        if finding.mended:
            self.mended[finding.kind] += 1
        if self.found[finding.kind] <= MOST_TOLD:
            self.findings.append(finding)

    @property
    def left(self) -> int:
        """
        How much is still wrong.
        """
        return self.found.total() - self.mended.total()
