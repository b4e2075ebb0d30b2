"""
What STORE changes::

    store           = "STORE" SP sequence-set SP store-att-flags
    store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP
                      (flag-list / (flag *(SP flag)))

(RFC 9051 section 9.)
"""

from __future__ import annotations

from typing import Final

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, StoreFlags, StoreMode

_ITEMS: Final = {
    mode.value + suffix: (mode, bool(suffix)) for mode in StoreMode for suffix in ("", ".SILENT")
}


def readStoreFlags(reader: Reader) -> StoreFlags:
    """
    Read everything behind STORE's sequence set and space.

    @raise ParseError: no such data item, or more flags than
        L{ReaderLimits.max_items<mailstore.imap.wire.reader.ReaderLimits.max_items>}.
    """
    found = _ITEMS.get(reader.word())
    if found is None:
        raise ParseError("STORE changes FLAGS, +FLAGS or -FLAGS, each with or without .SILENT")
    reader.space()
    mode, silent = found
    if reader.peek() == b"(":
        flags = reader.flagList()
    else:
        flags = reader.spaced(reader.flag)
    return StoreFlags(mode, tuple(dict.fromkeys(flags)), silent)
