"""
Annotations::

    getmetadata         = "GETMETADATA" [SP getmetadata-options]
                          SP mailbox SP entries
    getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
    getmetadata-option  = "MAXSIZE" SP number /
                          "DEPTH" SP ("0" / "1" / "infinity")
    setmetadata         = "SETMETADATA" SP mailbox SP entry-values
    entries             = entry / "(" entry *(SP entry) ")"
    entry-values        = "(" entry-value *(SP entry-value) ")"
    entry-value         = entry SP value
    value               = nstring / literal8
    metadata-resp       = "METADATA" SP mailbox SP (entry-values / entry-list)
    entry-list          = entry *(SP entry)

(RFC 5464 section 5.)  An empty mailbox stands for the server.  The ABNF has the options
before the mailbox, the RFC's examples behind it; clients write both, and both are read.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import Final

import attrs

from mailstore.imap.wire import writer
from mailstore.imap.wire.classes import ENTRY_CHAR
from mailstore.imap.wire.options import readOptions, withValue
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError

# entry           = astring  ; slash-separated path to entry
# "MUST NOT contain two consecutive "/" characters and MUST NOT end with a "/"", and
# begins with /private or /shared (RFC 5464 section 3.2).
_COMPONENT: Final = rb"/(?:(?!/)[" + ENTRY_CHAR + rb"])+"
_ENTRY: Final = re.compile(rb"/(?:private|shared)((?:" + _COMPONENT + rb")*)", re.IGNORECASE)

#: Components behind the first that the name of a value has, in vendors' names and in others.
_LEAST_OF_VENDOR: Final = 3
_LEAST: Final = 1


class Depth(enum.Enum):
    """
    How far below the entries named GETMETADATA looks (RFC 5464 section 4.2.2).
    """

    ZERO = "0"
    ONE = "1"
    INFINITY = "INFINITY"


@attrs.frozen
class GetMetadata:
    """
    The arguments of GETMETADATA.
    """

    #: C{""} for the server.
    mailbox: str
    #: Names in lower case, since case does not matter, each once.  With a depth they may be
    #: prefixes that can have no value themselves, such as C{/shared}.
    entries: tuple[str, ...]
    depth: Depth = Depth.ZERO
    #: Bytes of the largest value wanted; C{None} for any.
    max_size: int | None = None


@attrs.frozen
class SetMetadata:
    """
    The arguments of SETMETADATA.
    """

    #: C{""} for the server.
    mailbox: str
    #: Names in lower case, each once, and values; C{None} removes one.
    values: tuple[tuple[str, bytes | None], ...]


_DEPTHS: Final = {depth.value: depth for depth in Depth}

#: What options begin with, while the name of an entry begins with a slash, however it is written.
_OPTIONS: Final = re.compile(rb"\([A-Za-z]")


def readGetMetadata(reader: Reader) -> GetMetadata:
    """
    Read everything behind C{GETMETADATA} and its space.

    @raise ParseError: an argument is missing, an option is not known, or something cannot be
        the name of an entry.
    """
    found: dict[str, object] = {}
    early = reader.peek() == b"("
    if early:
        found = _readOptions(reader)
        reader.space()
    mailbox = reader.mailbox()
    reader.space()
    if not early and reader.ahead(_OPTIONS):
        found = _readOptions(reader)
        reader.space()
    entries = readEntries(reader)
    depth, max_size = found.get("DEPTH", Depth.ZERO), found.get("MAXSIZE")
    assert isinstance(depth, Depth) and (max_size is None or isinstance(max_size, int))
    return GetMetadata(mailbox, entries, depth, max_size)


def readEntries(reader: Reader) -> tuple[str, ...]:
    """
    C{entries} in lower case, each once.

    @raise ParseError: something cannot be the name of an entry.
    """
    if reader.peek() == b"(":
        return tuple(dict.fromkeys(reader.parenthesized(lambda: _readEntry(reader)[0])))
    return (_readEntry(reader)[0],)


def _readOptions(reader: Reader) -> dict[str, object]:
    """
    C{getmetadata-options}.
    """

    def depth() -> Depth:
        found = _DEPTHS.get(reader.word())
        if found is None:
            raise ParseError("DEPTH is 0, 1 or infinity")
        return found

    known = {"MAXSIZE": withValue(reader, reader.number), "DEPTH": withValue(reader, depth)}
    return readOptions(reader, known, "GETMETADATA")


def _readEntry(reader: Reader) -> tuple[str, int]:
    """
    C{entry} in lower case, and how many components it lacks to have a value.
    """
    name = reader.astring()
    if len(name) > reader.limits.max_name:
        raise ParseError(f"The name of an entry has more than {reader.limits.max_name} bytes")
    match = _ENTRY.fullmatch(name)
    if match is None:
        raise ParseError("That cannot be the name of an entry")
    below = match[1].lower()
    vendor = below == b"/vendor" or below.startswith(b"/vendor/")
    return name.decode("ascii").lower(), (_LEAST_OF_VENDOR if vendor else _LEAST) - below.count(b"/")


def readSetMetadata(reader: Reader) -> SetMetadata:
    """
    Read everything behind C{SETMETADATA} and its space.

    @raise ParseError: an argument is missing, something cannot be the name of an entry with a
        value, or an entry stands twice.
    """
    mailbox = reader.mailbox()
    reader.space()

    def value() -> tuple[str, bytes | None]:
        name, lacking = _readEntry(reader)
        if lacking > 0:
            raise ParseError("That entry cannot have a value")
        reader.space()
        return name, reader.nstring8()

    values = reader.parenthesized(value)
    if len(dict(values)) < len(values):
        raise ParseError("An entry stands twice")
    return SetMetadata(mailbox, values)


def metadataLine(mailbox: str, values: Iterable[tuple[str, bytes | None]], utf8: bool = False) -> bytes:
    """
    The METADATA response with values, at least one; C{None} for one that is not set.
    """
    items = [b"%b %b" % (_entry(name), writer.nstring8(value, utf8)) for name, value in values]
    return b"* METADATA %b (%b)\r\n" % (writer.mailbox(mailbox, utf8), b" ".join(items))


def metadataChangedLine(mailbox: str, names: Iterable[str], utf8: bool = False) -> bytes:
    """
    The METADATA response that tells which entries somebody has changed, at least one.
    """
    items = (writer.mailbox(mailbox, utf8), *map(_entry, names))
    return b"* METADATA %b\r\n" % b" ".join(items)


def _entry(name: str) -> bytes:
    return writer.astring(name.encode("ascii"))
