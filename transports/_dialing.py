"""
TCP connections: from a host's name and port to a connected or listening socket,
without blocking, in bounded time.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from typing import Any

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IAddress, IHostResolution, IReadWriteDescriptor, IResolutionReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from transports.errors import CannotConnect, CannotListen

#: Seconds from the name to the connected socket, for all addresses together; also
#: for finding the address to listen at.
CONNECT_DEADLINE = 10.0

#: Seconds that one address may take when it is not the last.
ADDRESS_DEADLINE = 3.0

#: Addresses of one name that are tried.
MOST_ADDRESSES = 8

#: Seconds of silence after which the other host is asked whether it is alive,
#: seconds between two such questions, and how many it may leave unanswered.
KEEPALIVE = (10, 5, 3)

#: Seconds after which a host that confirms nothing of what was sent to it, or
#: has no room for it, is given up.
USER_TIMEOUT = 30

#: Connections that may wait to be accepted.
_BACKLOG = 128


@attrs.frozen
class Address:
    """
    Where a TCP socket can be bound or connected to.
    """

    family: socket.AddressFamily
    #: As the C{socket} module has it.
    name: tuple[Any, ...]

    def __str__(self) -> str:
        return str(self.name[0])


def isLoopback(host: str) -> bool:
    """
    Whether a host, by what it is called alone, is this machine and nothing else.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _literal(host: str, port: int) -> list[Address]:
    """
    The addresses of a host that need no looking up: it is one, or C{localhost}.
    """
    if host.lower() == "localhost":
        return [*_literal("127.0.0.1", port), *_literal("::1", port)]
    try:
        ipaddress.ip_address(host)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (ValueError, OSError):
        return []
    return [Address(family, name) for family, _, _, _, name in found]


@implementer(IResolutionReceiver)
class _Resolution:
    """
    Collects the addresses of one name.
    """

    def __init__(self) -> None:
        self.addresses: list[Address] = []
        self.done: Deferred[list[Address]] = Deferred(self._cancel)
        self._cancelled = False

    def _cancel(self, done: Deferred[list[Address]]) -> None:
        # A look-up that runs in a thread cannot be stopped; its result is not wanted any more.
        self._cancelled = True

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """
        See L{IResolutionReceiver}.
        """

    def addressResolved(self, address: IAddress) -> None:
        """
        See L{IResolutionReceiver}.
        """
        if len(self.addresses) >= MOST_ADDRESSES:
            return
        if isinstance(address, IPv4Address):
            self.addresses.append(Address(socket.AF_INET, (address.host, address.port)))
        elif isinstance(address, IPv6Address):
            name = (address.host, address.port, address.flowInfo, address.scopeID)
            self.addresses.append(Address(socket.AF_INET6, name))

    def resolutionComplete(self) -> None:
        """
        See L{IResolutionReceiver}.
        """
        if not self._cancelled:
            self.done.callback(self.addresses)


def addressesOf(reactor: Any, host: str, port: int) -> Deferred[list[Address]]:
    """
    Look a host up, with the reactor's resolver if it is a name.

    @return: fires with at most L{MOST_ADDRESSES}; none if nobody knows the name.
    """
    resolution = _Resolution()
    literal = _literal(host, port)
    if literal:
        resolution.done.callback(literal)
    else:
        reactor.nameResolver.resolveHostName(resolution, host, port)
    return resolution.done


