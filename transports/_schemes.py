"""
The kinds of transport that come with this package, as descriptions name them.

========================  =====================================================
C{memory:NAME}            C{NAME} may be empty
C{unix:PATH}              C{spin=MICROSECONDS}
C{shm:PATH}               C{spin=MICROSECONDS}, C{portable=yes|no}
C{tcp:HOST:PORT}          C{spin=MICROSECONDS}, C{certificate=FILE},
                          C{key=FILE}, C{ca=FILE}, C{peer=NAME}
========================  =====================================================
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from zope.interface import implementer

from transports._place import LONGEST_PATH
from transports.errors import BadDescription
from transports.interfaces import ITransport, ITransportScheme
from transports.limits import Limits
from transports.memory import MemoryTransport
from transports.sharedmemory import SharedMemoryTransport
from transports.sockets import TcpTransport, UnixTransport
from transports.tls import TlsCredentials

#: Microseconds that a channel may be asked to spin.
MOST_SPIN = 1000

#: What a number looks like in a description.
NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)

#: The options that make TLS; there are all of them, or none.
_TLS_OPTIONS = ("certificate", "key", "ca")
_ALL_TLS = "certificate, key and ca"


def _number(what: str, text: str, most: int) -> int:
    if NUMBER.fullmatch(text) is None or int(text) > most:
        raise BadDescription(f"{what} must be a whole number from 0 to {most}, not {text!r}")
    return int(text)


def _spin(scheme: str, options: Mapping[str, str]) -> float | None:
    """
    The option C{spin}, in seconds; C{None} if it is not given.
    """
    if "spin" not in options:
        return None
    return _number(f"{scheme}: spin (microseconds)", options["spin"], MOST_SPIN) / 1_000_000


def _path(scheme: str, arguments: tuple[str, ...]) -> str:
    """
    The one argument of a scheme whose place is a socket in the file system.
    """
    path = arguments[0]
    if len(arguments) > 1:
        raise BadDescription(f"{scheme}: takes one path; write a colon that belongs to it as \\:")
    if not path or "\0" in path:
        raise BadDescription(f"{scheme}: needs a path: {scheme}:PATH")
    try:
        length = len(os.fsencode(path))
    except UnicodeEncodeError as error:
        raise BadDescription(f"{scheme}: no file can have such a name: {path!r}") from error
    if length > LONGEST_PATH:
        raise BadDescription(
            f"{scheme}: the path has {length} bytes, a socket's path can have {LONGEST_PATH} at most: {path}"
        )
    return path


@implementer(ITransportScheme)
class MemoryScheme:
    """
    C{memory:} and C{memory:NAME}.
    """

    scheme = "memory"
    form = "memory:NAME"
    options: tuple[str, ...] = ()

    def makeTransport(
        self, arguments: tuple[str, ...], options: Mapping[str, str], limits: Limits, reactor: Any
    ) -> ITransport:
        """
        See L{ITransportScheme.makeTransport<transports.interfaces.ITransportScheme>}.
        """
        if len(arguments) > 1:
            raise BadDescription("memory: takes one name at most; write a colon that belongs to it as \\:")
        return MemoryTransport(reactor, limits, arguments[0])


@implementer(ITransportScheme)
class UnixScheme:
    """
    C{unix:PATH}.
    """

    scheme = "unix"
    form = "unix:PATH"
    options = ("spin",)

    def makeTransport(
        self, arguments: tuple[str, ...], options: Mapping[str, str], limits: Limits, reactor: Any
    ) -> ITransport:
        """
        See L{ITransportScheme.makeTransport<transports.interfaces.ITransportScheme>}.
        """
        path = _path(self.scheme, arguments)
        return UnixTransport(reactor, path, limits, spin=_spin(self.scheme, options))


@implementer(ITransportScheme)
class SharedMemoryScheme:
    """
    C{shm:PATH}.
    """

    scheme = "shm"
    form = "shm:PATH"
    options = ("portable", "spin")

    def makeTransport(
        self, arguments: tuple[str, ...], options: Mapping[str, str], limits: Limits, reactor: Any
    ) -> ITransport:
        """
        See L{ITransportScheme.makeTransport<transports.interfaces.ITransportScheme>}.
        """
        path = _path(self.scheme, arguments)
        portable = options.get("portable", "no")
        if portable not in ("yes", "no"):
            raise BadDescription(f"shm: portable must be yes or no, not {portable!r}")
        return SharedMemoryTransport(
            reactor, path, limits, portable=portable == "yes", spin=_spin(self.scheme, options)
        )


@implementer(ITransportScheme)
class TcpScheme:
    """
    C{tcp:HOST:PORT}.
    """

    scheme = "tcp"
    form = "tcp:HOST:PORT"
    options = (*_TLS_OPTIONS, "peer", "spin")

    def makeTransport(
        self, arguments: tuple[str, ...], options: Mapping[str, str], limits: Limits, reactor: Any
    ) -> ITransport:
        """
        See L{ITransportScheme.makeTransport<transports.interfaces.ITransportScheme>}.
        """
        if len(arguments) > 2:
            raise BadDescription(
                "tcp: takes a host and a port; write the colons of an IPv6 address as \\: (tcp:\\:\\:1:9000)"
            )
        if len(arguments) < 2 or not arguments[0]:
            raise BadDescription("tcp: needs a host and a port: tcp:HOST:PORT")
        host, port = arguments
        return TcpTransport(
            reactor,
            host,
            _number("tcp: the port", port, 0xFFFF),
            limits,
            tls=self._credentials(options),
            spin=_spin(self.scheme, options),
        )

    def _credentials(self, options: Mapping[str, str]) -> TlsCredentials | None:
        given = [name for name in _TLS_OPTIONS if options.get(name)]
        if not any(name in options for name in _TLS_OPTIONS):
            if "peer" in options:
                raise BadDescription("tcp: peer needs TLS: add certificate=FILE:key=FILE:ca=FILE")
            return None
        for name in _TLS_OPTIONS:
            if name not in given:
                raise BadDescription(f"tcp: for TLS, {name}=FILE is missing or empty; {_ALL_TLS} go together")
        if options.get("peer") == "":
            raise BadDescription("tcp: peer is empty; write the name, or leave the option out")
        return TlsCredentials(options["certificate"], options["key"], options["ca"], options.get("peer", ""))


#: In the order in which they are looked for.
OUR_SCHEMES: tuple[ITransportScheme, ...] = (
    MemoryScheme(),
    UnixScheme(),
    SharedMemoryScheme(),
    TcpScheme(),
)
