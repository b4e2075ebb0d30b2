"""
Whole messages as the store serves them, kept by a front end for the next who reads them.

  - A message never changes under its UID, so what is kept of it is never out of date.
  - Keeping it decides nothing.  For each FETCH the store says, as ever, which messages
    there are and that the user may read them; only their bytes are not asked for again.
  - All that is kept has a bound, C{limits.max_shared_contents}, which what is being gathered of large
    messages counts against; what was used longest ago goes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mailstore.lru import Cache

if TYPE_CHECKING:
    from mailstore.imap.limits import ImapLimits

#: Folder, UIDVALIDITY and UID.
Which: TypeAlias = tuple[int, int, int]

#: Bytes that a message costs beside its own.
_COST = 300

#: Bytes of a message that is kept, at most: so many a client that does not read may hold, being gathered.
_LARGEST = 256 << 10

#: What part of the bound one message may have, and what part all that are being gathered.
_ONE, _GATHERED = 8, 16


class SharedContents:
    """
    The messages that one front end keeps.
    """

    def __init__(self, limits: ImapLimits) -> None:
        self._most = limits.max_shared_contents
        #: What is being gathered has its room taken from this.
        self._contents: Cache[Which, bytes] = Cache(self._most)
        self._gathered = 0

    def __contains__(self, which: object) -> bool:
        return which in self._contents

    @property
    def cost(self) -> int:
        """
        Bytes that all that is kept or being gathered has, by estimate.
        """
        return self._contents.cost + self._gathered

    @property
    def on(self) -> bool:
        """
        Whether anything is kept at all.
        """
        return self._most > 0

    def get(self, which: Which) -> bytes | None:
        """
        A message, if it is kept.
        """
        return self._contents.get(which)

    def add(self, which: Which, content: bytes) -> None:
        """
        Keep a message, unless it would take too much of the room.
        """
        if self._fits(len(content)):
            self._contents.put(which, content, len(content) + _COST)

    def gather(self, size: int) -> bool:
        """
        Take room for a message of which the pieces are going to come.

        @return: whether there is some; then it is to be given back by L{gathered}.
        """
        if not self._fits(size) or (self._gathered + size) * _GATHERED > self._most:
            return False
        self.gathered(-size)
        return True

    def gathered(self, size: int) -> None:
        """
        Give back the room for one whose pieces have come, or will not.
        """
        self._gathered -= size
        self._contents.resize(self._most - self._gathered)

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._contents.clear()

    def _fits(self, size: int) -> bool:
        return size <= _LARGEST and (size + _COST) * _ONE <= self._most
