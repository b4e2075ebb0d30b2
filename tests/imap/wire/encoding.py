"""
Writes the values of L{mailstore.imap.wire.values} as a client would, so that
what the reader reads can be read again; and frames what was written.
"""

from __future__ import annotations

from datetime import date

from mailstore.imap.wire import writer
from mailstore.imap.wire.framer import CommandReceived, Framer, LiteralAnnounced
from mailstore.imap.wire.partial import partialText
from mailstore.imap.wire.reader import Reader, ReaderLimits
from mailstore.imap.wire.values import (
    STAR,
    AppendArguments,
    CatenatePart,
    FetchItems,
    FetchSection,
    ListArguments,
    SearchKey,
    SearchKind,
    SearchProgram,
    SectionForm,
    SequenceSet,
    StatusItem,
    StoreFlags,
)


def frame(wire: bytes) -> tuple[bytes, ...]:
    """
    The parts of one whole command, given without its last line end.
    """
    framer = Framer()
    framer.receive(wire + b"\r\n")
    while True:
        event = framer.next()
        if isinstance(event, LiteralAnnounced):
            framer.collectLiteral()
        else:
            assert isinstance(event, CommandReceived), event
            assert framer.next() is None and framer.buffered == 0
            return event.parts


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_LIMITS = ReaderLimits()


def readerOf(wire: bytes, utf8: bool = False, limits: ReaderLimits = _LIMITS) -> Reader:
    """
    A reader at the beginning of a command.
    """
    return Reader(frame(wire), utf8=utf8, limits=limits)


def encodeSequenceSet(numbers: SequenceSet) -> bytes:
    """
    C{sequence-set}.
    """

    if numbers.saved:
        return b"$"

    def one(number: int) -> str:
        return "*" if number == STAR else str(number)

    return ",".join(
        one(low) if low == high else f"{one(low)}:{one(high)}" for low, high in numbers.ranges
    ).encode()


def encodeFetchItems(items: FetchItems) -> bytes:
    """
    Items of FETCH in parentheses, never as a macro.
    """
    written = []
    for item in items:
        if not isinstance(item, FetchSection):
            written.append(item.value.encode())
            continue
        name = item.label
        if item.form is SectionForm.DECODED and item.peek:
            name = b"BINARY.PEEK" + name[6:]
        if item.partial is not None:
            # The label has the origin octet only.
            name = name[: name.rindex(b"<")] + b"<%d.%d>" % item.partial
        if item.peek and name.startswith(b"BODY"):
            name = b"BODY.PEEK" + name[4:]
        written.append(name)
    return b"(%b)" % b" ".join(written)


def encodeStoreFlags(store: StoreFlags) -> bytes:
    """
    C{store-att-flags}.
    """
    silent = b".SILENT" if store.silent else b""
    return store.mode.value.encode() + silent + b" " + writer.flagList(store.flags)


def encodeStatusItems(items: tuple[StatusItem, ...]) -> bytes:
    """
    The list of STATUS.
    """
    return b"(%b)" % b" ".join(item.value.encode() for item in items)


def encodeListArguments(arguments: ListArguments) -> bytes:
    """
    The arguments of LIST, the pattern always as a string.
    """
    pattern = writer.mailbox(arguments.pattern)
    if not pattern.startswith((b'"', b"{")):
        pattern = writer.quoted(pattern)
    return writer.mailbox(arguments.reference) + b" " + pattern


def encodeAppend(arguments: AppendArguments) -> bytes:
    """
    The arguments of APPEND with messages of as many C{x} as they have bytes.
    """
    wire = writer.mailbox(arguments.mailbox)
    for message in arguments.messages:
        if message.flags:
            wire += b" " + writer.flagList(message.flags)
        if message.internal_date is not None:
            wire += b" " + writer.internalDate(message.internal_date, message.zone)
        if message.parts:
            wire += b" CATENATE (%b)" % b" ".join(map(_encodePart, message.parts))
            continue
        literal = b"%b{%d}\r\n%b" % (b"~" * message.binary, message.size, b"x" * message.size)
        wire += b" UTF8 (%b)" % literal if message.utf8 else b" " + literal
    return wire


