"""
What SEARCH looks for, and SORT and THREAD::

    search          = "SEARCH" [search-return-opts] SP search-program
    search-program  = ["CHARSET" SP charset SP] search-key *(SP search-key)
    search-criteria = charset 1*(SP search-key)
    search-key      = "NOT" SP search-key / "OR" SP search-key SP search-key /
                      "(" search-key *(SP search-key) ")" / ...

(RFC 3501 and RFC 9051 section 9, RFC 5256 section 5.)  All the other keys are in
L{mailstore.imap.wire.searchterms}.

Keys are read with a stack of our own, not with Python's, so that no client can
choose how deep this server recurses: what comes out is not nested deeper than
L{ReaderLimits.max_search_depth<mailstore.imap.wire.cursor.ReaderLimits.max_search_depth>}.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from mailstore.imap.wire.charsets import codecOf, decodeText
from mailstore.imap.wire.esearch import readSearchReturn
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchterms import ReadText, readTerm
from mailstore.imap.wire.values import (
    ParseError,
    PartialRange,
    SearchKey,
    SearchKind,
    SearchProgram,
    SearchReturn,
    UnknownCharset,
)

_NAME: Final = re.compile(rb"[A-Za-z]+")


@attrs.define
class _Open:
    """
    An operator, parenthesis or the command itself, whose keys are being read.
    """

    #: C{AND} for parentheses and for the command.
    kind: SearchKind
    #: How many keys it takes; 0 for as many as there are.
    wanted: int = 0
    keys: list[SearchKey] = attrs.field(factory=list)
    #: How deep the keys are nested.
    depth: int = 0

    def add(self, key: SearchKey, depth: int) -> None:
        """
        One key has been read.
        """
        if key.kind is self.kind and self.kind is not SearchKind.NOT:
            self.keys.extend(key.keys)
            depth -= 1
        else:
            self.keys.append(key)
        self.depth = max(self.depth, depth)

    def close(self) -> tuple[SearchKey, int]:
        """
        The key made of all of them, and how deep it is nested.
        """
        first = self.keys[0]
        if self.kind is SearchKind.NOT:
            if first.kind is SearchKind.NOT:
                return first.keys[0], self.depth - 1
        elif len(self.keys) == 1:
            return first, self.depth
        return SearchKey(self.kind, keys=tuple(self.keys)), self.depth + 1


def readSearch(reader: Reader) -> SearchProgram:
    """
    Read everything behind C{SEARCH} and its space, to the end of the command.

    Texts are decoded: from the character set that the command names, or from
    UTF-8 if it names none.

    @raise UnknownCharset: the character set is not known.
    @raise ParseError: anything else that is wrong, also more keys than
        L{ReaderLimits.max_search_keys<mailstore.imap.wire.cursor.ReaderLimits.max_search_keys>}.
    """
    returns: frozenset[SearchReturn] | None = None
    partial: PartialRange | None = None
    name = _readName(reader)
    if name == "RETURN" and reader.has(Extension.ESEARCH):
        reader.space()
        returns, partial = readSearchReturn(reader)
        reader.space()
        name = _readName(reader)
    charset = b""
    if name == "CHARSET":
        reader.space()
        charset, codec = _readCharset(reader, returns)
        reader.space()
        name = _readName(reader)
    else:
        codec = "utf_8"
    key = _readKeys(reader, name, codec)
    return SearchProgram(key, charset.decode("ascii"), returns, partial)


def readSearchCriteria(reader: Reader, returns: frozenset[SearchReturn] | None = None) -> SearchProgram:
    """
    Read C{search-criteria}, to the end of the command.

    @param returns: what has been read before.
    @raise UnknownCharset: as L{readSearch}.
    @raise ParseError: as L{readSearch}.
    """
    charset, codec = _readCharset(reader, returns)
    reader.space()
    return SearchProgram(_readKeys(reader, _readName(reader), codec), charset.decode("ascii"), returns)


def _readCharset(reader: Reader, returns: frozenset[SearchReturn] | None) -> tuple[bytes, str]:
    """
    C{charset}, and Python's name for it.
    """
    charset = reader.astring()
    try:
        return charset, codecOf(charset)
    except UnknownCharset as error:
        error.saves = returns is not None and SearchReturn.SAVE in returns
        raise


def _readName(reader: Reader) -> str:
    """
    The name of a key in upper case; C{""} where a key has none.
    """
    return reader.optional(_NAME).decode("ascii").upper()


def _readKeys(reader: Reader, name: str, codec: str) -> SearchKey:
    """
    C{search-key *(SP search-key)} to the end of the command; the first one's name has been read.
    """

    def readText() -> str:
        return decodeText(reader.astring(), codec)

    key = _readNested(reader, name, readText)
    reader.end()
    return key


def _readNested(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    """
    C{search-key *(SP search-key)}, the first of whose name has been read.
    """
    limits = reader.limits
    stack = [_Open(SearchKind.AND)]
    count = 0
    while True:
        # Here a key begins, whose name (if it has one) has been read.
        count += 1
        if count > limits.max_search_keys:
            raise ParseError(f"A search has more than {limits.max_search_keys} keys")
        if name in ("NOT", "OR"):
            reader.space()
            stack.append(_Open(SearchKind[name], 1 if name == "NOT" else 2))
        elif not name and reader.accept(b"("):
            stack.append(_Open(SearchKind.AND))
        else:
            key = readTerm(reader, name, readText)
            depth = _depth(key)
            # Here a key has ended, and maybe those around it.
            while True:
                top = stack[-1]
                top.add(key, depth)
                if top.depth > limits.max_search_depth:
                    raise ParseError(f"A search is nested deeper than {limits.max_search_depth}")
                if top.wanted > 1:
                    top.wanted -= 1
                    reader.space()
                    break
                if not top.wanted:
                    if reader.accept(b" "):
                        break
                    if len(stack) == 1:
                        return top.close()[0]
                    reader.expect(b")")
                key, depth = stack.pop().close()
        name = _readName(reader)


def _depth(key: SearchKey) -> int:
    """
    How deep a key that has no keys in it on the wire is nested: UNSEEN is a
    flag in a L{NOT<SearchKind.NOT>}.
    """
    return 1 + max(map(_depth, key.keys), default=0)
