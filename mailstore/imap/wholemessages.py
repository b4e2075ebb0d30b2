"""
FETCH of whole messages (C{BODY[]}, C{RFC822}), of which the bytes are kept for the next who reads them.

The store is asked for everything but the bytes: which messages there are, that the user may read
them, and what else is to be told.  The bytes come from L{SharedContents<mailstore.imap.sharedcontents>}
where they are kept, else from the store, a run of messages at a time.  They go to the socket as
they are, in lists of pieces: they are never joined, and the same bytes serve all clients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from mailstore.errors import InvalidRequest, StoreError
from mailstore.imap.fetching import Large, Plan, sendSection, storeSection
from mailstore.imap.wire import writer
from mailstore.imap.wire.values import FetchSection, SectionForm, SectionText
from mailstore.model import FetchBatch, FetchSpec, UidSet, uint32s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: Messages that the store is asked for in one request.
_RUN = 64

#: Bytes that are handed to the socket at once.  They are shared, so a client that does not read holds
#: them, and as many again in its own buffer at most.
_AT_ONCE = 1 << 18

#: Pieces that a system takes at once.
_MAX_PIECES = 512

#: The UID of a message, what stands before its bytes, and what after.
_Row = tuple[int, bytes, bytes]


def _isWhole(item: object) -> bool:
    return (
        isinstance(item, FetchSection)
        and item.text is SectionText.ALL
        and not item.part
        and item.form is SectionForm.ENCODED
    )


class WholeMessages:
    """
    One FETCH that asks for whole messages.
    """

    def __init__(self, session: Session, view: View, plan: Plan, item: FetchSection) -> None:
        """
        @param item: which asks for them.
        """
        self._session = session
        self._view = view
        self._kept = session.front.contents
        at = plan.items.index(item)
        self._section = storeSection(item)
        self._others = Plan((*plan.items[:at], *plan.items[at + 1 :]))
        before, after = self._others.templates[:at], self._others.templates[at:]
        label = item.label.replace(b"%", b"%%")
        self._head = b"* %d FETCH (" + b"".join(each + b" " for each in before) + label + b" "
        self._tail = b"".join(b" " + each for each in after) + b")\r\n"
        self._split = 1 + len(before)
        self._pieces: list[bytes | memoryview] = []
        self._size = 0

    @classmethod
    def of(cls, session: Session, view: View, plan: Plan) -> WholeMessages | None:
        """
        The way for a plan; C{None} if it asks for no whole messages, or for other sections too, or if
        nothing is kept.
        """
        sections = [item for item in plan.items if isinstance(item, FetchSection)]
        if len(sections) != 1 or not _isWhole(sections[0]) or not session.front.contents.on:
            return None
        return cls(session, view, plan, sections[0])

    async def fetch(self, uids: UidSet) -> int:
        """
        Send the responses for messages.

        @return: how many there were.
        @raise StoreError: as L{IStore.fetch<mailstore.interfaces.IMessages.fetch>}.
        """
        store, user, folder = self._session.store, self._session.user, self._view.folder
        sent = 0
        try:
            async with aclosing(store.fetch(user, folder, uids, self._others.spec)) as batches:
                async for batch in batches:
                    if self._others.spec.flags:
                        await self._session.keywordsKnown(batch.keywords)
                    sent += await self._send(list(self._rows(batch)))
        except StoreError:
            # What has been put is whole.
            await self._flush()
            raise
        return sent

    def _rows(self, batch: FetchBatch) -> Iterator[_Row]:
        """
        All but the bytes of those messages that the client knows.
        """
        view = self._view
        uids = uint32s(batch.uids)
        columns: list[Sequence[object]] = [view.sequencesOf(uids)]
        columns += (column(view, batch) for column in self._others.columns)
        for uid, *values in zip(uids, *columns, strict=True):
            if values[0]:
                yield (
                    uid,
                    self._head % tuple(values[: self._split]),
                    self._tail % tuple(values[self._split :]),
                )

    async def _send(self, rows: list[_Row]) -> int:
        sent = at = 0
        while at < len(rows):
            content = self._kept.get(self._which(rows[at][0]))
            if content is not None:
                await self._add(rows[at], content)
                at += 1
                sent += 1
                continue
            end = at + 1
            while end < len(rows) and end - at < _RUN and self._which(rows[end][0]) not in self._kept:
                end += 1
            await self._flush()
            sent += await self._sendUnknown(rows[at:end])
            at = end
        await self._flush()
        return sent

    def _which(self, uid: int) -> tuple[int, int, int]:
        return (self._view.folder, self._view.uid_validity, uid)

    async def _sendUnknown(self, rows: list[_Row]) -> int:
        """
        The same for messages of which the bytes are not kept.
        """
        session = self._session
        wanted = {row[0]: row for row in rows}
        partial = self._section.partial
        spec = FetchSpec(sections=(self._section,))
        sent = 0
        batches = session.store.fetch(session.user, self._view.folder, UidSet.of(wanted), spec)
        async with aclosing(batches):
            async for batch in batches:
                for uid, value in zip(uint32s(batch.uids), batch.sections[0], strict=True):
                    row = wanted.get(uid)
                    if row is None:
                        continue
                    if isinstance(value, bytes):
                        if partial is None:
                            self._kept.add(self._which(uid), value)
                        await self._add(row, value, cut=False)
                        sent += 1
                    elif value:
                        await self._flush()
                        sent += await self._sendLarge(row, value)
                    else:
                        self._put(row[1] + (b"NIL" if value is None else b'""') + row[2])
                        sent += 1
                await self._flush()
        return sent

    async def _sendLarge(self, row: _Row, size: int) -> bool:
        """
        The same for one that is read piece by piece.

        @return: C{False} when it is there no more; then nothing was sent.
        """
        uid, head, tail = row
        large = Large(self._section, size)
        keep = self._section.partial is None and self._kept.gather(size)
        copy: list[bytes] | None = [] if keep else None
        try:
            await sendSection(self._session, self._view, uid, large, head + large.head, copy)
            if copy is not None:
                self._kept.add(self._which(uid), b"".join(copy))
        except InvalidRequest:
            return False
        finally:
            if keep:
                self._kept.gathered(size)
        self._put(tail)
        return True

    async def _add(self, row: _Row, content: bytes, cut: bool = True) -> None:
        """
        Put a response after those that wait to be written.

        @param cut: whether a partial has still to be taken out of it.
        """
        part: bytes | memoryview = content
        if cut and self._section.partial is not None:
            start, count = self._section.partial
            part = memoryview(content)[start : start + count]
        _, head, tail = row
        self._put(head + writer.literalHead(len(part)))
        self._pieces.append(part)
        self._size += len(part)
        self._put(tail)
        if self._size >= _AT_ONCE or len(self._pieces) >= _MAX_PIECES:
            await self._flush()

    def _put(self, text: bytes) -> None:
        """
        Add a short piece, to the last one if that is short too.
        """
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, bytes) and len(last) < 1024 and len(text) < 1024:
            self._pieces[-1] = last + text
        else:
            self._pieces.append(text)
        self._size += len(text)

    async def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        self._size = 0
        if pieces:
            await self._session.writePieces(pieces)
