"""
Messages that come: handed in by users, and delivered from outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from mailstore.engine import delivery, moving, quotas, receiving
from mailstore.engine.connection import Connection
from mailstore.engine.content import Arriving
from mailstore.engine.errors import translated
from mailstore.engine.requests.base import Requests
from mailstore.interfaces import IUpload
from mailstore.model import AppendResult, Delivered, NewMessage, Recipient

#: What making anything of a message costs, as if it had so many bytes more.
_COST = 4096


class ArrivingRequests(Requests):
    """
    Messages that come: handed in by users, and delivered from outside.
    """

    async def largestMessage(self) -> int:
        self._writer.requireOpen()
        return self._limits.max_message

    async def upload(self, user: str, name: str, size: int | None) -> IUpload:
        with self._database.reading() as db:
            quotas.foresee(db, self._places.mailbox(db, self._users.viewer(db, user), name, "i"), size or 0)
        return self._uploads.begin(user, size)

    def expect(self, contents: Iterable[bytes]) -> None:
        self._database.writeMuch()
        self._workshop.expect(contents)

    async def append(
        self, user: str, name: str, messages: tuple[NewMessage, ...], replaces: tuple[int, int] | None = None
    ) -> AppendResult:
        arriving = delivery.Delivery(self._workshop.render, self._limits, self._clock)
        folder = 0

        def change(db: Connection) -> AppendResult:
            nonlocal folder
            viewer = self._users.viewer(db, user)
            row = self._places.mailbox(db, viewer, name, "i")
            folder = row.id
            if replaces is not None:
                # As STORE of the flag and UID EXPUNGE would (RFC 8508 section 4.1).
                old = self._places.byId(db, viewer, replaces[0], "te")
                if not moving.remove(db, old, replaces[1], self._limits.max_tombstones):
                    return AppendResult(row.uid_validity, ())
                self._writer.sweepLater()
                row = self._places.mailbox(db, viewer, name, "i")
            return arriving.store(db, row, viewer, self._places.rights(db, viewer, row))

        try:
            with translated:
                arriving.gather(self._uploads, user, messages)
            with self._database.reading() as db:
                self._places.mailbox(db, self._users.viewer(db, user), name, "i")
                arriving.look(db)
            await self._prepare(arriving)
            result = await self._change(change)
        finally:
            self._done(arriving)
        if result.uids:
            self._changed(folder)
            if replaces is not None and replaces[0] != folder:
                self._changed(replaces[0])
        return result

    async def _prepare(self, arriving: delivery.Delivery) -> None:
        """
        Make what must be made of messages, and write those that are large, in slices.
        """
        size = 0
        for arrival in arriving.unknown():
            if arrival.spool.size > self._limits.slice_bytes:
                with translated:
                    await self._writer.aside(partial(arriving.prepare, arrival, self._renderer.render))
                await self._write(arriving.begin(arrival))
                continue
            with translated:
                arriving.prepare(arrival)
            size += arrival.spool.size + _COST
            if size > self._limits.slice_bytes:
                await self._writer.giveWay()
                size = 0

    async def _write(self, content: Arriving) -> None:
        def begin(db: Connection) -> None:
            content.begin(db)
            # Before it is committed: from then on others may take it for one that nobody wants.
            self._pins.pin(content.id)

        await self._change(begin)
        while await self._change(partial(content.more, size=self._limits.slice_bytes)):
            await self._writer.giveWay()

    def _done(self, arriving: delivery.Delivery) -> None:
        for content in arriving.close():
            if content:
                self._pins.unpin(content)
                # If it came to nothing it is to be removed.
                self._writer.sweepLater()

    async def offer(self, recipient: Recipient, size: int) -> None:
        with self._database.reading() as db:
            receiving.offer(db, self._places, self._limits.max_message, recipient, size)

    async def receive(self, size: int) -> IUpload:
        self._writer.requireOpen()
        return self._uploads.begin(receiving.COURIER, min(size, self._limits.max_message))

    async def deliver(self, recipients: tuple[Recipient, ...], content: bytes | int) -> tuple[Delivered, ...]:
        receipt = receiving.Receipt(self._workshop.render, self._limits, self._clock)

        def change(db: Connection) -> tuple[tuple[Delivered, ...], list[int]]:
            return receipt.deliver(db, self._places, recipients)

        try:
            with translated:
                receipt.take(self._uploads, recipients, content)
            with self._database.reading() as db:
                receipt.look(db)
            await self._prepare(receipt)
            outcomes, changed = await self._change(change)
        finally:
            self._done(receipt)
        for folder in changed:
            self._changed(folder)
        return outcomes
