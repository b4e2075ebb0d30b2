"""
What the arguments of commands mean once they have been read: immutable values
without a store, a session or a byte of syntax in them.
"""

from __future__ import annotations

import enum
from typing import Final

import attrs

#: Largest C{number} and C{nz-number} (RFC 9051 section 9).
MAX_NUMBER: Final = 0xFFFF_FFFF

#: Largest C{number64} (RFC 9051 section 9).
MAX_NUMBER64: Final = 0x7FFF_FFFF_FFFF_FFFF

#: Stands for C{*} in a L{SequenceSet}.
STAR: Final = 0


class ParseError(Exception):
    """
    The command is not well formed.  Its only argument is a short sentence for
    the person who wrote the client: printable ASCII, safe to send to anybody.
    Answered with a tagged BAD (RFC 9051 section 7.1.3).
    """


class UnknownCharset(ParseError):
    """
    SEARCH names a character set that is not known here.  Answered with a
    tagged NO and the code BADCHARSET (RFC 9051 section 6.4.4), not with BAD.

    @ivar saves: what was to be found was to be C{$} (RFC 5182 section 2.1).
    """

    saves = False


# --- sets of messages -------------------------------------------------------


@attrs.frozen
class SequenceSet:
    """
    A C{sequence-set} as it was written: of message sequence numbers or of
    UIDs, which of them the command decides (RFC 9051 section 9).
    """

    #: Pairs in the order and direction written; a single number is a pair of
    #: itself.  L{STAR} (0) stands for C{*}.
    ranges: tuple[tuple[int, int], ...]
    #: Whether it is C{$}, the messages that a search has saved (RFC 5182); then it has no ranges.
    saved: bool = False

    @property
    def largest(self) -> int:
        """
        The largest number named; 0 if there is nothing but C{*} or C{$}.
        """
        return max(map(max, self.ranges), default=0)

    @property
    def hasStar(self) -> bool:
        """
        Whether C{*} is in it.
        """
        return any(STAR in each for each in self.ranges)

    def resolve(self, last: int) -> tuple[tuple[int, int], ...]:
        """
        The numbers meant, as sorted, disjoint, inclusive ranges (neighbours
        merged), when C{*} is C{last}.  Numbers above C{last} are kept.  C{$} names
        no numbers itself.

        @param last: the largest sequence number or UID in use.  0 for an
            empty folder: then C{*} means nothing and a range with it as one
            end means the other end alone.
        """
        if len(self.ranges) == 1:
            low, high = self.ranges[0]
            low, high = low or last, high or last
            if low > high:
                low, high = high, low
            return ((low or high, high),) if high else ()
        merged: list[tuple[int, int]] = []
        for low, high in sorted(
            (low, high) if low <= high else (high, low)
            for low, high in ((low or last or high, high or last or low) for low, high in self.ranges)
        ):
            if not high:
                continue
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        return tuple(merged)


# --- FETCH ------------------------------------------------------------------


class FetchData(enum.Enum):
    """
    Data items of FETCH that are not bytes of the message; the values are
    their names in the command and in the response (RFC 9051 section 6.4.5).
    """

    # Each is there once: Enum's own hash is that of its name, and slow.
    __hash__ = object.__hash__

    UID = "UID"
    FLAGS = "FLAGS"
    INTERNALDATE = "INTERNALDATE"
    RFC822_SIZE = "RFC822.SIZE"
    ENVELOPE = "ENVELOPE"
    #: BODYSTRUCTURE without its extension data.
    BODY = "BODY"
    BODYSTRUCTURE = "BODYSTRUCTURE"
    #: RFC 7162 section 3.1.4.2.
    MODSEQ = "MODSEQ"
    #: RFC 8474 section 5.
    EMAILID = "EMAILID"
    THREADID = "THREADID"
    #: RFC 8514 section 4.2.
    SAVEDATE = "SAVEDATE"
    #: RFC 8970 section 3.
    PREVIEW = "PREVIEW"
    #: The same, but C{NIL} will do if it is not at hand; C{PREVIEW} in the response.
    PREVIEW_LAZY = "PREVIEW (LAZY)"


class SectionText(enum.Enum):
    """
    The last word of a C{section-spec} (RFC 9051 section 6.4.5.1).
    """

    #: No word: the part's body, or the whole message when no part is named.
    ALL = ""
    HEADER = "HEADER"
    HEADER_FIELDS = "HEADER.FIELDS"
    HEADER_FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"


