"""
The uploads of one front end, at the store's side: nobody else's can be named,
and all are thrown away with the channel.
"""

from __future__ import annotations

import attrs

from mailstore.errors import InvalidRequest, LimitReached
from mailstore.interfaces import IStore, IUpload
from mailstore.ipc.messages import Append, Deliver, OpenReceipt, OpenUpload, WriteUpload
from mailstore.model import AppendResult, Delivered, NewMessage


@attrs.define(eq=False)
class _Open:
    upload: IUpload
    #: A piece is being written.
    busy: bool = False
    #: To be thrown away as soon as it is not busy.
    doomed: bool = False


class Intake:
    """
    The uploads that one channel has open.
    """

    def __init__(self, store: IStore, most: int) -> None:
        """
        @param most: how many may be open at once.
        """
        self._store = store
        self._most = most
        self._open: dict[int, _Open] = {}
        self._opening = 0
        self._last = 0
        self._closed = False

    def __len__(self) -> int:
        return len(self._open) + self._opening

    async def open(self, request: OpenUpload | OpenReceipt) -> int:
        """
        Begin an upload.

        @return: what it is called on this channel; 0 if it was a trial.
        @raise LimitReached: too many at once.
        @raise StoreError: as the store says.
        """
        if len(self) >= self._most:
            raise LimitReached("too many messages are being brought in at once")
        self._opening += 1
        try:
            if isinstance(request, OpenReceipt):
                upload = await self._store.receive(request.size)
            else:
                upload = await self._store.upload(request.user, request.name, request.size)
        finally:
            self._opening -= 1
        if self._closed or (isinstance(request, OpenUpload) and request.trial):
            upload.discard()
            return 0
        self._last += 1
        self._open[self._last] = _Open(upload)
        return self._last

    async def write(self, request: WriteUpload) -> None:
        """
        Add a piece.

        @raise InvalidRequest: no such upload, or it is not ready for one.
        @raise StoreError: as the store says.
        """
        found = self._open.get(request.token)
        if found is None or found.busy:
            raise InvalidRequest("there is no such upload, or it is busy")
        found.busy = True
        try:
            await found.upload.write(request.data)
        finally:
            found.busy = False
            if found.doomed:
                found.upload.discard()

    async def append(self, request: Append) -> AppendResult:
        """
        Store messages, and with them the uploads they name.

        @raise InvalidRequest: no such upload, or it is not ready.
        @raise StoreError: as the store says.
        """
        messages: list[NewMessage] = []
        used: list[_Open] = []
        whole = True
        for message in request.messages:
            if isinstance(message.content, int):
                found = self._open.pop(message.content, None)
                if found is None:
                    whole = False
                    continue
                used.append(found)
                whole = whole and not found.busy
                message = attrs.evolve(message, content=found.upload.token)
            messages.append(message)
        if not whole:
            for each in used:
                self._throwAway(each)
            raise InvalidRequest("there is no such upload, or it is busy")
        return await self._store.append(request.user, request.name, tuple(messages), request.replaces)

    async def deliver(self, request: Deliver) -> tuple[Delivered, ...]:
        """
        Deliver a message, which may be an upload.

        @raise InvalidRequest: no such upload, or it is not ready.
        @raise StoreError: as the store says.
        """
        content = request.content
        if isinstance(content, int):
            found = self._open.pop(content, None)
            if found is None or found.busy:
                if found is not None:
                    self._throwAway(found)
                raise InvalidRequest("there is no such upload, or it is busy")
            content = found.upload.token
        return await self._store.deliver(request.recipients, content)

    def discard(self, token: int) -> None:
        """
        Throw an upload away; unknown ones are ignored.
        """
        found = self._open.pop(token, None)
        if found is not None:
            self._throwAway(found)

    def close(self) -> None:
        """
        Throw all away, those that are just being opened too.
        """
        self._closed = True
        for token in list(self._open):
            self.discard(token)

    def _throwAway(self, upload: _Open) -> None:
        if upload.busy:
            upload.doomed = True
        else:
            upload.upload.discard()
