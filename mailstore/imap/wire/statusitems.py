"""
What STATUS asks for and answers::

    status          = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    status-att      = "MESSAGES" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN" /
                      "DELETED" / "SIZE" / "RECENT" / "HIGHESTMODSEQ"
    status-att     =/ "MAILBOXID" / "APPENDLIMIT" / "DELETED-STORAGE"
    status-att-val  = ("MESSAGES" SP number) / ("UIDNEXT" SP nz-number) / ... /
                      ("SIZE" SP number64) /
                      ("HIGHESTMODSEQ" SP mod-sequence-valzer) /
                      ("MAILBOXID" SP "(" objectid ")") /
                      ("APPENDLIMIT" SP (number / nil)) /
                      ("DELETED-STORAGE" SP number64)

(RFC 9051 section 9, RFC 3501 section 9, RFC 7162 section 7, RFC 8474 section 7, RFC
7889 section 5, RFC 9208 section 7.)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from mailstore.imap.wire import writer
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, StatusItem

#: Items by name, and the extension that they belong to.
_ITEMS: Final[dict[str, tuple[StatusItem, Extension | None]]] = {
    **{item.value: (item, None) for item in StatusItem},
    "MAILBOXID": (StatusItem.MAILBOXID, Extension.OBJECTID),
    "APPENDLIMIT": (StatusItem.APPENDLIMIT, Extension.APPENDLIMIT),
    "DELETED-STORAGE": (StatusItem.DELETED_STORAGE, Extension.QUOTA),
}


def readStatusItems(reader: Reader) -> tuple[StatusItem, ...]:
    """
    Read everything behind STATUS's mailbox and space.

    @return: the items in the order written, each once.
    @raise ParseError: no list, or an unknown item in it.
    """

    def item() -> StatusItem:
        found, extension = _ITEMS.get(reader.word(), (None, None))
        if found is None or not reader.has(extension):
            raise ParseError("Unknown data item of STATUS")
        return found

    return tuple(dict.fromkeys(reader.parenthesized(item)))


def statusLine(
    mailbox: str, values: Iterable[tuple[StatusItem, int | str | None]], utf8: bool = False
) -> bytes:
    """
    The STATUS response.

    @param values: numbers; for L{MAILBOXID<StatusItem.MAILBOXID>} an object identifier; for
        L{APPENDLIMIT<StatusItem.APPENDLIMIT>} C{None} if there is no limit.
    """
    items, told = [], [writer.mailbox(mailbox, utf8)]
    for item, value in values:
        items.append(item)
        told.append(_value(value))
    return _form(tuple(items)) % tuple(told)


@lru_cache(1024)
def _form(items: tuple[StatusItem, ...]) -> bytes:
    """
    A response for these items, with a place for the name and for each value.
    """
    return b"* STATUS %b (" + b" ".join(item.value.encode() + b" %b" for item in items) + b")\r\n"


def _value(value: int | str | None) -> bytes:
    """
    What stands behind an item's name.
    """
    if value is None:
        return b"NIL"
    return b"(%b)" % value.encode("ascii") if isinstance(value, str) else b"%d" % value