def configure(connected: socket.socket) -> None:
    """
    Make a TCP connection fit for a channel: nothing waits for more to be sent,
    and a host that has died is noticed.

    @raise OSError: it is broken already.
    """
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle, interval, count = KEEPALIVE
    for name, value in (
        ("TCP_KEEPIDLE", idle),
        ("TCP_KEEPALIVE", idle),  # macOS's name for it
        ("TCP_KEEPINTVL", interval),
        ("TCP_KEEPCNT", count),
        ("TCP_USER_TIMEOUT", USER_TIMEOUT * 1000),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def _reason(code: int) -> str:
    return "nobody listens there" if code == errno.ECONNREFUSED else os.strerror(code)


@implementer(IReadWriteDescriptor)
class _Attempt:
    """
    One socket on its way to one address.
    """

    def __init__(self, reactor: Any, address: Address) -> None:
        self._reactor = reactor
        self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        self._result: Deferred[socket.socket] | None = None
        self._address = address

    def start(self) -> Deferred[socket.socket]:
        """
        Connect.

        @return: fires with the socket, or fails with L{OSError}.  Cancelling
            it closes the socket.
        """
        result: Deferred[socket.socket] = Deferred(lambda _: self._stop().close())
        self._result = result
        self._socket.setblocking(False)
        code = self._socket.connect_ex(self._address.name)
        if code in (errno.EINPROGRESS, errno.EINTR):
            self._reactor.addWriter(self)
        else:
            self._finish(code)
        return result

    def _stop(self) -> socket.socket:
        self._result = None
        self._reactor.removeWriter(self)
        return self._socket

    def _finish(self, code: int) -> None:
        result = self._result
        if result is None:
            return
        connected = self._stop()
        try:
            if code:
                raise OSError(code, _reason(code))
            if connected.getsockname() == connected.getpeername():
                # Nobody listens, and chance gave our end the very port it was to connect to.
                raise OSError(errno.ECONNREFUSED, _reason(errno.ECONNREFUSED))
            configure(connected)
        except OSError as error:
            connected.close()
            result.errback(error)
        else:
            result.callback(connected)

    def doWrite(self) -> None:
        """
        It is connected, or has failed.
        """
        if self._result is not None:
            self._finish(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    doRead = doWrite

    def connectionLost(self, reason: Failure) -> None:
        """
        It has failed, or the reactor is being stopped.
        """
        if self._result is not None:
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._finish(code or errno.ECONNABORTED)

    def fileno(self) -> int:
        """
        The number of the socket; -1 when it is closed.
        """
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """
        What the reactor calls this in the log.
        """
        return "connecting of a channel"


def dial(reactor: Any, host: str, port: int) -> Deferred[socket.socket]:
    """
    Connect to the first address of a host that answers.

    @return: fires with a non-blocking socket.  Cancelling it gives up.
    @raise CannotConnect: (as a failure) none answers; the message says why.
    """

    def late(result: object, timeout: float | None) -> socket.socket:
        raise CannotConnect(f"no connection within {timeout} seconds")

    trying = Deferred.fromCoroutine(_dial(reactor, host, port))
    return trying.addTimeout(CONNECT_DEADLINE, reactor, onTimeoutCancel=late)


async def _dial(reactor: Any, host: str, port: int) -> socket.socket:
    addresses = await addressesOf(reactor, host, port)
    if not addresses:
        raise CannotConnect(f"nobody knows the host {host}")
    failures: list[str] = []
    for number, address in enumerate(addresses, 1):
        try:
            attempt = _Attempt(reactor, address).start()
            if number < len(addresses):
                attempt.addTimeout(ADDRESS_DEADLINE, reactor)
            return await attempt
        except TimeoutError:
            why = f"no answer within {ADDRESS_DEADLINE} seconds"
        except OSError as error:
            why = error.strerror or str(error)
        failures.append(f"{address}: {why}" if len(addresses) > 1 else why)
    raise CannotConnect("; ".join(failures))


async def openPort(reactor: Any, host: str, port: int) -> socket.socket:
    """
    Listen at the first address of a host that this machine has.

    @param port: 0 for a free one.
    @return: a non-blocking listening socket.
    @raise CannotListen: the message says why.
    """
    looking = addressesOf(reactor, host, port)
    try:
        addresses = await looking.addTimeout(CONNECT_DEADLINE, reactor)
    except TimeoutError as error:
        raise CannotListen(f"nobody said within {CONNECT_DEADLINE} seconds where {host} is") from error
    if not addresses:
        raise CannotListen(f"nobody knows the host {host}")
    failures: list[str] = []
    for address in addresses:
        try:
            return _listenAt(address)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "somebody listens there already" if taken else error.strerror or str(error)
        failures.append(f"{address}: {why}" if len(addresses) > 1 else why)
    raise CannotListen("; ".join(failures))


def _listenAt(address: Address) -> socket.socket:
    listening = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address.name)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
        return listening
    except BaseException:
        listening.close()
        raise