class SectionForm(enum.Enum):
    """
    What FETCH wants of a section's bytes.
    """

    #: The bytes as they are in the message: C{BODY[...]}.
    ENCODED = "BODY"
    #: The bytes without their content transfer encoding: C{BINARY[...]} (RFC 3516 section 4.2).
    DECODED = "BINARY"
    #: How many those are: C{BINARY.SIZE[...]}.
    DECODED_SIZE = "BINARY.SIZE"


@attrs.frozen
class FetchSection:
    """
    Bytes of the message: C{BODY[...]}, C{BODY.PEEK[...]}, C{RFC822},
    C{RFC822.HEADER}, C{RFC822.TEXT}; or of a part that is decoded:
    C{BINARY[...]}, C{BINARY.PEEK[...]}, C{BINARY.SIZE[...]}.
    """

    #: What the item is called in the response, ready to be sent, with the
    #: origin octet of a partial: C{BODY[1.MIME]}, C{BODY[]<0>}, C{RFC822.TEXT}.
    label: bytes
    text: SectionText = SectionText.ALL
    #: Numbers of the part, from the outside in; empty for the message itself.
    part: tuple[int, ...] = ()
    #: Names of header fields as they were written, for the two texts that take them.
    fields: tuple[str, ...] = ()
    #: First byte wanted, and how many at most (at least 1); C{None} for all.
    partial: tuple[int, int] | None = None
    #: Whether reading it leaves C{\Seen} alone.
    peek: bool = False
    #: Not C{ENCODED} with L{Extension.BINARY<mailstore.imap.wire.extensions.Extension.BINARY>}
    #: only; then it has a part number or is the whole message, and no text.
    form: SectionForm = SectionForm.ENCODED


#: What FETCH asks for, in the order written, each once.
FetchItems = tuple[FetchData | FetchSection, ...]


# --- STORE, STATUS, LIST, APPEND --------------------------------------------


class StoreMode(enum.Enum):
    """
    How STORE changes flags (RFC 9051 section 6.4.6).
    """

    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


@attrs.frozen
class StoreFlags:
    """
    The C{store-att-flags} of STORE.
    """

    mode: StoreMode
    #: Flags as L{Reader.flag<mailstore.imap.wire.reader.Reader.flag>} gives them.
    flags: tuple[str, ...]
    #: Whether the client does not want to be told the new flags.
    silent: bool = False


class StatusItem(enum.Enum):
    """
    What STATUS can ask for (RFC 9051 section 6.3.11, RFC 3501 section 6.3.10
    for RECENT, RFC 7162 section 3.1.7 for HIGHESTMODSEQ, RFC 8474 section 4.3 for MAILBOXID,
    RFC 7889 section 3 for APPENDLIMIT, RFC 9208 section 4.1.4 for DELETED-STORAGE).
    """

    # Each is there once: Enum's own hash is that of its name, and slow.
    __hash__ = object.__hash__

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UIDNEXT = "UIDNEXT"
    UIDVALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"
    DELETED = "DELETED"
    SIZE = "SIZE"
    HIGHESTMODSEQ = "HIGHESTMODSEQ"
    MAILBOXID = "MAILBOXID"
    APPENDLIMIT = "APPENDLIMIT"
    #: Bytes of the messages with C{\Deleted}.
    DELETED_STORAGE = "DELETED-STORAGE"


@attrs.frozen
class ListArguments:
    """
    The arguments of LIST and LSUB (RFC 3501 sections 6.3.8 and 6.3.9).
    """

    #: Goes before the pattern; often empty.
    reference: str
    #: C{*} matches anything, C{%} anything without the separator.
    pattern: str


@attrs.frozen
class CatenatePart:
    """
    A part of which a message is put together (RFC 4469).
    """

    #: Where it is, as it is written; C{None} for a literal.
    url: bytes | None = None
    #: Bytes of the literal.
    size: int = 0
    #: Whether it was given as C{UTF8 (...)} (RFC 6855 section 4).
    utf8: bool = False


@attrs.frozen
class AppendMessage:
    """
    What APPEND says of one message (RFC 9051 section 6.3.12; several of them
    in RFC 3502).
    """

    #: Bytes of the literal.
    size: int
    flags: tuple[str, ...] = ()
    #: Seconds since 1970 UTC; C{None} if the client gave no date.
    internal_date: int | None = None
    #: Minutes that the client's local time was ahead of UTC.
    zone: int = 0
    #: Whether it is a C{literal8}, which may hold NUL (RFC 3516 section 4.4).
    binary: bool = False
    #: Whether it was given as C{UTF8 (...)} (RFC 6855 section 4).
    utf8: bool = False
    #: What it is put together of; then it has no literal of its own, and no size is known.
    parts: tuple[CatenatePart, ...] = ()


