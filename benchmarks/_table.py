"""
Results against gates, printed as a table.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import attrs

#: Width of the first column.
_WIDTH = 52
#: The same where times stand beside each other.
_MATRIX = 30


@attrs.frozen
class Times:
    """
    What several rounds of one contestant took: seconds of one operation, by round.
    """

    #: Seconds, one for each round.
    rounds: Sequence[float]

    @property
    def best(self) -> float:
        """
        The quickest round, in microseconds: what the software needs when nothing else happens.
        """
        return min(self.rounds) * 1e6

    @property
    def median(self) -> float:
        """
        The round in the middle, in microseconds.
        """
        return statistics.median(self.rounds) * 1e6


@attrs.frozen
class Row:
    """
    One line of the table.
    """

    #: What was measured.
    name: str
    #: The result, in C{unit}.
    value: float
    #: "x" for a ratio, "us", "ms".
    unit: str
    #: The value that is still good enough, or C{None} when the line is for information.
    gate: float | None = None
    #: Whether the gate is the least good value, not the most.
    least: bool = False
    #: Whether missing the gate counts.
    counts: bool = True
    #: The figures behind it.
    detail: str = ""

    @property
    def passed(self) -> bool:
        """
        Whether the value is good enough.
        """
        if self.gate is None:
            return True
        return self.value >= self.gate if self.least else self.value <= self.gate

    def line(self) -> str:
        """
        The line as text.
        """
        if self.gate is None:
            gate = verdict = ""
        else:
            gate = f"{'>=' if self.least else '<='} {self.gate:g} {self.unit}"
            verdict = "ok" if self.passed else "FAILED" if self.counts else "missed"
        value = f"{self.value:8.2f} {self.unit:<2}"
        return f"{self.name:<{_WIDTH}} {value} {gate:<10} {verdict:<6} {self.detail}".rstrip()


class Table:
    """
    Prints lines as they come and remembers which gates were missed.

    @ivar failed: names of the lines whose gate was missed where it counts.
    @ivar counts: whether missing a gate counts from now on.
    """

    def __init__(self, slack: float = 1.0) -> None:
        """
        @param slack: how many times wider than written the gates are.
        """
        self.failed: list[str] = []
        self.counts = True
        self._slack = slack
        self._section = ""

    def section(self, title: str) -> None:
        """
        Print a heading for the lines that follow.
        """
        self._section = title
        print(f"\n{title}")

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        gate: float | None = None,
        *,
        least: bool = False,
        detail: str = "",
    ) -> None:
        """
        Print a line.

        @param gate: as written in the contract; the slack is added here.
        """
        if gate is not None:
            gate = gate / self._slack if least else gate * self._slack
        row = Row(name, value, unit, gate, least, self.counts, detail)
        if row.counts and not row.passed:
            self.failed.append(f"{self._section}: {name}")
        print("  " + row.line(), flush=True)

    def ratio(self, name: str, ours: Times, theirs: Times, gate: float | None = None) -> None:
        """
        Print how many times as long C{ours} took as C{theirs}, best against best.
        """
        medians = ours.median / theirs.median
        detail = f"{ours.best:.1f} / {theirs.best:.1f} us; by medians {medians:.2f}"
        self.add(name, ours.best / theirs.best, "x", gate, detail=detail)

    def speedup(self, name: str, ours: Times, theirs: Times, gate: float | None = None) -> None:
        """
        Print how many times as fast C{ours} was as C{theirs}, best against best.
        """
        medians = theirs.median / ours.median
        detail = f"{ours.best:.2f} / {theirs.best:.2f} us; by medians {medians:.1f}"
        self.add(name, theirs.best / ours.best, "x", gate, least=True, detail=detail)

    def matrix(self, heads: Sequence[str], lines: Mapping[str, Sequence[Times | None]]) -> None:
        """
        Print best times in microseconds, medians in brackets.

        @param heads: one for each column.
        @param lines: the figures by name; C{None} where there is none.
        """
        print(f"  {'best (median), us':<{_MATRIX}}" + "".join(f"{head:>20}" for head in heads))
        for name, cells in lines.items():
            texts = ("" if each is None else f"{each.best:.2f} ({each.median:.2f})" for each in cells)
            print(f"  {name:<{_MATRIX}}" + "".join(f"{text:>20}" for text in texts), flush=True)

    def time(self, name: str, times: Times, gate: float | None = None) -> None:
        """
        Print how long one operation takes.
        """
        self.add(name, times.best, "us", gate, detail=f"median {times.median:.1f} us")

    def note(self, text: str) -> None:
        """
        Print a sentence.
        """
        print("  " + text)
