"""
Results against gates.
"""

from __future__ import annotations


class Table:
    """
    Prints results as they come, in Markdown, and remembers what was missed.
    """

    def __init__(self) -> None:
        #: The rows that missed their gates.
        self.missed: list[str] = []

    def head(self, *cells: str) -> None:
        """
        Begin a table.
        """
        print(flush=True)
        self.line(*cells)
        self.line(*("---" for _ in cells))

    def line(self, *cells: str) -> None:
        """
        Print a row that is made already.
        """
        print(f"| {' | '.join(cells)} |", flush=True)

    def judge(self, what: str, value: float, gate: float, least: bool) -> str:
        """
        Hold a result against its gate.

        @param least: whether the gate is the least value allowed, rather than the most.
        @return: how the gate stands in the table.
        """
        passed = value >= gate if least else value <= gate
        if not passed:
            self.missed.append(what)
        return f"{'>=' if least else '<='} {gate:.3g}{'' if passed else ', **missed**'}"

    def row(self, what: str, value: float, unit: str, gate: float, least: bool) -> None:
        """
        Print one result.

        @param least: as in L{judge}.
        """
        self.line(what, f"{value:.2f} {unit}", self.judge(what, value, gate, least))
