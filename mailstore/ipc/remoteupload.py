"""
Messages on their way to the store, at the front end's side.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from zope.interface import implementer

from mailstore.errors import InvalidRequest, MessageTooBig
from mailstore.interfaces import IUpload
from mailstore.ipc.link import Link

#: Seconds for which a folder that took a user's message counts as one that takes the next.
WELCOME = 5.0

#: Users' folders of which that is remembered.
_MAX_WELCOMES = 1024


class Welcomes:
    """
    Which folders took a message of a user just now.  It saves asking before the
    next one; if something has changed meanwhile, its append request is refused instead.
    """

    def __init__(self) -> None:
        self._since: OrderedDict[tuple[str, str], float] = OrderedDict()

    def add(self, user: str, name: str, now: float) -> None:
        """
        The folder took one.

        @param now: seconds of any clock.
        """
        self._since[user, name] = now
        self._since.move_to_end((user, name))
        if len(self._since) > _MAX_WELCOMES:
            self._since.popitem(last=False)

    def remove(self, user: str, name: str) -> None:
        """
        The folder refused one.
        """
        self._since.pop((user, name), None)

    def has(self, user: str, name: str, now: float) -> bool:
        """
        Whether it took one within the last L{WELCOME} seconds.
        """
        since = self._since.get((user, name))
        return since is not None and now - since <= WELCOME


@implementer(IUpload)
class InlineUpload:
    """
    A short message: kept here until it is stored.

    @ivar user: whose it is.
    @ivar link: C{None}: it can go by any channel.
    """

    link = None

    def __init__(self, token: int, user: str, size: int, on_discard: Callable[[int], None]) -> None:
        self.token = token
        self.user = user
        self._size = size
        self._data = bytearray()
        self._on_discard = on_discard

    async def write(self, data: bytes) -> None:
        """
        See L{IUpload.write<mailstore.interfaces.IUpload>}.
        """
        if len(self._data) + len(data) > self._size:
            raise MessageTooBig("the message has more bytes than were announced")
        self._data += data

    def discard(self) -> None:
        """
        See L{IUpload.discard<mailstore.interfaces.IUpload>}.
        """
        self._data = bytearray()
        self._on_discard(self.token)

    def content(self) -> bytes:
        """
        The message.

        @raise InvalidRequest: it is incomplete.
        """
        if len(self._data) != self._size:
            raise InvalidRequest("the message is incomplete")
        return bytes(self._data)


class _Write(Protocol):
    def __call__(self, link: Link, token: int, data: bytes) -> Awaitable[None]: ...


@implementer(IUpload)
class RemoteUpload:
    """
    A long message: each piece goes to the store as it comes.

    @ivar user: whose it is.
    @ivar link: the one channel it is known on.
    """

    def __init__(
        self,
        token: int,
        user: str,
        link: Link,
        remote_token: int,
        piece: int,
        write: _Write,
        on_discard: Callable[[int], None],
    ) -> None:
        """
        @param remote_token: what the store calls it on this channel.
        @param piece: bytes sent at once.
        """
        self.token = token
        self.user = user
        self.link = link
        self._remote_token = remote_token
        self._piece = piece
        self._write = write
        self._on_discard = on_discard

    async def write(self, data: bytes) -> None:
        """
        See L{IUpload.write<mailstore.interfaces.IUpload>}.
        """
        for start in range(0, len(data), self._piece):
            await self._write(self.link, self._remote_token, data[start : start + self._piece])

    def discard(self) -> None:
        """
        See L{IUpload.discard<mailstore.interfaces.IUpload>}.
        """
        self.link.discard(self._remote_token)
        self._on_discard(self.token)

    def content(self) -> int:
        """
        Its name on the channel.  Whether it is complete, the store will say.
        """
        return self._remote_token
