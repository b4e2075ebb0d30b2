"""
What a fuzz target is.
"""

from __future__ import annotations

import random
from typing import ClassVar


class Broken(Exception):
    """
    Something that must hold did not.  Its argument says what, for a person.
    """


class Target:
    """
    Something that takes any bytes.

    @cvar name: what it is called on the command line.
    @cvar era: inputs that share what they leave behind; a failure is reproduced from the first of them on.
    """

    name: ClassVar[str]
    era: ClassVar[int] = 1

    def renew(self) -> None:
        """
        Forget all inputs before: a new era begins.
        """

    def close(self) -> None:
        """
        There are no more inputs.
        """

    def make(self, rng: random.Random) -> bytes:
        """
        An input.
        """
        raise NotImplementedError

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        Give it one input, and check what must hold.

        @param rng: for what else is to be decided, such as in what pieces it comes.
        @raise Exception: something did not hold.
        """
        raise NotImplementedError


def check(holds: bool, what: str) -> None:
    """
    @raise Broken: if it does not hold.
    """
    if not holds:
        raise Broken(what)
