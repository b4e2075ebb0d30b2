"""
A place in the parts that the framer cut a command into, and how to go on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.values import ParseError

_Item = TypeVar("_Item")

# literal         = "{" number64 ["+"] "}" CRLF *CHAR8
# literal8        = "~{" number ["+"] "}" CRLF *OCTET      (RFC 4466 section 6)
#: Where a literal is announced, which is always the end of a text.
LITERAL: Final = re.compile(rb"(~?)\{([0-9]{1,40})\+?\}\Z")


@attrs.frozen
class ReaderLimits:
    """
    How much one command may ask for.
    """

    #: Ranges in one sequence set.
    max_ranges: int = 10_000
    #: Items in one list, such as flags, header fields or data items.
    max_items: int = 500
    #: Bytes in one mailbox name or pattern, identifier, quota root or annotation's name, as it is written.
    max_name: int = 8192
    #: Numbers in one part number of a section.
    max_part_depth: int = 100
    #: Keys in one SEARCH, nested ones and their operators included.
    max_search_keys: int = 1_000
    #: How deep keys may be nested in one SEARCH; AND in AND and OR in OR do not count.
    max_search_depth: int = 50
    #: Patterns in one LIST.
    max_patterns: int = 100


class Cursor:
    """
    A place in a command.

    @param parts: as in L{CommandReceived.parts<mailstore.imap.wire.framer.CommandReceived.parts>} or
        L{LiteralAnnounced.parts<mailstore.imap.wire.framer.LiteralAnnounced.parts>}.
    @param utf8: the client has enabled UTF8=ACCEPT or IMAP4rev2: mailbox names
        are UTF-8 and no longer modified UTF-7, and 8-bit bytes in quoted strings
        have to be UTF-8 (RFC 6855 section 3, RFC 9051 section 5.1).
    @param extensions: what is taken beyond the base grammar.
    """

    def __init__(
        self,
        parts: tuple[bytes, ...],
        *,
        utf8: bool = False,
        extensions: frozenset[Extension] = frozenset(),
        limits: ReaderLimits = ReaderLimits(),
    ) -> None:
        self.utf8 = utf8
        self.extensions = extensions
        self.limits = limits
        self._parts = parts
        self._part = 0
        self._text = parts[0]
        self._at = 0

    def has(self, extension: Extension | None) -> bool:
        """
        Whether the words of an extension are taken; C{None} stands for the base grammar.
        """
        return extension is None or extension in self.extensions

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
        return self._part + 1 == len(self._parts) and LITERAL.match(self._text, self._at) is not None

    def end(self) -> None:
        """
        Nothing more: the end of the command.

        @raise ParseError:
        """
        if not self.atEnd:
            raise ParseError("There is more after the end of the command")

    # --- fixed bytes and patterns ---

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

    def acceptBefore(self, token: bytes, follows: bytes) -> bool:
        """
        Read C{token} if C{follows} comes behind it, which is not read.

        @return: whether both stood here.
        """
        if self._text.startswith(token + follows, self._at):
            self._at += len(token)
            return True
        return False

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

    def ahead(self, pattern: re.Pattern[bytes]) -> bool:
        """
        Whether C{pattern} matches what comes next; nothing is read.
        """
        return pattern.match(self._text, self._at) is not None

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

    def parenthesizedOrEmpty(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """
        C{"(" [item *(SP item)] ")"}.

        @param item: as for L{parenthesized}.
        @raise ParseError: as L{parenthesized}.
        """
        return () if self.accept(b"()") else self.parenthesized(item)

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
