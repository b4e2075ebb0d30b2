"""
The text of a message for searching, and the one way in which texts are compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from mailstore.message import words
from mailstore.message.headers import decode, headerOf, iterFields
from mailstore.message.lines import WINDOW
from mailstore.message.structure import Message, Part

#: Characters of a message's body, and of its header, that can be found by searching.
MAX_TEXT = 1 << 20

# Marks that follow one letter and are kept, as in the Stream-Safe Text Format of UAX #15.
_MAX_MARKS = 30


_TEXTUAL = (b"text", b"message")


def fold(text: str) -> str:
    """
    The form in which texts are compared: the same for texts that differ only
    in case, in composed or decomposed accents, or in compatibility forms such
    as full width (case folding and NFKC, Unicode section 3.13, D147).  Folding
    twice changes nothing.
    """
    if text.isascii():
        return text.lower()
    text = _streamSafe(text)
    for _ in range(2):
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())
    return text


def _streamSafe(text: str) -> str:
    # Sorting a long run of marks takes time that grows with its square.
    marks = "".join(re.escape(each) for each in set(text) if unicodedata.combining(each))
    if not marks:
        return text
    return re.sub(f"([{marks}]{{{_MAX_MARKS}}})[{marks}]+", r"\1", text)


def headerText(message: Message) -> tuple[tuple[str, str], ...]:
    """
    The fields of the message's header in their order: name in lower case,
    and decoded value.  At most L{MAX_TEXT} characters of values.
    """
    result: list[tuple[str, str]] = []
    room = MAX_TEXT
    for name, raw in iterFields(headerOf(message, message.root)):
        value = decode(raw)[:room]
        room -= len(value)
        result.append((name.decode("ascii").lower(), value))
        if not room:
            break
    return tuple(result)


#: Bytes that encode one byte, at most: four letters for three bytes, or C{=XX}, with line ends.
_STRETCH = {b"base64": 2, b"quoted-printable": 4}


def bodyText(message: Message) -> str:
    """
    The text of all text and message parts, decoded, and of the headers of
    messages within the message, in their order with a line end between: at
    most L{MAX_TEXT} characters.  RFC 9051 section 6.4.4 lets other media types
    be left out.
    """
    pieces: list[str] = []
    room = MAX_TEXT
    for part, is_message in _inner(message):
        if room <= 0:
            break
        if is_message:
            room = _add(pieces, _header(message, part), room)
        if part.message is None and part.type in _TEXTUAL and room > 0:
            room = _add(pieces, partText(message, part, room), room)
    return "\n".join(pieces)


def partHeaderText(message: Message) -> str:
    """
    The decoded MIME headers of all parts within the message, in their order with
    a line end between: at most L{MAX_TEXT} characters.  SEARCH TEXT finds them (RFC 9051
    section 6.4.4: "in the header (including MIME header fields)"), SEARCH BODY does not.
    """
    pieces: list[str] = []
    room = MAX_TEXT
    for part, is_message in _inner(message):
        if room <= 0:
            break
        if part is not message.root and not is_message:
            room = _add(pieces, _header(message, part), room)
    return "\n".join(pieces)


def _inner(message: Message) -> Iterator[tuple[Part, bool]]:
    # All parts in their order, and whether each is a message that another part holds.
    waiting = [(message.root, False)]
    while waiting:
        part, is_message = waiting.pop()
        yield part, is_message
        if part.message is not None:
            waiting.append((part.message, True))
        waiting += [(each, False) for each in reversed(part.parts)]


def _add(pieces: list[str], text: str, room: int) -> int:
    text = text[:room]
    if not text:
        return room
    pieces.append(text)
    # One for the line end between.
    return room - len(text) - 1


def _header(message: Message, part: Part) -> str:
    return "\n".join(
        f"{name.decode('ascii')}: {decode(raw)}" for name, raw in iterFields(headerOf(message, part))
    )


def partText(message: Message, part: Part, room: int) -> str:
    """
    The decoded text of one part that is no multipart, of at least its first C{room} characters.
    """
    # A character takes at most 4 bytes; an escape sequence of ISO 2022 may be left open.
    most = 4 * room
    stretch = _STRETCH.get(part.encoding, 1)
    end = min(part.end, part.body_start + stretch * most)
    if part.encoding == b"base64":
        windows = (message.data[at : min(at + WINDOW, end)] for at in range(part.body_start, end, WINDOW))
        data = words.decodeBase64Pieces(windows, most)
    else:
        data = message.data[part.body_start : end]
        if part.encoding == b"quoted-printable":
            data = words.decodeQuotedPrintable(data)
    data = data[:most]
    charset = dict(part.params).get(b"charset", b"").decode("latin-1")
    return words.decodeCharset(data, charset).replace("\r\n", "\n")
