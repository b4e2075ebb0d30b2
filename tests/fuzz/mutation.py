"""
Makes new inputs from examples.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

#: Bytes that mean something somewhere.
_TELLING: Final = b'\0\r\n \t"\\(){}[]<>%*,:;.+-=&~$@/?!0129azAZ\x7f\x80\xc3\xff'

#: Numbers at the edges of what is allowed.
_NUMBERS: Final = (
    *(b"%d" % each for each in (0, 1, 2, 9, 63, 1000, 4294967295, 4294967296, (1 << 63) - 1, 1 << 63)),
    *(b"00", b"01", b"-1", b"9" * 40, b"9" * 41),
)

#: Times that something is repeated at most, and bytes that this may make of it.
_MOST_TIMES: Final = 300
_MOST_REPEATED: Final = 4_000


class Mutator:
    """
    Makes one input after the other out of examples.

    @param examples: at least one.
    @param tokens: what is put in between, beside single bytes and numbers.
    @param limit: bytes of an input at most.
    """

    def __init__(self, examples: Sequence[bytes], tokens: Sequence[bytes], limit: int) -> None:
        self._examples = examples
        self._tokens = tokens
        self._limit = limit
        self._steps: tuple[Callable[[random.Random, bytearray], None], ...] = (
            self._replace,
            self._replace,
            self._insert,
            self._insert,
            self._delete,
            self._repeat,
            self._number,
            self._splice,
            self._truncate,
            self._move,
        )

    def make(self, rng: random.Random) -> bytes:
        """
        An example with up to a dozen changes; rarely none, rarely nothing but random bytes.
        """
        if rng.random() < 0.03:
            return rng.randbytes(rng.randrange(min(200, self._limit)))
        data = bytearray(rng.choice(self._examples))
        for _ in range(min(int(rng.expovariate(0.4)), 12)):
            rng.choice(self._steps)(rng, data)
            del data[self._limit :]
        return bytes(data)

    def _piece(self, rng: random.Random) -> bytes:
        kind = rng.random()
        if kind < 0.4:
            return rng.choice(self._tokens)
        if kind < 0.8:
            return bytes([rng.choice(_TELLING)])
        return rng.randbytes(rng.randrange(1, 5))

    def _range(self, rng: random.Random, data: bytearray) -> tuple[int, int]:
        start = rng.randrange(len(data) + 1)
        return start, min(len(data), start + int(rng.expovariate(0.1)))

    def _replace(self, rng: random.Random, data: bytearray) -> None:
        if data:
            at = rng.randrange(len(data))
            piece = self._piece(rng)
            data[at : at + len(piece)] = piece

    def _insert(self, rng: random.Random, data: bytearray) -> None:
        at = rng.randrange(len(data) + 1)
        data[at:at] = self._piece(rng)

    def _delete(self, rng: random.Random, data: bytearray) -> None:
        start, end = self._range(rng, data)
        del data[start:end]

    def _repeat(self, rng: random.Random, data: bytearray) -> None:
        start, end = self._range(rng, data)
        piece = bytes(data[start:end])
        if piece:
            times = min(rng.randrange(2, _MOST_TIMES), _MOST_REPEATED // len(piece) + 1)
            data[end:end] = piece * times

    def _number(self, rng: random.Random, data: bytearray) -> None:
        digits = [at for at, byte in enumerate(data[:2_000]) if 0x30 <= byte <= 0x39]
        if digits:
            start = end = rng.choice(digits)
            while end < len(data) and 0x30 <= data[end] <= 0x39:
                end += 1
            data[start:end] = rng.choice(_NUMBERS)

    def _splice(self, rng: random.Random, data: bytearray) -> None:
        other = rng.choice(self._examples)
        start = rng.randrange(len(other) + 1)
        at = rng.randrange(len(data) + 1)
        data[at:] = other[start:]

    def _truncate(self, rng: random.Random, data: bytearray) -> None:
        del data[rng.randrange(len(data) + 1) :]

    def _move(self, rng: random.Random, data: bytearray) -> None:
        start, end = self._range(rng, data)
        piece = bytes(data[start:end])
        del data[start:end]
        at = rng.randrange(len(data) + 1)
        data[at:at] = piece
