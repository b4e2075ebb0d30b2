"""
Reads what a server says, as a client would: the responses of extensions.  The values are
the arguments of what writes them.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from mailstore.imap.wire.esearch import SearchResult
from mailstore.imap.wire.listextended import ListSelect
from mailstore.imap.wire.partial import PartialResult, readPartialRange
from mailstore.imap.wire.quota import QuotaResource
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.threadargs import ThreadNode
from mailstore.imap.wire.values import ParseError, StatusItem

_BINARY = re.compile(rb"BINARY(?:\.SIZE)?\[[0-9.]*\](?:<[0-9]+>)?")


def _head(reader: Reader, name: str) -> None:
    reader.expect(b"* ")
    if reader.word() != name:
        raise ParseError(f"Expected {name}")


def _spacedToEnd(reader: Reader, item: Any) -> tuple[Any, ...]:
    found = []
    while not reader.atEnd:
        reader.space()
        found.append(item())
    return tuple(found)


def _ascii(value: bytes) -> str:
    return value.decode("ascii")


def _ranges(reader: Reader) -> tuple[tuple[int, int], ...]:
    return reader.knownSet().ranges


def decodeList(reader: Reader) -> Any:
    """
    C{mailbox-list}: name, attributes, separator, child info, old name.
    """
    _head(reader, "LIST")
    reader.space()
    attributes = reader.flagList()
    reader.space()
    separator = reader.nstring()
    reader.space()
    name = reader.mailbox()
    child_info: tuple[ListSelect, ...] = ()
    old_name: str | None = None

    def item() -> None:
        nonlocal child_info, old_name
        tag = _ascii(reader.astring()).upper()
        reader.space()
        if tag == "CHILDINFO":
            child_info = reader.parenthesized(lambda: ListSelect(_ascii(reader.string())))
        elif tag == "OLDNAME":
            (old_name,) = reader.parenthesized(reader.mailbox)
        else:
            raise ParseError("Unknown extended data")

    if reader.accept(b" "):
        reader.parenthesized(item)
    return (
        name,
        " ".join(attributes).encode(),
        None if separator is None else _ascii(separator),
        child_info,
        old_name,
    )


def decodeStatus(reader: Reader) -> Any:
    """
    C{"STATUS" SP mailbox SP "(" [status-att-list] ")"}: mailbox, values.
    """
    _head(reader, "STATUS")
    reader.space()
    mailbox = reader.mailbox()
    reader.space()

    def value() -> tuple[StatusItem, int | str | None]:
        item = StatusItem(reader.word())
        reader.space()
        if item is StatusItem.MAILBOXID:
            return item, reader.parenthesized(reader.objectId)[0]
        if item is StatusItem.APPENDLIMIT and reader.peek() == b"N":
            return item, reader.nstring()  # type: ignore[return-value]
        return item, reader.number64()

    return mailbox, reader.parenthesizedOrEmpty(value)


def decodeEsearch(reader: Reader) -> Any:
    """
    C{esearch-response}: tag, whether by UID, result.
    """
    _head(reader, "ESEARCH")
    reader.expect(b" (TAG ")
    tag = reader.string()
    reader.expect(b")")
    by_uid = reader.acceptBefore(b" UID", b"")
    data: dict[str, Any] = {}
    while reader.accept(b" "):
        name = reader.word()
        reader.space()
        if name == "PARTIAL":
            reader.expect(b"(")
            wanted = readPartialRange(reader)
            reader.space()
            data[name] = PartialResult(wanted, () if reader.accept(b"NIL") else _ranges(reader))
            reader.expect(b")")
        else:
            data[name] = _ranges(reader) if name == "ALL" else reader.number64()
    found = data.pop("ALL", ())
    names = {
        "MIN": "lowest",
        "MAX": "highest",
        "COUNT": "count",
        "MODSEQ": "mod_sequence",
        "PARTIAL": "partial",
    }
    return tag, by_uid, SearchResult(found=found, **{names[name]: value for name, value in data.items()})


def _decodeNumbers(reader: Reader, name: str) -> Any:
    _head(reader, name)
    numbers: list[int] = []
    while reader.accept(b" "):
        if reader.accept(b"(MODSEQ "):
            mod_sequence = reader.modSequence()
            reader.expect(b")")
            return tuple(numbers), mod_sequence
        numbers.append(reader.nzNumber())
    return tuple(numbers), None


def decodeSearch(reader: Reader) -> Any:
    """
    C{"SEARCH" [1*(SP nz-number) SP search-sort-mod-seq]}: numbers, mod-sequence.
    """
    return _decodeNumbers(reader, "SEARCH")


def decodeSort(reader: Reader) -> Any:
    """
    C{sort-data}: numbers, mod-sequence.
    """
    return _decodeNumbers(reader, "SORT")


@attrs.define
class _List:
    """
    A C{thread-list} that is being read.
    """

    #: Of its next message.
    depth: int
    numbers: int = 0
    lists: int = 0


def decodeThread(reader: Reader) -> tuple[ThreadNode, ...]:
    """
    C{thread-data}: messages with their depths.  Without a stack of Python's.
    """
    _head(reader, "THREAD")
    nodes: list[ThreadNode] = []
    stack: list[_List] = []
    if not reader.accept(b" "):
        return ()
    while True:
        if reader.accept(b"("):
            depth = 0
            if stack:
                outer = stack[-1]
                if not outer.numbers and not outer.lists:
                    nodes.append((outer.depth, 0))
                    outer.depth += 1
                outer.lists += 1
                depth = outer.depth
            stack.append(_List(depth))
        elif stack and reader.accept(b")"):
            closed = stack.pop()
            if closed.lists == 1 or not (closed.lists or closed.numbers):
                raise ParseError("A thread has one branch, or nothing")
            if not stack and reader.peek() != b"(":
                return tuple(nodes)
        elif stack and not stack[-1].lists:
            here = stack[-1]
            nodes.append((here.depth, reader.nzNumber()))
            here.depth += 1
            here.numbers += 1
            if reader.peek() != b")":
                reader.space()
        else:
            raise ParseError("Expected a list")


def decodeVanished(reader: Reader) -> Any:
    """
    C{expunged-resp}: ranges, whether earlier.
    """
    _head(reader, "VANISHED")
    earlier = reader.accept(b" (EARLIER)")
    reader.space()
    return _ranges(reader), earlier


def decodeEnabled(reader: Reader) -> tuple[str, ...]:
    """
    C{enable-data}: names.
    """
    _head(reader, "ENABLED")
    return _spacedToEnd(reader, reader.word)


def decodeAcl(reader: Reader) -> Any:
    """
    C{acl-data}: mailbox, entries.
    """
    _head(reader, "ACL")
    reader.space()
    mailbox = reader.mailbox()

    def entry() -> tuple[str, str]:
        identifier = reader.utf8Name("identifier")
        reader.space()
        return identifier, _ascii(reader.astring())

    return mailbox, _spacedToEnd(reader, entry)


def decodeListRights(reader: Reader) -> Any:
    """
    C{listrights-data}: mailbox, identifier, rights, groups of rights.
    """
    _head(reader, "LISTRIGHTS")
    reader.space()
    mailbox = reader.mailbox()
    reader.space()
    identifier = reader.utf8Name("identifier")
    reader.space()
    always = _ascii(reader.astring())
    return mailbox, identifier, always, _spacedToEnd(reader, lambda: _ascii(reader.astring()))


def decodeMyRights(reader: Reader) -> Any:
    """
    C{myrights-data}: mailbox, rights.
    """
    _head(reader, "MYRIGHTS")
    reader.space()
    mailbox = reader.mailbox()
    reader.space()
    return mailbox, _ascii(reader.astring())


def decodeQuota(reader: Reader) -> Any:
    """
    C{quota-response}: root, resources.
    """
    _head(reader, "QUOTA")
    reader.space()
    root = reader.utf8Name("quota root")
    reader.space()

    def resource() -> QuotaResource:
        name = reader.word()
        reader.space()
        usage = reader.number64()
        reader.space()
        return QuotaResource(name, usage, reader.number64())

    return root, reader.parenthesizedOrEmpty(resource)


def decodeQuotaRoot(reader: Reader) -> Any:
    """
    C{quotaroot-response}: mailbox, roots.
    """
    _head(reader, "QUOTAROOT")
    reader.space()
    mailbox = reader.mailbox()
    return mailbox, _spacedToEnd(reader, lambda: reader.utf8Name("quota root"))


def decodeMetadata(reader: Reader) -> Any:
    """
    C{metadata-resp} with C{entry-values}: mailbox, values.
    """
    _head(reader, "METADATA")
    reader.space()
    mailbox = reader.mailbox()
    reader.space()

    def value() -> tuple[str, bytes | None]:
        name = _ascii(reader.astring())
        reader.space()
        return name, reader.nstring8()

    return mailbox, reader.parenthesized(value)


def decodeMetadataChanged(reader: Reader) -> Any:
    """
    C{metadata-resp} with C{entry-list}: mailbox, names.
    """
    _head(reader, "METADATA")
    reader.space()
    mailbox = reader.mailbox()
    return mailbox, _spacedToEnd(reader, lambda: _ascii(reader.astring()))


def decodeId(reader: Reader) -> Any:
    """
    C{id-response}: parameters.
    """
    _head(reader, "ID")
    reader.space()
    if reader.peek() != b"(":
        reader.nstring()
        return ()

    def pair() -> tuple[bytes, bytes | None]:
        field = reader.string()
        reader.space()
        return field, reader.nstring()

    return reader.parenthesizedOrEmpty(pair)


def decodeFetchItem(reader: Reader) -> Any:
    """
    An item of extensions in FETCH: name, value.
    """
    label = reader.optional(_BINARY)
    if label:
        reader.space()
        return label, reader.number64() if label.startswith(b"BINARY.SIZE") else reader.nstring8()
    name = reader.word()
    reader.space()
    value: Any
    if name == "MODSEQ":
        reader.expect(b"(")
        value = reader.modSequence()
        reader.expect(b")")
    elif name in ("EMAILID", "THREADID"):
        if not reader.accept(b"("):
            return name, reader.nstring()
        value = reader.objectId()
        reader.expect(b")")
    elif name == "SAVEDATE":
        value = reader.dateTime() if reader.peek() == b'"' else reader.nstring()
    elif name == "PREVIEW":
        preview = reader.nstring()
        value = None if preview is None else preview.decode()
    else:
        raise ParseError("Unknown item")
    return name, value
