"""
What FETCH says of messages and never changes, rendered once and shared by all sessions of a front end.

  - What is kept of a message is the text of its lasting items, without its number and flags; it
    belongs to the folder's identity, the UID and the items, and never to a user.
  - Keeping it decides nothing.  For each FETCH the store says, as ever, which messages
    there are and that the user may read them; only what they say is not asked for again.
  - All that is kept has a bound, C{limits.max_shared_texts}; what was used longest ago goes
    first, all texts of a folder for the same items at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.wire.values import FetchItems

#: Bytes that a text costs beside its own.
_TEXT_COST = 120

#: The same of what is kept for one folder and some items.
_GROUP_COST = 1000

#: Messages of one FETCH for which it is worth while to look.
_LEAST = 8

#: Bytes of all texts of one FETCH, by estimate of each: of a bigger one, those that are needed
#: again would have gone before its end.
_ESTIMATE = 1024


@attrs.frozen
class TextsOf:
    """
    What texts belong to.
    """

    folder: int
    uid_validity: int
    items: FetchItems

    @property
    def cost(self) -> int:
        """
        Bytes that it has, about.
        """
        return _GROUP_COST + sum(len(getattr(item, "label", b"")) for item in self.items)


class SharedTexts:
    """
    The texts that one front end keeps.
    """

    def __init__(self, limits: ImapLimits) -> None:
        self._most = limits.max_shared_texts
        self._groups: OrderedDict[TextsOf, dict[int, bytes]] = OrderedDict()
        self._costs: dict[TextsOf, int] = {}
        self._cost = 0

    @property
    def cost(self) -> int:
        """
        Bytes that all that is kept has, by estimate.
        """
        return self._cost

    def isWorthWhile(self, messages: int) -> bool:
        """
        Whether a FETCH of so many messages is to use what is kept.
        """
        return messages >= _LEAST and messages * _ESTIMATE <= self._most

    def of(self, which: TextsOf) -> dict[int, bytes]:
        """
        The texts that there are, by UID.  They are not to be changed but by L{add}.
        """
        found = self._groups.get(which)
        if found is None:
            return {}
        self._groups.move_to_end(which)
        return found

    def add(self, which: TextsOf, texts: Iterable[tuple[int, bytes]]) -> dict[int, bytes]:
        """
        Keep more.

        @return: all that are kept now; what was just given is among them, though it may be
            kept no longer than it is used now.
        """
        group = self._groups.get(which)
        if group is None:
            group = self._groups[which] = {}
            self._costs[which] = which.cost
            self._cost += which.cost
        self._groups.move_to_end(which)
        added = 0
        for uid, text in texts:
            if uid not in group:
                added += len(text) + _TEXT_COST
                group[uid] = text
        self._costs[which] += added
        self._cost += added
        while self._cost > self._most:
            gone, _ = self._groups.popitem(last=False)
            self._cost -= self._costs.pop(gone)
        return group

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._groups.clear()
        self._costs.clear()
        self._cost = 0