@attrs.frozen
class AppendArguments:
    """
    The arguments of APPEND, without the messages' bytes.
    """

    mailbox: str
    messages: tuple[AppendMessage, ...]


# --- SEARCH -----------------------------------------------------------------


class SearchKind(enum.Enum):
    """
    The tests that a search is made of, each with the operands it uses.  The
    many keys of RFC 9051 section 6.4.4 are reduced to these: BCC is a
    L{HEADER}, UNSEEN a L{NOT} of a L{FLAG}, NEW and OLD are made of L{RECENT}.
    """

    ALL = "ALL"
    #: C{keys}: all of them, at least two, none of them an AND.
    AND = "AND"
    #: C{keys}: any of them, at least two, none of them an OR.
    OR = "OR"
    #: C{keys}: its one key does not hold.
    NOT = "NOT"
    #: C{sequence}: message sequence numbers.
    SEQUENCE = "SEQUENCE"
    #: C{sequence}: UIDs.
    UID = "UID"
    #: C{text}: a flag or keyword.
    FLAG = "FLAG"
    #: Recent to this session (RFC 3501 section 2.3.2).
    RECENT = "RECENT"
    #: C{number}: more bytes than this.
    LARGER = "LARGER"
    #: C{number}: fewer bytes than this.
    SMALLER = "SMALLER"
    #: C{number}: a day, as the proleptic ordinal of L{datetime.date.toordinal}.
    BEFORE = "BEFORE"
    ON = "ON"
    SINCE = "SINCE"
    SENTBEFORE = "SENTBEFORE"
    SENTON = "SENTON"
    SENTSINCE = "SENTSINCE"
    #: C{field} holds C{text}; with empty text, C{field} is there.
    HEADER = "HEADER"
    #: C{text} is in the body.
    BODY = "BODY"
    #: C{text} is in the header or the body.
    TEXT = "TEXT"
    #: C{number}: its mod-sequence is this or larger.  C{text} is the flag that is meant and C{field}
    #: C{priv}, C{shared} or C{all}; or both are empty.  Who keeps one mod-sequence for
    #: a message has to ignore the two (RFC 7162 section 3.1.5).
    MODSEQ = "MODSEQ"
    #: C{number}: its internal date is more seconds ago than this, or as many (RFC 5032).
    OLDER = "OLDER"
    #: C{number}: its internal date is fewer seconds ago than this, or as many.
    YOUNGER = "YOUNGER"
    #: C{number}: as for L{BEFORE}, but of the time at which it was saved here (RFC 8514).
    SAVEDBEFORE = "SAVEDBEFORE"
    SAVEDON = "SAVEDON"
    SAVEDSINCE = "SAVEDSINCE"
    #: Everything where such times are kept, otherwise nothing.
    SAVEDATESUPPORTED = "SAVEDATESUPPORTED"
    #: C{text}: an object identifier (RFC 8474 section 6).
    EMAILID = "EMAILID"
    THREADID = "THREADID"


@attrs.frozen
class SearchKey:
    """
    A C{search-key}.
    """

    kind: SearchKind
    keys: tuple[SearchKey, ...] = ()
    sequence: SequenceSet | None = None
    text: str = ""
    field: str = ""
    number: int = 0


class SearchReturn(enum.Enum):
    """
    What SEARCH RETURN asks for (RFC 4731 section 3.1, RFC 5182 section 2).
    """

    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"
    #: What is found is to be C{$} from now on.
    SAVE = "SAVE"
    #: A range of what is found (RFC 9394), which L{SearchProgram.partial} says.
    PARTIAL = "PARTIAL"


@attrs.frozen
class PartialRange:
    """
    Some of many, by their places (RFC 9394 section 3.1).
    """

    #: Places from 1 on, in the order written, which does not matter; both are in it.
    first: int
    last: int
    #: Whether they are counted from the end.
    from_end: bool = False

    def bounds(self, count: int) -> tuple[int, int]:
        """
        Where it begins and ends in C{count} things, as for a slice.
        """
        low, high = sorted((self.first, self.last))
        if self.from_end:
            low, high = count + 1 - high, count + 1 - low
        start = min(max(0, low - 1), count)
        return start, max(start, min(high, count))


@attrs.frozen
class SearchProgram:
    """
    The arguments of SEARCH; and of SORT and THREAD behind their own.
    """

    key: SearchKey
    #: The character set named, in the client's spelling; C{""} if none.  The
    #: texts have been decoded already.
    charset: str = ""
    #: What to answer with ESEARCH, never nothing; C{None} without RETURN.
    returns: frozenset[SearchReturn] | None = None
    #: Which of what is found, if L{SearchReturn.PARTIAL} is asked for.
    partial: PartialRange | None = None
