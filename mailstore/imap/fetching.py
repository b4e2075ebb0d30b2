"""
FETCH responses: columns of a store's answer in, bytes for the client out.

A L{Plan} is made once for a FETCH.  It turns a whole batch into one piece of
bytes by one template, without an object per item.  Only messages with sections
that are too large for a batch go their own way, item by item: such a
section is read in pieces while it is sent, and is never held as a whole.

    FETCH items --> Plan: FetchSpec for the store, template for the client
    FetchBatch  --> columns --> template % row, for all rows at once --> Session.write

Where many are told the same, a batch is rendered once: L{mailstore.imap.sharedlines}.

L{mailstore.imap.fetchways} has the ways from here to an answer.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from mailstore.errors import InvalidRequest, StoreError
from mailstore.imap.session import SessionOver
from mailstore.imap.sharedlines import Source
from mailstore.imap.wire import writer
from mailstore.imap.wire.values import FetchData, FetchItems, FetchSection, SectionForm, SectionText
from mailstore.model import FetchBatch, FetchSpec, FlagColumns, Section, SectionKind, uint32s, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

_Value = TypeVar("_Value")

#: The values of one item, one for each message of a batch.
_Values = Sequence[Any]

#: Makes them.
_Column = Callable[["View", FetchBatch], _Values]

_KINDS = {
    SectionText.ALL: SectionKind.ALL,
    SectionText.HEADER: SectionKind.HEADER,
    SectionText.HEADER_FIELDS: SectionKind.FIELDS,
    SectionText.HEADER_FIELDS_NOT: SectionKind.FIELDS_NOT,
    SectionText.TEXT: SectionKind.TEXT,
    SectionText.MIME: SectionKind.MIME,
}

_RENDITIONS = {
    FetchData.ENVELOPE: "envelope",
    FetchData.BODY: "body",
    FetchData.BODYSTRUCTURE: "bodystructure",
    FetchData.PREVIEW: "preview",
    FetchData.PREVIEW_LAZY: "preview",
}

#: What may be another the next time.
_VOLATILE = frozenset({FetchData.FLAGS, FetchData.MODSEQ})

#: What is cheap to ask for, and worth nothing to keep alone.
_CHEAP = _VOLATILE | {FetchData.UID}

#: Sections that are short as a rule.
_SHORT = frozenset({SectionText.HEADER_FIELDS, SectionText.MIME})

#: How each item stands in a response (RFC 9051 section 7.5.2, RFC 7162 section 3.1.5, RFC 8474
#: section 5, RFC 8514 section 4.2, RFC 8970 section 3.1).
_TEMPLATES = {
    FetchData.UID: b"UID %d",
    FetchData.FLAGS: b"FLAGS %b",
    FetchData.INTERNALDATE: b"INTERNALDATE %b",
    FetchData.RFC822_SIZE: b"RFC822.SIZE %d",
    FetchData.ENVELOPE: b"ENVELOPE %b",
    FetchData.BODY: b"BODY %b",
    FetchData.BODYSTRUCTURE: b"BODYSTRUCTURE %b",
    FetchData.MODSEQ: b"MODSEQ (%d)",
    FetchData.EMAILID: b"EMAILID (%b)",
    FetchData.THREADID: b"THREADID %b",
    FetchData.SAVEDATE: b"SAVEDATE %b",
    FetchData.PREVIEW: b"PREVIEW %b",
    FetchData.PREVIEW_LAZY: b"PREVIEW %b",
}


@attrs.frozen
class Large:
    """
    A section that is to be read on its own.
    """

    section: Section
    size: int

    @property
    def head(self) -> bytes:
        """
        What announces it.  What is decoded may hold NUL (RFC 3516 section 4.3).
        """
        decoded = self.section.kind is SectionKind.BINARY
        return writer.literal8Head(self.size) if decoded else writer.literalHead(self.size)


def storeSection(item: FetchSection) -> Section:
    """
    What the store calls the section that a client asks for.
    """
    if item.form is not SectionForm.ENCODED:
        sized = item.form is SectionForm.DECODED_SIZE
        return Section(SectionKind.BINARY, item.part, partial=item.partial, size_only=sized)
    return Section(_KINDS[item.text], item.part, item.fields, item.partial)


def flagTexts(view: View, uids: Iterable[int], masks: array[int]) -> list[bytes]:
    """
    The flags of messages as they stand in responses.  What occurs often is
    rendered once.
    """
    if view.recent:
        return list(map(view.flagText, uids, masks))
    texts = {mask: view.flagText(0, mask) for mask in set(masks)}
    return [texts[mask] for mask in masks]


def _uids(view: View, batch: FetchBatch) -> _Values:
    return uint32s(batch.uids)


def _flags(view: View, batch: FetchBatch) -> _Values:
    return flagTexts(view, uint32s(batch.uids), uint64s(batch.flags))


def _dates(view: View, batch: FetchBatch) -> _Values:
    zones: array[int] = array("h", batch.zones)
    return list(map(writer.internalDate, uint64s(batch.internal_dates), zones))


def _sizes(view: View, batch: FetchBatch) -> _Values:
    return uint64s(batch.sizes)


def _modseqs(view: View, batch: FetchBatch) -> _Values:
    return uint64s(batch.modseqs)


def _emailIds(view: View, batch: FetchBatch) -> _Values:
    return [each.encode("ascii") for each in batch.email_ids]


def _threadIds(view: View, batch: FetchBatch) -> _Values:
    return [b"NIL" if each is None else b"(%b)" % each.encode("ascii") for each in batch.thread_ids]


def _saveDates(view: View, batch: FetchBatch) -> _Values:
    return [writer.internalDate(each) if each else b"NIL" for each in uint64s(batch.save_dates)]


_COLUMNS: dict[FetchData, _Column] = {
    FetchData.UID: _uids,
    FetchData.FLAGS: _flags,
    FetchData.INTERNALDATE: _dates,
    FetchData.RFC822_SIZE: _sizes,
    FetchData.MODSEQ: _modseqs,
    FetchData.EMAILID: _emailIds,
    FetchData.THREADID: _threadIds,
    FetchData.SAVEDATE: _saveDates,
}


def _rendition(at: int) -> _Column:
    return lambda view, batch: batch.renditions[at]


def _sections(at: int, section: Section) -> _Column:
    def column(view: View, batch: FetchBatch) -> _Values:
        return [_sectionText(section, value) for value in batch.sections[at]]

    def sizes(view: View, batch: FetchBatch) -> _Values:
        # A part that is not there has no bytes; there is no other answer (RFC 3516 section 4.2).
        return [b"%d" % value if isinstance(value, int) else b"0" for value in batch.sections[at]]

    return sizes if section.size_only else column


def _sectionText(section: Section, value: bytes | int | None) -> bytes | Large:
    """
    C{nstring} of a section's bytes: C{NIL} where the message has no such part
    (RFC 9051 section 7.5.2).
    """
    if value is None:
        return b"NIL"
    if isinstance(value, int):
        return Large(section, value) if value else b'""'
    if section.kind is SectionKind.BINARY and b"\0" in value:
        return writer.literal8(value)
    return b"{%d}\r\n%b" % (len(value), value)


def isLasting(item: FetchData | FetchSection) -> bool:
    """
    Whether a message says it for ever, and in few bytes.
    """
    if isinstance(item, FetchSection):
        return item.form is SectionForm.ENCODED and item.text in _SHORT
    return item not in _VOLATILE


class Plan:
    """
    How to answer one FETCH.

    @ivar items: what is asked for, in the order in which it is answered.
    @ivar spec: what to ask the store for.
    """

    def __init__(self, items: FetchItems) -> None:
        """
        @param items: in the order in which they are answered.
        """
        self.items = items
        renditions: list[str] = []
        sections: list[Section] = []
        columns: list[_Column] = []
        templates: list[bytes] = []
        labels: set[bytes] = set()
        for item in items:
            if isinstance(item, FetchSection):
                if item.label in labels:
                    continue  # BODY[] and BODY.PEEK[] have the same answer
                labels.add(item.label)
                section = storeSection(item)
                at = _placeIn(sections, section)
                columns.append(_sections(at, section))
                templates.append(item.label.replace(b"%", b"%%") + b" %b")
            else:
                name = _RENDITIONS.get(item)
                columns.append(
                    _COLUMNS[item] if name is None else _rendition(_placeIn(renditions, name)),
                )
                templates.append(_TEMPLATES[item])
        self.spec = FetchSpec(
            flags=FetchData.FLAGS in items,
            modseq=FetchData.MODSEQ in items,
            internal_date=FetchData.INTERNALDATE in items,
            size=FetchData.RFC822_SIZE in items,
            email_id=FetchData.EMAILID in items,
            thread_id=FetchData.THREADID in items,
            save_date=FetchData.SAVEDATE in items,
            renditions=tuple(renditions),
            sections=tuple(sections),
        )
        #: The sections of which the bytes are wanted.
        self._read = tuple(at for at, section in enumerate(sections) if not section.size_only)
        self.columns = tuple(columns)
        self.templates = tuple(templates)
        self._template = b"* %d FETCH (" + b" ".join(templates) + b")\r\n"
        #: Nothing that depends on anything but numbers, flags and mod-sequences.
        self._is_cheap = _CHEAP.issuperset(items)

    @property
    def is_shareable(self) -> bool:
        """
        Whether what it says but for flags is the same for everybody and for ever, and took some work.
        """
        lasting = all(isLasting(item) or item in _VOLATILE for item in self.items)
        return lasting and not _CHEAP.issuperset(self.items)

    def texts(self, view: View, batch: FetchBatch) -> list[tuple[int, bytes]] | None:
        """
        What the messages of a batch say, by UID.

        @return: C{None} when something is too large to be kept.
        """
        if self._hasLarge(batch):
            return None
        template = b" ".join(self.templates)
        columns = [column(view, batch) for column in self.columns]
        return list(zip(uint32s(batch.uids), map(template.__mod__, zip(*columns, strict=True)), strict=True))

    def _hasLarge(self, batch: FetchBatch) -> bool:
        return any(isinstance(size, int) for at in self._read for size in batch.sections[at])

    async def send(self, session: Session, view: View, batch: FetchBatch) -> int:
        """
        Send the responses for a batch, in writes of bounded size.  Messages of which the
        client does not know yet are left out.

        @return: how many there were.
        @raise StoreError: a large section could not be read.  The responses
            sent are whole, each with the items that there are.
        @raise SessionOver: the client is gone, or had to be cut off in the
            middle of a literal.
        """
        if self.spec.flags:
            await session.keywordsKnown(batch.keywords)
        uids = uint32s(batch.uids)
        sequences = view.sequencesOf(uids)
        source = self._sourceOf(session, view, sequences, batch)
        if source is not None:
            lines = session.front.lines.get(source)
            if lines is not None:
                await session.write(lines)
                return len(uids)
        columns: list[_Values] = [sequences, *(column(view, batch) for column in self.columns)]
        if 0 in sequences:
            known = [at for at, sequence in enumerate(sequences) if sequence]
            columns = [[column[at] for at in known] for column in columns]
            uids = uint32s(uids[at] for at in known)
        if not uids:
            return 0
        if self._hasLarge(batch):
            sent = 0
            for uid, sequence, *values in zip(uids, *columns, strict=True):
                sent += await self._sendLarge(session, view, uid, sequence, values)
            return sent
        lines = b"".join(map(self._template.__mod__, zip(*columns, strict=True)))
        if source is not None:
            session.front.lines.add(source, lines)
        await session.write(lines)
        return len(uids)

    def _sourceOf(
        self, session: Session, view: View, sequences: array[int], batch: FetchBatch
    ) -> Source | None:
        """
        All that the responses for a batch are made of; C{None} when they are not to be kept.
        """
        if not self._is_cheap or view.recent or not session.front.lines.isWorthWhile(len(sequences)):
            return None
        if 0 in sequences:
            return None
        return (
            self._template,
            sequences.tobytes(),
            batch.uids,
            batch.flags,
            batch.modseqs,
            view.keywords if self.spec.flags else (),
        )

    async def _sendLarge(
        self, session: Session, view: View, uid: int, sequence: int, values: list[Any]
    ) -> bool:
        """
        Send one response, item by item.

        A message that vanishes meanwhile has no response, or one without the
        items that were still to come.
        """
        held = b"* %d FETCH (" % sequence
        started = False
        space = b""
        try:
            for template, value in zip(self.templates, values, strict=True):
                if isinstance(value, Large):
                    held += space + template % value.head
                    await sendSection(session, view, uid, value, held)
                    started = True
                    held = b""
                else:
                    held += space + template % value
                space = b" "
        except StoreError as error:
            if started:
                await session.write(b")\r\n")
            if isinstance(error, InvalidRequest):
                return started
            raise
        await session.write(held + b")\r\n")
        return True


async def sendSection(
    session: Session, view: View, uid: int, large: Large, head: bytes, copy: list[bytes] | None = None
) -> None:
    """
    Send C{head}, which announces a literal, and then the literal, a piece
    at a time: the store is asked for a piece when the one before it has been taken.

    Nothing is sent before the store has given the first piece, so an error that
    comes out of here leaves the client where it was.  Once the literal has been
    announced there is no way back (RFC 9051 section 4.3): if the rest cannot be had, the connection
    is cut off, since any other byte would be taken for the message's.

    @param copy: where the pieces are put too.
    @raise StoreError: the section cannot be had.  Nothing was sent.
    @raise SessionOver: the client is gone, or had to be cut off.
    """
    pieces = session.store.readSection(session.user, view.folder, uid, large.section)
    left = large.size
    announced = False
    try:
        async for piece in pieces:
            if not announced:
                announced = True
                await session.write(head)
            left -= len(piece)
            if left < 0:
                break
            if copy is not None:
                copy.append(piece)
            await session.write(piece)
        if left and not announced:
            raise InvalidRequest("there is no such message")
    except SessionOver:
        raise
    except StoreError as error:
        if not announced:
            raise
        session.log.warn("message {uid} broke off: {error}", uid=uid, error=error.code)
        left = -1
    finally:
        if announced and left:
            session.link.abort()
        await pieces.aclose()
    if left:
        raise SessionOver()


def modseqResponses(view: View, changed: FlagColumns) -> bytes:
    """
    The responses that tell the mod-sequences of messages to a client that does not want to
    be told their flags (RFC 7162 section 3.1.3).
    """
    uids = uint32s(changed.uids)
    rows = zip(view.sequencesOf(uids), uids, uint64s(changed.modseqs), strict=True)
    return b"".join([b"* %d FETCH (UID %d MODSEQ (%d))\r\n" % row for row in rows if row[0]])


def flagResponses(view: View, changed: FlagColumns, with_uid: bool, with_modseq: bool = False) -> bytes:
    """
    The responses that tell the flags of messages, for those that the client knows.

    @param with_modseq: and their UIDs and mod-sequences (RFC 7162 section 3.2.4).
    """
    uids = uint32s(changed.uids)
    sequences = view.sequencesOf(uids)
    texts = flagTexts(view, uids, uint64s(changed.flags))
    if with_modseq:
        columns = zip(sequences, uids, texts, uint64s(changed.modseqs), strict=True)
        return b"".join(
            [b"* %d FETCH (UID %d FLAGS %b MODSEQ (%d))\r\n" % column for column in columns if column[0]]
        )
    rows = zip(sequences, uids, texts, strict=True)
    if with_uid:
        lines = [b"* %d FETCH (UID %d FLAGS %b)\r\n" % row for row in rows if row[0]]
    else:
        lines = [b"* %d FETCH (FLAGS %b)\r\n" % (row[0], row[2]) for row in rows if row[0]]
    return b"".join(lines)


def _placeIn(values: list[_Value], value: _Value) -> int:
    """
    Where C{value} is in the list, at the end if it was not in it.
    """
    if value not in values:
        values.append(value)
    return values.index(value)
