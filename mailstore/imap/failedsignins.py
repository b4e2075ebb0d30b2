"""
What a front end remembers of failed sign-ins, by network address.

These sentences hold:

  - From one address no more passwords are tried than C{max_failures_per_address}, and one more
    each C{failure_memory} seconds, however many connections it opens: what is being
    looked at counts as failed until it is known to be right.
  - A right password makes nothing forgotten.  Who has one account cannot buy guesses at another with it.
  - No more than C{max_failing_addresses} are remembered; the one that has not failed for the longest time is
    forgotten first.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.waiting import IRuntime, ISignal


def networkOf(address: str) -> str:
    """
    What counts as one address: of IPv6 the /64, which one customer has all of.
    """
    try:
        host = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        # A Unix socket.
        return address
    if isinstance(host, ipaddress.IPv4Address):
        return str(host)
    if host.ipv4_mapped is not None:
        return str(host.ipv4_mapped)
    return str(ipaddress.ip_network((host, 64), strict=False))


class _Waiter:
    """
    Somebody who may try when others have ended.
    """

    def __init__(self, signal: ISignal) -> None:
        self.signal = signal
        self.admitted = False


class FailedSignIns:
    """
    Counts them, and lets in who may try again.
    """

    def __init__(self, runtime: IRuntime, limits: ImapLimits) -> None:
        self._runtime = runtime
        self._limits = limits
        #: By network, the one that failed last at the end: how many, and since when
        #: the next is to be forgotten.
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        #: By network, how many are being looked at.
        self._trying: Counter[str] = Counter()
        #: By network, those whose turn comes when one of these ends, in order.
        self._waiting: dict[str, deque[_Waiter]] = {}

    def __len__(self) -> int:
        """
        How many networks are remembered.
        """
        return len(self._failures)

    def count(self, address: str) -> int:
        """
        How many failed sign-ins of an address's network are remembered.
        """
        return self._count(networkOf(address))[0]

    def _count(self, network: str) -> tuple[int, float]:
        now = self._runtime.seconds()
        count, since = self._failures.get(network, (0, now))
        forgotten = int((now - since) / self._limits.failure_memory)
        if forgotten >= count:
            self._failures.pop(network, None)
            return 0, now
        return count - forgotten, since + forgotten * self._limits.failure_memory

    def _room(self, network: str) -> int:
        """
        How many more may try at once.
        """
        taken = self._count(network)[0] + self._trying.get(network, 0)
        return self._limits.max_failures_per_address - taken

    async def enter(self, address: str) -> bool:
        """
        Somebody wants to try.  Waits while too many others from the same network are at it.

        @return: whether they may; if so, L{leave} must follow.  Else too many have failed.
        """
        network = networkOf(address)
        if network not in self._waiting and self._room(network) > 0:
            self._trying[network] += 1
            return True
        if not self._trying.get(network):
            return False
        waiter = _Waiter(self._runtime.signal())
        self._waiting.setdefault(network, deque()).append(waiter)
        await waiter.signal.wait()
        return waiter.admitted

    def leave(self, address: str, failed: bool) -> None:
        """
        It is known how an attempt ended, or it did not come to an end.
        """
        network = networkOf(address)
        self._trying[network] -= 1
        if failed:
            count, since = self._count(network)
            self._failures[network] = count + 1, since
            self._failures.move_to_end(network)
            if len(self._failures) > self._limits.max_failing_addresses:
                self._failures.popitem(last=False)
        self._admit(network)
        if not self._trying[network]:
            del self._trying[network]

    def _admit(self, network: str) -> None:
        """
        Let in who waits, as far as there is room; turn them away when nobody is left whose
        end could make some.
        """
        waiting = self._waiting.get(network)
        while waiting:
            if self._room(network) > 0:
                waiting[0].admitted = True
                self._trying[network] += 1
            elif self._trying[network]:
                return
            self._runtime.soon(waiting.popleft().signal.fire)
        self._waiting.pop(network, None)
