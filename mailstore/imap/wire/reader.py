"""
Reads a command's arguments, one production of the grammar per method.

A L{Reader} stands somewhere in the parts that the framer cut a command into.
Each method reads its production from there and goes on behind it; if the
production is not there it raises L{ParseError} and nothing else, whatever the
bytes.  Ready-made grammars of whole commands are in the modules beside this
one (L{mailstore.imap.wire.fetchitems} and so on).
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Callable
from datetime import date
from typing import Final, TypeVar

import attrs

from mailstore.imap.wire import mutf7
from mailstore.imap.wire.classes import (
    ASTRING_CHAR,
    ATOM_CHAR,
    BASE64_CHAR,
    FIELD_NAME_CHAR,
    LIST_CHAR,
    QUOTED_PLAIN,
    TAG_CHAR,
)
from mailstore.imap.wire.values import MAX_NUMBER, MAX_NUMBER64, STAR, ParseError, SequenceSet

_Item = TypeVar("_Item")

# tag             = 1*<any ASTRING-CHAR except "+">
_TAG: Final = re.compile(b"[" + TAG_CHAR + b"]+")

# atom            = 1*ATOM-CHAR
_ATOM: Final = re.compile(b"[" + ATOM_CHAR + b"]+")

# astring         = 1*ASTRING-CHAR / string
_ASTRING: Final = re.compile(b"[" + ASTRING_CHAR + b"]+")

# list-mailbox    = 1*list-char / string
_LIST_MAILBOX: Final = re.compile(b"[" + LIST_CHAR + b"]+")

# quoted          = DQUOTE *QUOTED-CHAR DQUOTE
_QUOTED: Final = re.compile(
    rb'"([' + QUOTED_PLAIN + rb']*(?:\\["\\][' + QUOTED_PLAIN + rb']*)*)"',
)
_ESCAPE: Final = re.compile(rb'\\(["\\])')

# literal         = "{" number64 ["+"] "}" CRLF *CHAR8
# literal8        = "~{" number ["+"] "}" CRLF *OCTET      (RFC 4466 section 6)
_LITERAL: Final = re.compile(rb"(~?)\{([0-9]{1,40})\+?\}\Z")

# number          = 1*DIGIT
_DIGITS: Final = re.compile(rb"[0-9]+")

# flag            = "\Answered" / ... / flag-keyword / flag-extension
# flag-extension  = "\" atom
# flag-keyword    = "$MDNSent" / ... / atom
_FLAG: Final = re.compile(rb"\\?[" + ATOM_CHAR + b"]+")

# seq-number      = nz-number / "*"
# seq-range       = seq-number ":" seq-number
# sequence-set    = (seq-number / seq-range) ["," sequence-set]
_SEQUENCE_SET: Final = re.compile(
    rb"(?:\*|[1-9][0-9]*)(?::(?:\*|[1-9][0-9]*))?(?:,(?:\*|[1-9][0-9]*)(?::(?:\*|[1-9][0-9]*))?)*(?![0-9:,*])"
)

# date            = date-text / DQUOTE date-text DQUOTE
# date-text       = date-day "-" date-month "-" date-year
# date-day        = 1*2DIGIT
_DATE_TEXT: Final = rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})"
_DATE: Final = re.compile(rb"(\"?)" + _DATE_TEXT + rb"\1(?![0-9])")

# date-time       = DQUOTE date-day-fixed "-" date-month "-" date-year
#                   SP time SP zone DQUOTE
# date-day-fixed  = (SP DIGIT) / 2DIGIT                    (one digit alone is taken too)
# time            = 2DIGIT ":" 2DIGIT ":" 2DIGIT
# zone            = ("+" / "-") 4DIGIT
_DATE_TIME: Final = re.compile(
    rb'" ?' + _DATE_TEXT + rb' ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)

# date-month      = "Jan" / "Feb" / "Mar" / "Apr" / "May" / "Jun" /
#                   "Jul" / "Aug" / "Sep" / "Oct" / "Nov" / "Dec"
_MONTHS: Final = {
    name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}

# base64          = *(4base64-char) [base64-terminal]
# base64-terminal = (2base64-char "==") / (3base64-char "=")
_QUARTET: Final = rb"[" + BASE64_CHAR + rb"]{4}"
_BASE64: Final = re.compile(
    rb"(?:" + _QUARTET + rb")*(?:[" + BASE64_CHAR + rb"]{2}==|[" + BASE64_CHAR + rb"]{3}=)?"
)

_FIELD_NAME: Final = re.compile(b"[" + FIELD_NAME_CHAR + b"]+")

#: The flags of RFC 9051 section 2.3.2 in their one spelling, by their lower case.
_SYSTEM_FLAGS: Final = {
    name.lower(): name for name in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "\\Recent")
}

_EPOCH: Final = date(1970, 1, 1).toordinal()


@attrs.frozen
class ReaderLimits:
    """
    How much one command may ask for.
    """

    #: Ranges in one sequence set.
    max_ranges: int = 10_000
    #: Items in one list, such as flags, header fields or data items.
    max_items: int = 500
    #: Bytes in one mailbox name or pattern, as it is written.
    max_name: int = 8192
    #: Numbers in one part number of a section.
    max_part_depth: int = 100
    #: Keys in one SEARCH, nested ones and their operators included.
    max_search_keys: int = 1_000
    #: How deep keys may be nested in one SEARCH; AND in AND and OR in OR do not count.
    max_search_depth: int = 50


def decodeBase64(line: bytes) -> bytes:
    """
    The bytes that a line of base64 stands for: what a client answers to a
    challenge (RFC 9051 section 6.2.2).

    @raise ParseError: it is no base64; also for C{*}, which cancels and is to
        be looked for before.
    """
    if _BASE64.fullmatch(line) is None:
        raise ParseError("That is not base64")
    return a2b_base64(line)


class Reader:
    """
    A place in a command.

    @param parts: as in L{CommandReceived.parts<mailstore.imap.wire.framer.CommandReceived.parts>} or
        L{LiteralAnnounced.parts<mailstore.imap.wire.framer.LiteralAnnounced.parts>}.
    @param utf8: the client has enabled UTF8=ACCEPT or IMAP4rev2: mailbox names
        are UTF-8 and no longer modified UTF-7, and 8-bit bytes in quoted strings
        have to be UTF-8 (RFC 6855 section 3, RFC 9051 section 5.1).
    """

    def __init__(
        self, parts: tuple[bytes, ...], *, utf8: bool = False, limits: ReaderLimits = ReaderLimits()
    ) -> None:
        self.utf8 = utf8
        self.limits = limits
        self._parts = parts
        self._part = 0
        self._text = parts[0]
        self._at = 0

    # --- where it stands ---

    def peek(self) -> bytes:
        """
        The next byte of text; C{b""} at the end of a line.
        """
        return self._text[self._at : self._at + 1]

    @property
    def atEnd(self) -> bool:
        """
        Whether everything has been read.
        """
        return self._at == len(self._text) and self._part + 1 == len(self._parts)

    @property
    def atPendingLiteral(self) -> bool:
        """
        Whether the announcement of a literal that has not come yet is next.
        """
        return self._part + 1 == len(self._parts) and _LITERAL.match(self._text, self._at) is not None

    def end(self) -> None:
        """
        Nothing more: the end of the command.

        @raise ParseError:
        """
        if not self.atEnd:
            raise ParseError("There is more after the end of the command")

    def accept(self, token: bytes) -> bool:
        """
        Read these bytes, which may stand here exactly so, or not.

        @return: whether they did.
        """
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def expect(self, token: bytes) -> None:
        """
        Read these bytes.

        @param token: printable ASCII.
        @raise ParseError: something else stands here.
        """
        if not self._text.startswith(token, self._at):
            raise ParseError(f"Expected {token.decode('ascii')!r}")
        self._at += len(token)

    def space(self) -> None:
        """
        C{SP}: exactly one space.

        @raise ParseError:
        """
        if not self._text.startswith(b" ", self._at):
            raise ParseError("Expected a space" if self.peek() else "An argument is missing")
        self._at += 1

    def _match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        """
        Read what C{pattern} matches, which C{what} names with its article.
        """
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ParseError(f"Expected {what}")
        self._at = match.end()
        return match

    # --- words ---

    def tag(self) -> bytes:
        """
        C{tag}.

        @raise ParseError:
        """
        return self._match(_TAG, "a tag")[0]

    def atom(self) -> bytes:
        """
        C{atom}, as it is written.

        @raise ParseError:
        """
        return self._match(_ATOM, "an atom")[0]

    def word(self) -> str:
        """
        C{atom} that is a name of the protocol, in upper case: those are the
        same in any case (RFC 9051 section 9 note 1).

        @raise ParseError:
        """
        return self._match(_ATOM, "a name")[0].decode("ascii").upper()

    def commandName(self) -> str:
        """
        A command's name in upper case; with C{UID} before it, both words and
        one space: C{"UID FETCH"}.

        @raise ParseError:
        """
        name = self._match(_ATOM, "a command")[0].decode("ascii").upper()
        if name == "UID":
            self.space()
            name = f"UID {self.word()}"
        return name

    def name(self, pattern: re.Pattern[bytes]) -> str:
        """
        A name of the protocol in upper case, where it is not a whole atom.

        @param pattern: matches ASCII only.
        @raise ParseError:
        """
        return self._match(pattern, "a name")[0].decode("ascii").upper()

    def optional(self, pattern: re.Pattern[bytes]) -> bytes:
        """
        What C{pattern} matches, or C{b""}.
        """
        match = pattern.match(self._text, self._at)
        if match is None:
            return b""
        self._at = match.end()
        return match[0]

    # --- strings ---

    def _quoted(self) -> bytes:
        """
        C{quoted}.
        """
        value = self._match(_QUOTED, "a quoted string")[1]
        if b"\\" in value:
            value = _ESCAPE.sub(rb"\1", value)
        if self.utf8 and not value.isascii():
            # RFC 6855 section 3: such octets MUST be answered with BAD.
            try:
                value.decode("utf-8")
            except UnicodeDecodeError:
                raise ParseError("A quoted string is not in UTF-8") from None
        return value

    def literal(self) -> tuple[int, bool]:
        """
        The announcement of C{literal} or C{literal8} at the end of a line, and
        the literal after it if it is there: for APPEND, which looks at the size
        and streams the rest.

        @return: how many bytes it has, and whether it is a C{literal8}.
        @raise ParseError:
        """
        match = self._match(_LITERAL, "a literal")
        if self._part + 2 < len(self._parts):
            self._part += 2
            self._text = self._parts[self._part]
            self._at = 0
        return min(int(match[2]), MAX_NUMBER64), bool(match[1])

    def string(self) -> bytes:
        """
        C{string}: C{quoted} or C{literal}.

        @raise ParseError: it is neither, or it is a literal with a NUL in it, a
            C{literal8}, or one that was not collected.
        """
        first = self.peek()
        if first == b'"':
            return self._quoted()
        if first == b"{":
            at = self._part + 1
            size, _ = self.literal()
            value = self._parts[at] if at < len(self._parts) else None
            if value is None or len(value) != size:
                # It has not come yet, or was streamed.
                raise ParseError("A literal is not allowed here")
            if b"\0" in value:
                raise ParseError("A literal holds a NUL")
            return value
        raise ParseError("Expected a string")

    def astring(self) -> bytes:
        """
        C{astring}: a word of any C{ASTRING-CHAR}, or C{string}.

        @raise ParseError:
        """
        match = _ASTRING.match(self._text, self._at)
        if match is None:
            return self.string()
        self._at = match.end()
        return match[0]

    def nstring(self) -> bytes | None:
        """
        C{nstring}: C{string}, or C{NIL} in any case, which is C{None}.

        @raise ParseError:
        """
        match = _ATOM.match(self._text, self._at)
        if match is None:
            return self.string()
        if match[0].upper() != b"NIL":
            raise ParseError("Expected a string or NIL")
        self._at = match.end()
        return None

    def fieldName(self) -> str:
        """
        C{header-fld-name}: an astring that can be the name of a header field
        (RFC 5322 section 3.6.8), as it is written.

        @raise ParseError:
        """
        name = self.astring()
        if _FIELD_NAME.fullmatch(name) is None:
            raise ParseError("That cannot be the name of a header field")
        return name.decode("ascii")

    def base64(self) -> bytes:
        """
        C{initial-resp}: base64, or C{=} for an answer of no bytes (RFC 4959
        section 3).

        @raise ParseError:
        """
        if self.accept(b"="):
            return b""
        return decodeBase64(self._match(_BASE64, "base64")[0])

    # --- numbers ---

    def _number(self, largest: int) -> int:
        """
        C{1*DIGIT}, not more than C{largest}.
        """
        digits = self._match(_DIGITS, "a number")[0]
        if len(digits) > 19:
            # Zeros in front are allowed, in any number; more digits are never in range.
            digits = digits.lstrip(b"0")[:20] or b"0"
        value = int(digits)
        if value > largest:
            raise ParseError(f"A number is larger than {largest}")
        return value

    def number(self) -> int:
        """
        C{number}: 0 to 2**32 - 1.

        @raise ParseError: none, or a larger one.
        """
        return self._number(MAX_NUMBER)

    def number64(self) -> int:
        """
        C{number64}: 0 to 2**63 - 1.

        @raise ParseError: none, or a larger one.
        """
        return self._number(MAX_NUMBER64)

    def nzNumber(self) -> int:
        """
        C{nz-number}: 1 to 2**32 - 1, without zeros in front.

        @raise ParseError: none, or one out of range.
        """
        if self.peek() == b"0":
            raise ParseError("A number must not be or begin with 0 here")
        return self._number(MAX_NUMBER)

    def nzNumber64(self) -> int:
        """
        C{nz-number64}: 1 to 2**63 - 1, without zeros in front.

        @raise ParseError: none, or one out of range.
        """
        if self.peek() == b"0":
            raise ParseError("A number must not be or begin with 0 here")
        return self._number(MAX_NUMBER64)

    def sequenceSet(self) -> SequenceSet:
        """
        C{sequence-set}.

        @raise ParseError: none, a number out of range, or more ranges than
            the limit.
        """
        text = self._match(_SEQUENCE_SET, "a set of message numbers")[0]
        if text.count(b",") >= self.limits.max_ranges:
            raise ParseError(f"A set of message numbers has more than {self.limits.max_ranges} parts")
        ranges: list[tuple[int, int]] = []
        for each in text.decode("ascii").split(","):
            low, colon, high = each.partition(":")
            if len(low) > 10 or len(high) > 10:
                raise ParseError(f"A number is larger than {MAX_NUMBER}")
            first = STAR if low == "*" else int(low)
            second = first if not colon else STAR if high == "*" else int(high)
            if first > MAX_NUMBER or second > MAX_NUMBER:
                raise ParseError(f"A number is larger than {MAX_NUMBER}")
            ranges.append((first, second))
        return SequenceSet(tuple(ranges))

    # --- names ---

    def _name(self, value: bytes) -> str:
        """
        What a mailbox name means (RFC 3501 section 5.1.3, RFC 9051 section 5.1).
        """
        self._checkLength(value)
        if not self.utf8 and value.isascii():
            return mutf7.decode(value)
        # 8-bit bytes are not legal from a client that has enabled nothing,
        # but UTF-8 is what every client that sends them means.
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise ParseError("A mailbox name is not in UTF-8") from None

    def _checkLength(self, value: bytes) -> None:
        """
        A name is not too long.
        """
        if len(value) > self.limits.max_name:
            raise ParseError(f"A mailbox name has more than {self.limits.max_name} bytes")

    def mailbox(self) -> str:
        """
        C{mailbox}: a folder's name as its user sees it; C{INBOX} in capitals,
        however it was written.

        @raise ParseError: none, one over the limit, or not in the encoding that the client has to use.
        """
        name = self._name(self.astring())
        return "INBOX" if name.upper() == "INBOX" else name

    def listMailbox(self) -> str:
        """
        C{list-mailbox}: a pattern with C{*} and C{%}, as its user sees it.

        @raise ParseError: none, one over the limit, or 8-bit bytes that are not UTF-8.
        """
        match = _LIST_MAILBOX.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            value = match[0]
        else:
            value = self.string()
        if not self.utf8 and value.isascii():
            self._checkLength(value)
            try:
                return mutf7.decode(value)
            except ParseError:
                # No folder is spelled so; it is no error to look for one.
                return value.decode("ascii")
        return self._name(value)

    def flag(self) -> str:
        """
        C{flag}, in its one spelling if it is one of RFC 9051 section 2.3.2,
        otherwise as it is written.  C{\\Recent} is read as well: whether it
        may stand there the command decides.

        @raise ParseError:
        """
        flag = self._match(_FLAG, "a flag")[0].decode("ascii")
        return _SYSTEM_FLAGS.get(flag.lower(), flag) if flag[0] == "\\" else flag

    def flagList(self) -> tuple[str, ...]:
        """
        C{flag-list}: flags in parentheses, maybe none.

        @raise ParseError: none, or more flags than the limit.
        """
        if self.accept(b"()"):
            return ()
        return self.parenthesized(self.flag)

    # --- times ---

    def _day(self, day: bytes, month: bytes, year: bytes) -> int:
        """
        The ordinal of a day.
        """
        try:
            return date(int(year), _MONTHS[month.lower()], int(day)).toordinal()
        except (KeyError, ValueError):
            raise ParseError("There is no such date") from None

    def date(self) -> int:
        """
        C{date}: a day, as the proleptic ordinal of L{datetime.date.toordinal}.

        @raise ParseError: none, or not a day of the calendar.
        """
        match = self._match(_DATE, "a date")
        return self._day(match[2], match[3], match[4])

    def dateTime(self) -> tuple[int, int]:
        """
        C{date-time}.

        @return: seconds since 1970 UTC, negative before; and by how many minutes local
            time was ahead of UTC.
        @raise ParseError: none, or not a time of the calendar.
        """
        match = self._match(_DATE_TIME, "a date and time")
        day = self._day(match[1], match[2], match[3])
        hour, minute, second, zone_hour, zone_minute = map(int, match.group(4, 5, 6, 8, 9))
        # 60 is a leap second (RFC 5322 section 3.3).
        if hour > 23 or minute > 59 or second > 60 or zone_hour > 23 or zone_minute > 59:
            raise ParseError("There is no such time")
        zone = zone_hour * 60 + zone_minute
        if match[7] == b"-":
            zone = -zone
        return (day - _EPOCH) * 86400 + hour * 3600 + minute * 60 + second - zone * 60, zone

    # --- lists ---

    def parenthesized(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """
        C{"(" item *(SP item) ")"}.

        @param item: a method of this reader, or any function that reads one item.
        @raise ParseError: none, or more items than the limit.
        """
        self.expect(b"(")
        items = self.spaced(item)
        self.expect(b")")
        return items

    def spaced(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """
        C{item *(SP item)}: as many as there are with a space between each two.

        @param item: as for L{parenthesized}.
        @raise ParseError: none, or more items than the limit.
        """
        items = [item()]
        while self.accept(b" "):
            if len(items) >= self.limits.max_items:
                raise ParseError(f"A list has more than {self.limits.max_items} items")
            items.append(item())
        return tuple(items)
