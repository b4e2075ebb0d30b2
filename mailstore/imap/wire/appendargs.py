"""
What APPEND is given, besides the messages' bytes::

    append          = "APPEND" SP mailbox 1*append-message
    append-message  = [SP flag-list] [SP date-time] SP append-data
    append-data     = literal / literal8 / utf8-literal / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
    cat-part        = text-literal / url / utf8-literal
    text-literal    = "TEXT" SP literal
    url             = "URL" SP astring
    utf8-literal    = "UTF8" SP "(" literal8 ")"

    replace         = "REPLACE" SP seq-number SP mailbox append-message
    seq-number      = nz-number / "*"

(RFC 3502 section 6.3.11, RFC 4466 section 6, RFC 4469 section 5, RFC 6855 section 4, RFC 8508 section 5;
RFC 9051 has one C{append-message}.)

Each message is announced at the end of a line, long before the command is whole.
L{readAppendAnnounced} reads what there is at such a moment, L{readAppend} the whole.
"""

from __future__ import annotations

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import STAR, AppendArguments, AppendMessage, CatenatePart, ParseError


class _UrlAnnounced(Exception):
    """
    The literal that comes next is a URL.
    """


def readAppendAnnounced(reader: Reader) -> AppendArguments | None:
    """
    Read everything behind C{APPEND} and its space, up to and with the
    announcement of the literal that comes next.

    @return: the mailbox and the messages so far, the one announced (or of which a part is) last; or
        C{None} if the literal announced is the mailbox's name or a URL.
    @raise ParseError: also if there are more messages than
        L{ReaderLimits.max_items<mailstore.imap.wire.reader.ReaderLimits.max_items>}.
    """
    if reader.atPendingLiteral:
        return None
    try:
        return _readArguments(reader, pending=True)
    except _UrlAnnounced:
        return None


def readAppend(reader: Reader) -> AppendArguments:
    """
    Read a whole command, behind C{APPEND} and its space, to its end.

    @raise ParseError: as L{readAppendAnnounced}.
    """
    return _readArguments(reader, pending=False)


def readReplaced(reader: Reader) -> int:
    """
    Read what stands behind C{REPLACE} and its space, up to and with the space before the mailbox; the rest
    is as in APPEND.

    @return: the message, by its number or UID; L{STAR} for C{*}.
    @raise ParseError:
    """
    number = STAR if reader.accept(b"*") else reader.nzNumber()
    reader.space()
    return number


def readReplace(reader: Reader) -> tuple[int, AppendArguments]:
    """
    Read a whole command, behind C{REPLACE} and its space, to its end.

    @return: as L{readReplaced}, and the mailbox with the one message.
    @raise ParseError: as L{readAppend}, also if there are several messages.
    """
    number = readReplaced(reader)
    arguments = readAppend(reader)
    if len(arguments.messages) > 1:
        raise ParseError("REPLACE brings one message")
    return number, arguments


def _readArguments(reader: Reader, pending: bool) -> AppendArguments:
    """
    C{mailbox 1*append-message}, to the end; if C{pending}, that is the
    announcement of the last message.
    """
    mailbox = reader.mailbox()
    messages: list[AppendMessage] = []
    while True:
        if len(messages) >= reader.limits.max_items:
            raise ParseError(f"APPEND has more than {reader.limits.max_items} messages")
        message = _readMessage(reader, pending)
        messages.append(message)
        if message.utf8 and not (pending and reader.atEnd):
            reader.expect(b")")
        if reader.atEnd:
            return AppendArguments(mailbox, tuple(messages))


def _readMessage(reader: Reader, pending: bool) -> AppendMessage:
    """
    C{append-message}; if C{pending}, maybe only up to the announcement of a part.
    """
    reader.space()
    flags: tuple[str, ...] = ()
    if reader.peek() == b"(":
        flags = tuple(dict.fromkeys(reader.flagList()))
        reader.space()
    internal_date: int | None = None
    zone = 0
    if reader.peek() == b'"':
        internal_date, zone = reader.dateTime()
        # Clients without a clock send the evening of 31 December 1969.
        internal_date = max(0, internal_date)
        reader.space()
    if reader.peek() in (b"C", b"c"):
        if reader.word() != "CATENATE":
            raise ParseError("Expected a literal")
        return AppendMessage(0, flags, internal_date, zone, parts=_readParts(reader, pending))
    utf8 = reader.peek() in (b"U", b"u")
    if utf8:
        if reader.word() != "UTF8":
            raise ParseError("Expected a literal")
        reader.space()
        reader.expect(b"(")
    size, binary = reader.literal()
    if utf8 and not binary:
        raise ParseError("UTF8 needs a literal8")
    return AppendMessage(size, flags, internal_date, zone, binary, utf8)


def _readParts(reader: Reader, pending: bool) -> tuple[CatenatePart, ...]:
    """
    What stands behind C{CATENATE}.
    """
    reader.space()
    reader.expect(b"(")
    parts: list[CatenatePart] = []
    while True:
        if len(parts) >= reader.limits.max_items:
            raise ParseError(f"A message is made of more than {reader.limits.max_items} parts")
        part = _readPart(reader, pending)
        parts.append(part)
        if pending and reader.atEnd:
            return tuple(parts)
        if part.utf8:
            reader.expect(b")")
        if not reader.accept(b" "):
            reader.expect(b")")
            return tuple(parts)


def _readPart(reader: Reader, pending: bool) -> CatenatePart:
    """
    C{cat-part}, without the C{)} of C{utf8-literal}.
    """
    kind = reader.word()
    reader.space()
    if kind == "URL":
        if pending and reader.atPendingLiteral:
            raise _UrlAnnounced()
        return CatenatePart(url=reader.astring())
    if kind not in ("TEXT", "UTF8"):
        raise ParseError("CATENATE takes URL, TEXT and UTF8")
    if kind == "UTF8":
        reader.expect(b"(")
    size, binary = reader.literal()
    if binary is not (kind == "UTF8"):
        raise ParseError("TEXT needs a literal, and UTF8 a literal8")
    return CatenatePart(size=size, utf8=binary)
