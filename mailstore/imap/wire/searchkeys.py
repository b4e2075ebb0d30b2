"""
What SEARCH looks for::

    search          = "SEARCH" SP ["CHARSET" SP astring SP] search-key *(SP search-key)
    search-key      = "ALL" / "ANSWERED" / "BCC" SP astring / ... /
                      "NOT" SP search-key / "OR" SP search-key SP search-key /
                      "UID" SP sequence-set / sequence-set /
                      "(" search-key *(SP search-key) ")"

(RFC 3501 section 9; C{LARGER} and C{SMALLER} take the 64-bit numbers of RFC 9051.)

Keys are read with a stack of our own, not with Python's, so that no client can
choose how deep this server recurses: what comes out is not nested deeper than
L{ReaderLimits.max_search_depth<mailstore.imap.wire.reader.ReaderLimits.max_search_depth>}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import attrs

from mailstore.imap.wire.charsets import codecOf, decodeText
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, SearchKey, SearchKind, SearchProgram

_NAME: Final = re.compile(rb"[A-Za-z]+")

#: What a sequence set can begin with.
_FIRST_OF_SET: Final = frozenset(b"%c" % each for each in b"0123456789*")


def _flag(name: str) -> SearchKey:
    return SearchKey(SearchKind.FLAG, text=name)


def _not(key: SearchKey) -> SearchKey:
    return SearchKey(SearchKind.NOT, keys=(key,))


_RECENT: Final = SearchKey(SearchKind.RECENT)

#: Keys without operands.
_PLAIN: Final = {
    "ALL": SearchKey(SearchKind.ALL),
    "ANSWERED": _flag("\\Answered"),
    "DELETED": _flag("\\Deleted"),
    "DRAFT": _flag("\\Draft"),
    "FLAGGED": _flag("\\Flagged"),
    "SEEN": _flag("\\Seen"),
    "UNANSWERED": _not(_flag("\\Answered")),
    "UNDELETED": _not(_flag("\\Deleted")),
    "UNDRAFT": _not(_flag("\\Draft")),
    "UNFLAGGED": _not(_flag("\\Flagged")),
    "UNSEEN": _not(_flag("\\Seen")),
    "RECENT": _RECENT,
    "OLD": _not(_RECENT),
    "NEW": SearchKey(SearchKind.AND, keys=(_RECENT, _not(_flag("\\Seen")))),
}

#: Keys with one astring to find in this field.
_FIELDS: Final = {"BCC": "Bcc", "CC": "Cc", "FROM": "From", "SUBJECT": "Subject", "TO": "To"}

_DATES: Final = {
    kind.value: kind
    for kind in (
        SearchKind.BEFORE,
        SearchKind.ON,
        SearchKind.SINCE,
        SearchKind.SENTBEFORE,
        SearchKind.SENTON,
        SearchKind.SENTSINCE,
    )
}


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
        L{ReaderLimits.max_search_keys<mailstore.imap.wire.reader.ReaderLimits.max_search_keys>}.
    """
    charset = b""
    codec = "utf_8"
    name = reader.optional(_NAME).upper()
    if name == b"CHARSET":
        reader.space()
        charset = reader.astring()
        codec = codecOf(charset)
        reader.space()
        name = reader.optional(_NAME).upper()
    key = _readKeys(reader, name.decode("ascii"), lambda: decodeText(reader.astring(), codec))
    reader.end()
    return SearchProgram(key, charset.decode("ascii"))


def _readKeys(reader: Reader, name: str, readText: Callable[[], str]) -> SearchKey:
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
            key = _readKey(reader, name, readText)
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
        name = reader.optional(_NAME).decode("ascii").upper()


def _depth(key: SearchKey) -> int:
    """
    How deep a key that has no keys in it on the wire is nested: UNSEEN is a
    flag in a L{NOT<SearchKind.NOT>}.
    """
    return 1 + max(map(_depth, key.keys), default=0)


def _readKey(reader: Reader, name: str, readText: Callable[[], str]) -> SearchKey:
    """
    A key that has no keys in it, whose name (if it has one) has been read.
    """
    plain = _PLAIN.get(name)
    if plain is not None:
        return plain
    if not name:
        if reader.peek() not in _FIRST_OF_SET:
            raise ParseError("Expected a search key")
        return SearchKey(SearchKind.SEQUENCE, sequence=reader.sequenceSet())
    if name in _FIELDS:
        reader.space()
        return SearchKey(SearchKind.HEADER, field=_FIELDS[name], text=readText())
    if name in _DATES:
        reader.space()
        return SearchKey(_DATES[name], number=reader.date())
    if name in ("BODY", "TEXT"):
        reader.space()
        return SearchKey(SearchKind[name], text=readText())
    if name == "HEADER":
        reader.space()
        field = reader.fieldName()
        reader.space()
        return SearchKey(SearchKind.HEADER, field=field, text=readText())
    if name in ("LARGER", "SMALLER"):
        reader.space()
        return SearchKey(SearchKind[name], number=reader.number64())
    if name in ("KEYWORD", "UNKEYWORD"):
        reader.space()
        key = _flag(reader.atom().decode("ascii"))
        return key if name == "KEYWORD" else _not(key)
    if name == "UID":
        reader.space()
        return SearchKey(SearchKind.UID, sequence=reader.sequenceSet())
    raise ParseError("Unknown search key")
