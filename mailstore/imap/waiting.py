"""
Waiting and starting, without a reactor: what the sessions need of the world's
clock, as interfaces.

L{mailstore.imap.protocol} implements them with Twisted; everything else in this
package is C{async def} and knows only these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from zope.interface import Attribute, Interface


class ISignal(Interface):
    """
    A place to wait at until something may have changed.  It remembers nothing:
    who waits looks at the condition first, and again when woken.
    """

    def wait(seconds: float | None = None) -> Awaitable[bool]:
        """
        Wait for the next L{fire}, at most C{seconds}.

        @return: whether it fired; C{False} when the time was over first.
        """

    def fire() -> None:
        """
        Wake everybody who waits now.  They run before this returns or soon
        after; never fails.
        """


class IAlarm(Interface):
    """
    A moment that is put off often and reached seldom.
    """

    def set(when: float) -> None:
        """
        Ring at C{when}, by the runtime's clock, and not when it was set to before.
        """

    def stop() -> None:
        """
        Not ring, and keep nothing.  Idempotent.
        """


class IRuntime(Interface):
    """
    What the sessions of one front end share of the outer world.
    """

    def seconds() -> float:
        """
        A clock that never goes back.
        """

    def sleep(seconds: float) -> Awaitable[None]:
        """
        Let time pass.
        """

    def soon(call: Callable[[], None]) -> None:
        """
        Call C{call} as soon as what runs now has come to its end.
        """

    def signal() -> ISignal:
        """
        A new place to wait at.
        """

    def alarm(ring: Callable[[], None]) -> IAlarm:
        """
        A new alarm, which is not set.
        """

    def start(work: Coroutine[Any, Any, None]) -> None:
        """
        Run C{work} on its own.  An exception that it lets out is logged.
        """


class ILink(Interface):
    """
    The connection to one client, as its session sees it.
    """

    address: str = Attribute("The client's network address, for bounds and logs.")
    secure: bool = Attribute("Whether TLS is on.")
    local: bool = Attribute("Whether the client is on this machine: loopback or a Unix socket.")
    can_start_tls: bool = Attribute("Whether C{startTLS} is possible now.")
    bindings: Mapping[str, bytes] = Attribute(
        "What both ends know the connection by, by the names of the types of channel binding (RFC 5056)."
    )
    lists_public: bool = Attribute("Whether LIST tells of public folders that it was not asked for by name.")
    clogged: bool = Attribute("Whether the client has yet to read what was written.")
    lost: bool = Attribute("Whether the connection is gone.")
    drained: ISignal = Attribute("Fires when C{clogged} or C{lost} changes.")

    def write(data: bytes | memoryview) -> None:
        """
        Hand bytes to the socket, now.  Look at C{clogged} before the next.
        """

    def writeMany(pieces: Sequence[bytes | memoryview]) -> None:
        """
        The same for bytes in pieces, which need not be joined.
        """

    def finish(data: bytes | memoryview) -> None:
        """
        As C{write}, with the last bytes before the client is waited for: they may go out
        before anything else is done.
        """

    def flush() -> None:
        """
        Let what was written go out before anything else is done, as far as the socket takes it.
        """

    def pause() -> None:
        """
        Read nothing more from the client.  Idempotent.
        """

    def resume() -> None:
        """
        Read from the client again.  Idempotent.
        """

    def startTLS() -> None:
        """
        Begin the TLS handshake with the next byte from the client.
        """

    def close() -> None:
        """
        Close when what was written has gone out.  Idempotent.
        """

    def abort() -> None:
        """
        Close now.  Idempotent.
        """
