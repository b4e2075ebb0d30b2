"""
What STATUS asks for::

    status          = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    status-att      = "MESSAGES" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN" /
                      "DELETED" / "SIZE" / "RECENT" / "HIGHESTMODSEQ"

(RFC 9051 section 9, RFC 3501 section 9, RFC 7162 section 7.)
"""

from __future__ import annotations

from typing import Final

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, StatusItem

_ITEMS: Final = {item.value: item for item in StatusItem}


def readStatusItems(reader: Reader) -> tuple[StatusItem, ...]:
    """
    Read everything behind STATUS's mailbox and space.

    @return: the items in the order written, each once.
    @raise ParseError: no list, or an unknown item in it.
    """

    def item() -> StatusItem:
        found = _ITEMS.get(reader.word())
        if found is None:
            raise ParseError("Unknown data item of STATUS")
        return found

    return tuple(dict.fromkeys(reader.parenthesized(item)))
