"""
Which folders something is about, as NOTIFY and ESEARCH say it::

    filter-mailboxes = "selected" / "selected-delayed" / "inboxes" / "personal" / "subscribed" /
                       ("subtree" SP one-or-more-mailbox) /
                       ("subtree-one" SP one-or-more-mailbox) /
                       ("mailboxes" SP one-or-more-mailbox)
    one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"

(RFC 5465 section 8, RFC 7377 section 4.)
"""

from __future__ import annotations

import enum
from typing import Final

import attrs

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError


class Filter(enum.Enum):
    """
    A way to name folders (RFC 5465 section 6, RFC 7377 section 2.2).
    """

    SELECTED = "SELECTED"
    SELECTED_DELAYED = "SELECTED-DELAYED"
    INBOXES = "INBOXES"
    PERSONAL = "PERSONAL"
    SUBSCRIBED = "SUBSCRIBED"
    SUBTREE = "SUBTREE"
    SUBTREE_ONE = "SUBTREE-ONE"
    MAILBOXES = "MAILBOXES"


#: Those that mean the folder that is open, whichever it is.
OF_SELECTED: Final = frozenset({Filter.SELECTED, Filter.SELECTED_DELAYED})

#: What NOTIFY knows, and what ESEARCH.
OF_NOTIFY: Final = frozenset(Filter) - {Filter.SUBTREE_ONE}
OF_ESEARCH: Final = frozenset(Filter) - {Filter.SELECTED_DELAYED}

_NAMED: Final = frozenset({Filter.SUBTREE, Filter.SUBTREE_ONE, Filter.MAILBOXES})
_FILTERS: Final = {each.value: each for each in Filter}


@attrs.frozen
class FolderFilter:
    """
    Some folders.
    """

    kind: Filter
    #: The names of those kinds that have some, each once.
    names: tuple[str, ...] = ()


def readFilter(reader: Reader, known: frozenset[Filter]) -> FolderFilter:
    """
    C{filter-mailboxes}.

    @raise ParseError: it is none of those that are known, or a name is missing.
    """
    kind = _FILTERS.get(reader.word())
    if kind is None or kind not in known:
        raise ParseError("Unknown way to name mailboxes")
    if kind not in _NAMED:
        return FolderFilter(kind)
    reader.space()
    listed = reader.peek() == b"("
    names = reader.parenthesized(reader.mailbox) if listed else (reader.mailbox(),)
    return FolderFilter(kind, tuple(dict.fromkeys(names)))
