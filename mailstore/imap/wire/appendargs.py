"""
What APPEND is given, besides the messages' bytes::

    append          = "APPEND" SP mailbox 1*append-message
    append-message  = [SP flag-list] [SP date-time] SP append-data
    append-data     = literal / literal8 / "UTF8" SP "(" literal8 ")"

(RFC 3502 section 6.3.11, RFC 4466 section 6, RFC 6855 section 4; a plain APPEND has one C{append-message}.)

A message is announced at the end of a line, long before the command is whole::

    A1 APPEND Sent (\\Seen) {310}           readAppendStart: mailbox, first message
    ...310 bytes... "1-Jan-2024 ..." {55}  readNextMessage on this line alone
    ...55 bytes...                         readAppendEnd on this line alone
"""

from __future__ import annotations

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import AppendArguments, AppendMessage, ParseError


def readAppendStart(reader: Reader) -> tuple[str, AppendMessage]:
    """
    Read everything behind C{APPEND} and its space, up to and with the
    announcement of the first message.

    @return: the mailbox, and what is said of the message.
    @raise ParseError:
    """
    mailbox = reader.mailbox()
    return mailbox, _readMessage(reader)


def readNextMessage(reader: Reader, previous: AppendMessage) -> AppendMessage:
    """
    Read a line between two messages (RFC 3502), up to and with the
    announcement of the next.

    @raise ParseError:
    """
    if previous.utf8:
        reader.expect(b")")
    return _readMessage(reader)


def readAppendEnd(reader: Reader, previous: AppendMessage) -> None:
    """
    Read the line behind the last message.

    @raise ParseError:
    """
    if previous.utf8:
        reader.expect(b")")
    reader.end()


def readAppend(reader: Reader) -> AppendArguments:
    """
    Read a whole command, behind C{APPEND} and its space, to its end.

    @raise ParseError: also if there are more messages than
        L{ReaderLimits.max_items<mailstore.imap.wire.reader.ReaderLimits.max_items>}.
    """
    mailbox, message = readAppendStart(reader)
    messages = [message]
    while not reader.atEnd:
        if message.utf8:
            reader.expect(b")")
            if reader.atEnd:
                break
        if len(messages) >= reader.limits.max_items:
            raise ParseError(f"APPEND has more than {reader.limits.max_items} messages")
        message = _readMessage(reader)
        messages.append(message)
    return AppendArguments(mailbox, tuple(messages))


def _readMessage(reader: Reader) -> AppendMessage:
    """
    C{append-message}.
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