def _encodePart(part: CatenatePart) -> bytes:
    if part.url is not None:
        return b"URL " + writer.astring(part.url)
    literal = b"{%d}\r\n%b" % (part.size, b"x" * part.size)
    return b"UTF8 (~%b)" % literal if part.utf8 else b"TEXT " + literal


def encodeReplace(arguments: tuple[int, AppendArguments]) -> bytes:
    """
    The arguments of REPLACE, as those of APPEND.
    """
    number, append = arguments
    return (b"%d" % number if number else b"*") + b" " + encodeAppend(append)


_DATES = (
    SearchKind.BEFORE,
    SearchKind.ON,
    SearchKind.SINCE,
    SearchKind.SENTBEFORE,
    SearchKind.SENTON,
    SearchKind.SENTSINCE,
    SearchKind.SAVEDBEFORE,
    SearchKind.SAVEDON,
    SearchKind.SAVEDSINCE,
)

_NUMBERS = (SearchKind.LARGER, SearchKind.SMALLER, SearchKind.OLDER, SearchKind.YOUNGER)


def _encodeKey(key: SearchKey, codec: str) -> bytes:
    def text() -> bytes:
        return writer.string(key.text.encode(codec))

    kind = key.kind
    word = kind.value.encode()
    if kind is SearchKind.AND:
        return b"(%b)" % b" ".join(_encodeKey(each, codec) for each in key.keys)
    if kind is SearchKind.OR:
        first, *others = key.keys
        rest = SearchKey(SearchKind.OR, keys=tuple(others)) if len(others) > 1 else others[0]
        return b"OR " + _encodeKey(first, codec) + b" " + _encodeKey(rest, codec)
    if kind is SearchKind.NOT:
        return b"NOT " + _encodeKey(key.keys[0], codec)
    if kind in (SearchKind.SEQUENCE, SearchKind.UID):
        assert key.sequence is not None
        return b"UID " * (kind is SearchKind.UID) + encodeSequenceSet(key.sequence)
    if kind is SearchKind.FLAG:
        return key.text[1:].upper().encode() if key.text[0] == "\\" else b"KEYWORD " + key.text.encode()
    if kind is SearchKind.MODSEQ and key.text:
        entry = writer.quoted(b"/flags/" + key.text.encode())
        return b"%b %b %b %d" % (word, entry, key.field.encode(), key.number)
    if kind in (SearchKind.EMAILID, SearchKind.THREADID):
        return word + b" " + key.text.encode()
    if kind in _NUMBERS or kind is SearchKind.MODSEQ:
        return word + b" %d" % key.number
    if kind in _DATES:
        return word + b" " + encodeDate(key.number)
    if kind is SearchKind.HEADER:
        return b"HEADER %b " % writer.astring(key.field.encode()) + text()
    if kind in (SearchKind.BODY, SearchKind.TEXT):
        return word + b" " + text()
    return word


def encodeSearch(program: SearchProgram) -> bytes:
    """
    The arguments of SEARCH.
    """
    wire = encodeReturn(program)
    if program.charset:
        wire += b"CHARSET %b " % writer.astring(program.charset.encode())
    return wire + _encodeKeys(program)


def encodeReturn(program: SearchProgram) -> bytes:
    """
    C{search-return-opts} of SEARCH and SORT, with a space behind it.
    """
    if program.returns is None:
        return b""
    options = sorted(option.value.encode() for option in program.returns)
    if program.partial is not None:
        options[options.index(b"PARTIAL")] += b" " + partialText(program.partial)
    return b"RETURN (%b) " % b" ".join(options)


def encodeSearchCriteria(program: SearchProgram) -> bytes:
    """
    The last arguments of SORT and THREAD.
    """
    return writer.astring(program.charset.encode()) + b" " + _encodeKeys(program)


def _encodeKeys(program: SearchProgram) -> bytes:
    codec = program.charset or "utf-8"
    if program.key.kind is SearchKind.AND:
        return b" ".join(_encodeKey(each, codec) for each in program.key.keys)
    return _encodeKey(program.key, codec)


def encodeDate(ordinal: int) -> bytes:
    """
    C{date}.
    """
    day = date.fromordinal(ordinal)
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04d}".encode()


def encodeDateTime(value: tuple[int, int]) -> bytes:
    """
    C{date-time}.
    """
    return writer.internalDate(*value)
