"""
What all sessions of a process share: the store, the bounds, whose addresses
these are, and the counters.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

import attrs

from mailstore.interfaces import IStore
from mailstore.lmtp.commands import Path
from mailstore.lmtp.limits import LmtpLimits
from mailstore.model import Recipient
from mailstore.timings import Timings


def _lowered(names: Iterable[str]) -> frozenset[str]:
    return frozenset(each.lower() for each in names)


@attrs.frozen
class Addressing:
    """
    How an address that no folder has names a user.
    """

    #: Domains whose users are named by what stands before the C{@}; in any case.  C{"*"} is every domain.
    domains: frozenset[str] = attrs.field(default=frozenset(), converter=_lowered)
    #: Between a user's name and that of a folder (C{ann+lists@...}, RFC 5233); C{""} for nothing.
    detail: str = ""

    def recipient(self, path: Path) -> Recipient:
        """
        Whom an address means.
        """
        local = path.local
        whole = unicodedata.normalize("NFC", path.address)
        if path.domain and self.domains.isdisjoint(("*", path.domain.lower())):
            # Of another domain only a user whose name is the whole address.
            return Recipient(whole, whole)
        user, separator, folder = local.partition(self.detail) if self.detail else (local, "", "")
        if not user or not separator:
            user, folder = local, ""
        return Recipient(whole, unicodedata.normalize("NFC", user), folder)


class Courier:
    """
    The one place that counts connections and deliveries.

    @ivar sessions: connections now.
    @ivar turned_away: connections that were one too many.
    @ivar recipients: replies about recipients after a message, by C{"delivered"}, C{"refused"}
        (5xx) or C{"deferred"} (4xx).
    @ivar offered: replies to RCPT, by the same words; C{"accepted"} for 250.
    @ivar timings: how long the store took for each message.
    """

    def __init__(
        self,
        store: IStore,
        limits: LmtpLimits,
        addressing: Addressing,
        host: str,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """
        @param host: what this host calls itself.
        @param clock: seconds that go by.
        @param wall_clock: seconds since 1970.
        """
        self.store = store
        self.limits = limits
        self.addressing = addressing
        self.host = host
        self.clock = clock
        self.wall_clock = wall_clock
        self.sessions = 0
        self.turned_away = 0
        self.recipients: Counter[str] = Counter()
        self.offered: Counter[str] = Counter()
        self.timings = Timings()

    def admit(self) -> bool:
        """
        Count a new connection.

        @return: whether it fits within the bounds; if not, it is not counted.
        """
        if self.sessions >= self.limits.max_connections:
            self.turned_away += 1
            return False
        self.sessions += 1
        return True

    def release(self) -> None:
        """
        A connection that was admitted is over.
        """
        self.sessions -= 1

    def count(self, codes: Iterable[int], seconds: float | None = None) -> None:
        """
        Count what became of a message for its recipients.

        @param seconds: how long the store took; C{None} if it was not asked.
        """
        for code in codes:
            self.recipients["delivered" if code < 300 else "deferred" if code < 500 else "refused"] += 1
        if seconds is not None:
            self.timings.note(seconds)
