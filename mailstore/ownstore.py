"""
The way to the store in a child process, and to no other store.

When another server uses the same place by mistake, the child cannot listen
there; whoever connected all the same would reach that server's store, with its users
and its mail.  So the front end connects only while its own child says that it listens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail
from zope.interface import implementer

from mailstore.supervisor import StoreProcess
from transports.errors import CannotListen
from transports.interfaces import IChannel, IListener, IReceiver, ITransport


@implementer(ITransport)
class OwnStore:
    """
    The way to the store in a child process, and to no other store.
    """

    crosses_processes = True

    def __init__(self, transport: ITransport, child: StoreProcess) -> None:
        """
        @param transport: where the child listens.
        """
        self._transport = transport
        self._child = child
        self.limits = transport.limits

    @property
    def description(self) -> str:
        """
        See L{ITransport}.
        """
        return self._transport.description

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen}; that is the child's part.

        @raise CannotListen: (as a failure) always.
        """
        return fail(CannotListen(f"{self.description} is the child's place"))

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect}; waits until the child listens.
        """
        return self._child.whenListening().addCallback(self._connect, receiver)

    def _connect(self, port: int, receiver: IReceiver) -> Deferred[IChannel]:
        transport: Any = self._transport
        if port:
            # It may have been asked for any free port, and then each child chooses anew.
            transport.port = port
        connecting: Deferred[IChannel] = transport.connect(receiver)
        return connecting
