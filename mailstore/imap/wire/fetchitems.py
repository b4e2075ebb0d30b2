"""
What FETCH asks for::

    fetch           = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" /
                      fetch-att / "(" fetch-att *(SP fetch-att) ")")
    fetch-att       = "ENVELOPE" / "FLAGS" / "INTERNALDATE" /
                      "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
                      "BODY" ["STRUCTURE"] / "UID" /
                      "BODY" section [partial] / "BODY.PEEK" section [partial]

(RFC 3501 section 9 and, for C{partial} with 64-bit numbers, RFC 9051 section 9.)
"""

from __future__ import annotations

import re
from typing import Final

from mailstore.imap.wire import writer
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import FetchData, FetchItems, FetchSection, ParseError, SectionText

#: RFC 9051 section 6.4.5.
_MACROS: Final[dict[str, FetchItems]] = {
    "FAST": (FetchData.FLAGS, FetchData.INTERNALDATE, FetchData.RFC822_SIZE),
    "ALL": (FetchData.FLAGS, FetchData.INTERNALDATE, FetchData.RFC822_SIZE, FetchData.ENVELOPE),
    "FULL": (
        FetchData.FLAGS,
        FetchData.INTERNALDATE,
        FetchData.RFC822_SIZE,
        FetchData.ENVELOPE,
        FetchData.BODY,
    ),
}

#: RFC 3501 section 6.4.5; RFC822.HEADER does not set \Seen, the others do.
_OLD_SECTIONS: Final = {
    "RFC822": FetchSection(b"RFC822"),
    "RFC822.HEADER": FetchSection(b"RFC822.HEADER", SectionText.HEADER, peek=True),
    "RFC822.TEXT": FetchSection(b"RFC822.TEXT", SectionText.TEXT),
}

_DATA: Final = {item.value: item for item in FetchData}

#: The name of an item.  No atom, since "[" and "<" can stand in one.
_NAME: Final = re.compile(rb"[A-Za-z0-9.]+")

# section-part    = nz-number *("." nz-number)
_PART: Final = re.compile(rb"[1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9})*")

_TEXTS: Final = {text.value: text for text in SectionText if text is not SectionText.ALL}


def readFetchItems(reader: Reader) -> FetchItems:
    """
    Read everything behind FETCH's sequence set and space.

    @return: the items in the order written, each once; a macro as what it
        stands for.
    @raise ParseError: unknown items, or more of them than
        L{ReaderLimits.max_items<mailstore.imap.wire.reader.ReaderLimits.max_items>}.
    """
    if reader.peek() == b"(":
        items = reader.parenthesized(lambda: _readItem(reader))
        return tuple(dict.fromkeys(items))
    name = reader.name(_NAME)
    macro = _MACROS.get(name)
    return macro if macro is not None else (_readItem(reader, name),)


def _readItem(reader: Reader, name: str = "") -> FetchData | FetchSection:
    """
    C{fetch-att}, whose name may have been read already.
    """
    name = name or reader.name(_NAME)
    if name in ("BODY", "BODY.PEEK") and reader.accept(b"["):
        return _readSection(reader, peek=name == "BODY.PEEK")
    data = _DATA.get(name)
    if data is not None:
        return data
    section = _OLD_SECTIONS.get(name)
    if section is None:
        raise ParseError("Unknown data item of FETCH")
    return section


def _readSection(reader: Reader, peek: bool) -> FetchSection:
    """
    The rest of an item behind C{"["}::

        section         = "[" [section-spec] "]"
        section-spec    = section-msgtext / (section-part ["." section-text])
        section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list /
                          "TEXT"
        section-text    = section-msgtext / "MIME"
        header-list     = "(" header-fld-name *(SP header-fld-name) ")"
        partial         = "<" number64 "." nz-number64 ">"
    """
    part: tuple[int, ...] = ()
    text = SectionText.ALL
    fields: tuple[str, ...] = ()
    label = b"BODY["
    numbers = reader.optional(_PART)
    if numbers:
        part = tuple(map(int, numbers.split(b".")))
        if len(part) > reader.limits.max_part_depth or max(part) > 0xFFFF_FFFF:
            raise ParseError("There is no such part")
        label += numbers
    if not numbers or reader.accept(b"."):
        word = reader.optional(_NAME).decode("ascii").upper()
        text = _TEXTS.get(word, SectionText.ALL)
        if (text is SectionText.ALL and (word or numbers)) or (text is SectionText.MIME and not numbers):
            raise ParseError("Unknown section of a message")
        label += b".%b" % word.encode() if numbers else word.encode()
    if text in (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT):
        reader.space()
        fields = reader.parenthesized(reader.fieldName)
        label += b" (%b)" % b" ".join([writer.astring(each.encode()) for each in fields])
    reader.expect(b"]")
    label += b"]"
    partial = None
    if reader.accept(b"<"):
        offset = reader.number64()
        reader.expect(b".")
        partial = (offset, reader.nzNumber64())
        reader.expect(b">")
        label += b"<%d>" % offset
    return FetchSection(label, text, part, fields, partial, peek)
