"""
The size of a queue.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

#: Bytes of bookkeeping charged to every message, the same on every transport,
#: so that the number of blocks a message needs does not depend on the transport.
HEADER_SIZE = 16

#: Capacity when the description does not say otherwise, in blocks.
DEFAULT_BLOCKS = 1024

#: Block size when the description does not say otherwise, in bytes.
DEFAULT_BLOCK_SIZE = 4096


def _within(least: int, most: int) -> Callable[[object, attrs.Attribute[int], int], None]:
    def check(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
        if not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{attribute.name} must be a whole number from {least} to {most}, not {value!r}")

    return check


@attrs.frozen
class Limits:
    """
    How much one direction of a channel can hold.
    """

    #: Bytes in one block.
    block_size: int = attrs.field(default=DEFAULT_BLOCK_SIZE, validator=_within(32, 1 << 24))
    #: Blocks in the queue.
    capacity: int = attrs.field(default=DEFAULT_BLOCKS, validator=_within(1, 1 << 24))

    @property
    def max_message(self) -> int:
        """
        Bytes of the largest message that fits into an empty queue.
        """
        return self.block_size * self.capacity - HEADER_SIZE

    def blocksFor(self, length: int) -> int:
        """
        Blocks that a message of C{length} bytes occupies.
        """
        # HEADER_SIZE is more than 0, so this is 1 at least.
        return -(-(HEADER_SIZE + length) // self.block_size)

    def mismatch(self, place: str, theirs: Limits) -> str:
        """
        Say in a sentence that the peer at C{place} has other limits.
        """
        return (
            f"{place}: this end has {self.capacity} blocks of {self.block_size} bytes, the peer has "
            f"{theirs.capacity} blocks of {theirs.block_size} bytes; both must be configured alike"
        )
