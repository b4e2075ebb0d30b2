"""
What is wanted of messages, and what comes of it.
"""

from __future__ import annotations

import enum

import attrs


class SectionKind(enum.Enum):
    """
    Which bytes of a message or of one of its parts.
    """

    #: All of it: a part's body, or the whole message when no part is named.
    ALL = "all"
    #: The header of the message, or of the message that the part holds.
    HEADER = "header"
    #: Its header, these fields only, and the empty line.
    FIELDS = "fields"
    #: Its header, without these fields.
    FIELDS_NOT = "fields-not"
    #: What follows the header of the message, or of the message that the part holds.
    TEXT = "text"
    #: The MIME header of the part itself.
    MIME = "mime"
    #: As L{ALL}, decoded from its transfer encoding (RFC 3516 section 4.2).
    BINARY = "binary"


@attrs.frozen
class Section:
    """
    Some bytes of a message, by its MIME structure (RFC 9051 section 6.4.5.1).
    """

    kind: SectionKind = SectionKind.ALL
    #: Numbers of the part, from the outside in; empty for the message itself.
    part: tuple[int, ...] = ()
    #: Names of header fields, for the two kinds that take them.
    fields: tuple[str, ...] = ()
    #: First byte wanted, and how many at most; C{None} for all.
    partial: tuple[int, int] | None = None
    #: Only the number of its bytes is wanted, whatever C{partial} says.
    size_only: bool = False


@attrs.frozen
class FetchSpec:
    """
    What is wanted of each message.
    """

    flags: bool = False
    modseq: bool = False
    internal_date: bool = False
    size: bool = False
    #: Names of renditions made at delivery, such as C{"envelope"}.
    renditions: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    email_id: bool = False
    thread_id: bool = False
    save_date: bool = False


@attrs.frozen
class FetchBatch:
    """
    Some messages in ascending order of UID, as columns.  A column that was not
    asked for is empty.  Messages that no longer exist are left out.
    """

    #: Packed L{uint32s}.
    uids: bytes
    #: Packed L{uint64s}: flag masks.
    flags: bytes = b""
    #: Packed L{uint64s}.
    modseqs: bytes = b""
    #: Packed L{uint64s}: seconds since 1970 UTC.
    internal_dates: bytes = b""
    #: Packed signed 16-bit numbers (C{array('h')}): minutes ahead of UTC.
    zones: bytes = b""
    #: Packed L{uint64s}: bytes as served.
    sizes: bytes = b""
    #: For each rendition asked for, one value per message.
    renditions: tuple[tuple[bytes, ...], ...] = ()
    #: For each section asked for, one value per message: its bytes, C{None} if
    #: the message has no such part, or the number of its bytes if only that was asked for or they are
    #: too many for a batch and must be read with
    #: L{IStore.readSection<mailstore.interfaces.IStore.readSection>}.
    sections: tuple[tuple[bytes | int | None, ...], ...] = ()
    #: The keywords, when flags were asked for.
    keywords: tuple[str, ...] = ()
    #: Made of letters and digits: the same for messages with the same bytes, wherever they are (RFC 8474).
    email_ids: tuple[str, ...] = ()
    #: Made of letters and digits: the same for messages whose header fields say that they
    #: belong together; C{None} when they say nothing.
    thread_ids: tuple[str | None, ...] = ()
    #: Packed L{uint64s}: when it came into this folder (RFC 8514), in seconds since 1970 UTC; of
    #: messages from before the store kept that, the internal date.
    save_dates: bytes = b""
