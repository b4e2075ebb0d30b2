"""
FETCH responses as they were rendered, shared by all sessions of a front end that are to say the same.

What is kept belongs to everything that it was made of: the messages' numbers and all that the store just
said of them.  So nothing is ever out of date: another answer of the store is another key, and what
nobody asks for any more is the first to go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.lru import Cache

if TYPE_CHECKING:
    from mailstore.imap.limits import ImapLimits

#: Bytes that an entry costs beside what it holds.
_ENTRY_COST = 800

#: Messages of one batch for which it is worth while to look.
_LEAST = 16

#: What lines were made of.
Source = tuple[object, ...]


def _cost(source: Source, lines: bytes) -> int:
    return _ENTRY_COST + len(lines) + sum(len(each) for each in source if isinstance(each, bytes))


class SharedLines:
    """
    The lines that one front end keeps.
    """

    def __init__(self, limits: ImapLimits) -> None:
        self._lines: Cache[Source, bytes] = Cache(limits.max_shared_lines)

    @property
    def cost(self) -> int:
        """
        Bytes that all that is kept has, by estimate.
        """
        return self._lines.cost

    def isWorthWhile(self, messages: int) -> bool:
        """
        Whether the responses for so many messages are to be kept.
        """
        return messages >= _LEAST and self._lines.capacity > 0

    def get(self, source: Source) -> bytes | None:
        """
        The lines made of this, if they are kept.
        """
        return self._lines.get(source)

    def add(self, source: Source, lines: bytes) -> None:
        """
        Keep lines; what was used longest ago goes for them.
        """
        self._lines.put(source, lines, _cost(source, lines))

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._lines.clear()
