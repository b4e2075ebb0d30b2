"""
What FETCH asks for::

    fetch           = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" /
                      fetch-att / "(" fetch-att *(SP fetch-att) ")")
    fetch-att       = "ENVELOPE" / "FLAGS" / "INTERNALDATE" /
                      "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
                      "BODY" ["STRUCTURE"] / "UID" /
                      "BODY" section [partial] / "BODY.PEEK" section [partial] /
                      "BINARY" [".PEEK"] section-binary [partial] /
                      "BINARY.SIZE" section-binary
    fetch-att      =/ "MODSEQ" / "EMAILID" / "THREADID" / "SAVEDATE" /
                      "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]
    preview-mod     = "LAZY"

(RFC 3501 section 9 and, for C{partial} with 64-bit numbers and C{BINARY}, RFC 9051 section
9; RFC 7162 section 7, RFC 8474 section 7, RFC 8514 section 5, RFC 8970 section 6.)
What may stand behind the items is in L{mailstore.imap.wire.condstore}.
"""

from __future__ import annotations

import re
from typing import Final

from mailstore.imap.wire import writer
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import (
    FetchData,
    FetchItems,
    FetchSection,
    ParseError,
    SectionForm,
    SectionText,
)

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

#: Items by name, and the extension that they belong to.
_DATA: Final[dict[str, tuple[FetchData, Extension | None]]] = {
    **{item.value: (item, None) for item in FetchData if item is not FetchData.PREVIEW_LAZY},
    "EMAILID": (FetchData.EMAILID, Extension.OBJECTID),
    "THREADID": (FetchData.THREADID, Extension.OBJECTID),
    "SAVEDATE": (FetchData.SAVEDATE, Extension.SAVEDATE),
    "PREVIEW": (FetchData.PREVIEW, Extension.PREVIEW),
}

#: C{BINARY}: what is wanted, and whether C{\Seen} is left alone.
_BINARY: Final = {
    "BINARY": (SectionForm.DECODED, False),
    "BINARY.PEEK": (SectionForm.DECODED, True),
    "BINARY.SIZE": (SectionForm.DECODED_SIZE, True),
}

#: The name of an item.  No atom, since "[" and "<" can stand in one.
_NAME: Final = re.compile(rb"[A-Za-z0-9.]+")

# section-part    = nz-number *("." nz-number)
_PART: Final = re.compile(rb"[1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9})*")

#: C{PREVIEW}'s modifiers, which look like those of the command: C{FETCH 1 PREVIEW (CHANGEDSINCE 1)}.
_LAZY: Final = re.compile(rb" \(LAZY(?: LAZY)*\)", re.IGNORECASE)

_TEXTS: Final = {text.value: text for text in SectionText if text is not SectionText.ALL}


def readFetchItems(reader: Reader) -> FetchItems:
    """
    Read everything behind FETCH's sequence set and space, but for modifiers.

    @return: the items in the order written, each once; a macro as what it
        stands for; C{PREVIEW} with and without C{LAZY} as the latter.
    @raise ParseError: unknown items, or more of them than
        L{ReaderLimits.max_items<mailstore.imap.wire.cursor.ReaderLimits.max_items>}.
    """
    if reader.peek() == b"(":
        items = dict.fromkeys(reader.parenthesized(lambda: _readItem(reader)))
        if FetchData.PREVIEW in items:
            items.pop(FetchData.PREVIEW_LAZY, None)
        return tuple(items)
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
    data, extension = _DATA.get(name, (None, None))
    if data is not None and reader.has(extension):
        if data is FetchData.PREVIEW and reader.optional(_LAZY):
            return FetchData.PREVIEW_LAZY
        return data
    if name in _BINARY and reader.has(Extension.BINARY):
        return _readBinary(reader, *_BINARY[name])
    section = _OLD_SECTIONS.get(name)
    if section is None:
        raise ParseError("Unknown data item of FETCH")
    return section


def _readPart(reader: Reader) -> tuple[bytes, tuple[int, ...]]:
    """
    C{[section-part]}: as it is written, and its numbers.
    """
    text = reader.optional(_PART)
    if not text:
        return b"", ()
    numbers = tuple(map(int, text.split(b".")))
    if len(numbers) > reader.limits.max_part_depth or max(numbers) > 0xFFFF_FFFF:
        raise ParseError("There is no such part")
    return text, numbers


def _readPartial(reader: Reader) -> tuple[int, int] | None:
    """
    C{[partial]}::

        partial         = "<" number64 "." nz-number64 ">"
    """
    if not reader.accept(b"<"):
        return None
    offset = reader.number64()
    reader.expect(b".")
    count = reader.nzNumber64()
    reader.expect(b">")
    return offset, count


def _readBinary(reader: Reader, form: SectionForm, peek: bool) -> FetchSection:
    """
    The rest of an item behind C{"BINARY"}::

        section-binary  = "[" [section-part] "]"
    """
    reader.expect(b"[")
    text, part = _readPart(reader)
    reader.expect(b"]")
    label = b"%b[%b]" % (form.value.encode(), text)
    partial = _readPartial(reader) if form is SectionForm.DECODED else None
    if partial is not None:
        label += b"<%d>" % partial[0]
    return FetchSection(label, part=part, partial=partial, peek=peek, form=form)


def _readSection(reader: Reader, peek: bool) -> FetchSection:
    """
    The rest of an item behind C{"["}::

        section         = "[" [section-spec] "]"
        section-spec    = section-msgtext / (section-part ["." section-text])
        section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list /
                          "TEXT"
        section-text    = section-msgtext / "MIME"
        header-list     = "(" header-fld-name *(SP header-fld-name) ")"
    """
    text = SectionText.ALL
    fields: tuple[str, ...] = ()
    label = b"BODY["
    numbers, part = _readPart(reader)
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
    partial = _readPartial(reader)
    if partial is not None:
        label += b"<%d>" % partial[0]
    return FetchSection(label, text, part, fields, partial, peek)
