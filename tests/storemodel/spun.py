"""
A store behind channels of a real reactor, which goes round only while somebody waits.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.pollreactor import PollReactor
from twisted.python.failure import Failure

from mailstore.ipc.client import RemoteStore
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.server import StoreServer
from mailstore.ipc.service import StoreClientService, StoreServerService
from transports.description import transportFor

#: Turns of the reactor after which something hangs; none takes longer than L{_TURN} seconds.
_MOST = 100_000
_TURN = 0.001

_reactor: Any = None


def privateReactor() -> Any:
    """
    A reactor that is not the one of the tests; always the same.
    """
    global _reactor
    if _reactor is None:
        _reactor = PollReactor()
    return _reactor


class Spun:
    """
    A store, its server and one front end, over a transport that has its own ways in the kernel.
    """

    def __init__(self, store: Any, description: str, limits: IpcLimits) -> None:
        """
        @param store: changes in groups by the clock of L{privateReactor}, if at all.
        """
        reactor = self._reactor = privateReactor()
        transport = transportFor(description, reactor)
        self._server = StoreServer(store, limits, reactor)
        self._listening = StoreServerService(transport, self._server)
        self.remote = RemoteStore(limits, reactor)
        self._connecting = StoreClientService(transport, self.remote, reactor, limits)
        self._listening.startService()
        self._wait(self._listening.whenListening())
        self._connecting.startService()
        self._wait(self.remote.whenReady())

    def settle(self) -> None:
        """
        Let the reactor go round until nothing is under way.
        """
        for _ in range(_MOST):
            if self._atRest():
                return
            self._reactor.iterate(_TURN)
        raise AssertionError("the reactor does not come to rest")

    def _atRest(self) -> bool:
        reactor = self._reactor
        if any(each.getTime() <= reactor.seconds() for each in reactor.getDelayedCalls()):
            return False
        return not (
            self.remote.calls
            or any(each.calls or each.backlog for each in self._server.front_ends)
            or self.remote.statistics().blocks_allocated
            or self._server.statistics().blocks_allocated
        )

    def _wait(self, event: Deferred[Any]) -> None:
        results: list[Any] = []
        event.addBoth(results.append)
        for _ in range(_MOST):
            if results:
                break
            self._reactor.iterate(_TURN)
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()

    def close(self) -> None:
        """
        Give everything back.
        """
        self._wait(DeferredList([self._connecting.stopService(), self._listening.stopService()]))
