"""
The keys of SEARCH that have no keys in them::

    search-key      = "ALL" / "ANSWERED" / "BCC" SP astring / "BEFORE" SP date / ... /
                      "UID" SP sequence-set / sequence-set
    search-key     =/ ("OLDER" / "YOUNGER") SP nz-number
    search-key     =/ "SAVEDBEFORE" SP date / "SAVEDON" SP date /
                      "SAVEDSINCE" SP date / "SAVEDATESUPPORTED"
    search-key     =/ "EMAILID" SP objectid / "THREADID" SP objectid
    search-key     =/ "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer
    entry-name      = DQUOTE "/flags/" attr-flag DQUOTE
    entry-type-req  = "priv" / "shared" / "all"

(RFC 3501 section 9; C{LARGER} and C{SMALLER} take the 64-bit numbers of RFC 9051; RFC 5032
section 3, RFC 8514 section 5, RFC 8474 section 7, RFC 7162 section 7.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mailstore.imap.wire.classes import ATOM_CHAR
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, SearchKey, SearchKind

#: Reads a text to look for, in the character set of the search.
ReadText = Callable[[], str]

#: What a sequence set can begin with.
_FIRST_OF_SET: Final = frozenset(b"%c" % each for each in b"0123456789*$")

# attr-flag       = "\\Answered" / ... / "\\" atom / atom
_ENTRY: Final = re.compile(rb"/flags/(\\?[" + ATOM_CHAR + b"]+)", re.IGNORECASE)

_ENTRY_TYPES: Final = ("PRIV", "SHARED", "ALL")


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
    "SAVEDATESUPPORTED": SearchKey(SearchKind.SAVEDATESUPPORTED),
}

#: Keys with one astring to find in this field.
_FIELDS: Final = {"BCC": "Bcc", "CC": "Cc", "FROM": "From", "SUBJECT": "Subject", "TO": "To"}


def _readField(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    return SearchKey(SearchKind.HEADER, field=_FIELDS[name], text=readText())


def _readHeader(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    field = reader.fieldName()
    reader.space()
    return SearchKey(SearchKind.HEADER, field=field, text=readText())


def _readText(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    return SearchKey(SearchKind[name], text=readText())


def _readDate(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    return SearchKey(SearchKind[name], number=reader.date())


def _readSize(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    return SearchKey(SearchKind[name], number=reader.number64())


def _readAge(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    return SearchKey(SearchKind[name], number=reader.nzNumber())


def _readKeyword(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    key = _flag(reader.atom().decode("ascii"))
    return key if name == "KEYWORD" else _not(key)


def _readUid(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    return SearchKey(SearchKind.UID, sequence=reader.sequenceSet())


def _readObjectId(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    return SearchKey(SearchKind[name], text=reader.objectId())


def _readModSequence(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    flag = kind = ""
    if reader.peek() == b'"':
        entry = _ENTRY.fullmatch(reader.string())
        if entry is None:
            raise ParseError("Expected the name of an entry for a flag")
        flag = entry[1].decode("ascii")
        reader.space()
        kind = reader.word()
        if kind not in _ENTRY_TYPES:
            raise ParseError("Expected PRIV, SHARED or ALL")
        reader.space()
    return SearchKey(SearchKind.MODSEQ, text=flag, field=kind.lower(), number=reader.modSequence(zero=True))


#: What reads the operands of a key, behind the space after its name.
_OPERANDS: Final[dict[str, Callable[[Reader, str, ReadText], SearchKey]]] = {
    **dict.fromkeys(_FIELDS, _readField),
    **dict.fromkeys(("BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"), _readDate),
    **dict.fromkeys(("SAVEDBEFORE", "SAVEDON", "SAVEDSINCE"), _readDate),
    **dict.fromkeys(("BODY", "TEXT"), _readText),
    **dict.fromkeys(("LARGER", "SMALLER"), _readSize),
    **dict.fromkeys(("KEYWORD", "UNKEYWORD"), _readKeyword),
    **dict.fromkeys(("OLDER", "YOUNGER"), _readAge),
    **dict.fromkeys(("EMAILID", "THREADID"), _readObjectId),
    "HEADER": _readHeader,
    "MODSEQ": _readModSequence,
    "UID": _readUid,
}

_EXTENSIONS: Final = {
    **dict.fromkeys(("SAVEDBEFORE", "SAVEDON", "SAVEDSINCE", "SAVEDATESUPPORTED"), Extension.SAVEDATE),
    **dict.fromkeys(("OLDER", "YOUNGER"), Extension.WITHIN),
    **dict.fromkeys(("EMAILID", "THREADID"), Extension.OBJECTID),
    "MODSEQ": Extension.CONDSTORE,
}


def readTerm(reader: Reader, name: str, readText: ReadText) -> SearchKey:
    """
    Read the rest of a key that has no keys in it.

    @param name: its name, which has been read, in upper case; C{""} for a sequence set.
    @raise ParseError: there is no such key, or its operand is missing.
    """
    if not name:
        if reader.peek() not in _FIRST_OF_SET:
            raise ParseError("Expected a search key")
        return SearchKey(SearchKind.SEQUENCE, sequence=reader.sequenceSet())
    if reader.has(_EXTENSIONS.get(name)):
        plain = _PLAIN.get(name)
        if plain is not None:
            return plain
        operands = _OPERANDS.get(name)
        if operands is not None:
            reader.space()
            return operands(reader, name, readText)
    raise ParseError("Unknown search key")
