"""
NOTIFY::

    notify          = "NOTIFY" SP (notify-set / notify-none)
    notify-set      = "SET" [SP "STATUS"] SP event-groups
    notify-none     = "NONE"
    event-groups    = event-group *(SP event-group)
    event-group     = "(" filter-mailboxes SP events ")"
    events          = ("(" event *(SP event) ")") / "NONE"
    event           = ("MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"]) / atom

(RFC 5465 section 8.)  In one of its examples there are no parentheses around
the events: that is taken, too.
"""

from __future__ import annotations

from typing import Final

import attrs

from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.mailboxfilters import OF_NOTIFY, OF_SELECTED, FolderFilter, readFilter
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import FetchData, FetchItems, FetchSection, ParseError

#: Events, in upper case.
MESSAGE_NEW: Final = "MESSAGENEW"
MESSAGE_EXPUNGE: Final = "MESSAGEEXPUNGE"
FLAG_CHANGE: Final = "FLAGCHANGE"
ANNOTATION_CHANGE: Final = "ANNOTATIONCHANGE"
MAILBOX_NAME: Final = "MAILBOXNAME"
SUBSCRIPTION_CHANGE: Final = "SUBSCRIPTIONCHANGE"

#: Those that can be asked for of the open folder.
MESSAGE_EVENTS: Final = frozenset({MESSAGE_NEW, MESSAGE_EXPUNGE, FLAG_CHANGE, ANNOTATION_CHANGE})


@attrs.frozen
class EventGroup:
    """
    Some events of some folders.
    """

    filter: FolderFilter
    #: Names of events in upper case, whether they are known or not.
    events: frozenset[str]
    #: What is wanted of new messages in the folder that is open.
    items: FetchItems = ()

    @property
    def is_of_selected(self) -> bool:
        """
        Whether it is about the folder that is open, whichever it is.
        """
        return self.filter.kind in OF_SELECTED


@attrs.frozen
class NotifyRequest:
    """
    The arguments of NOTIFY.
    """

    #: None for C{NOTIFY NONE}.
    groups: tuple[EventGroup, ...] = ()
    #: Whether the counts of all these folders are wanted now.
    status: bool = False


def readNotify(reader: Reader) -> NotifyRequest:
    """
    Read everything behind the command's name and space.

    @raise ParseError: an argument is missing or not possible; the events of a group do not go together
        (RFC 5465 section 5); the folder that is open is meant twice.
    """
    word = reader.word()
    if word == "NONE":
        return NotifyRequest()
    if word != "SET":
        raise ParseError("Expected SET or NONE")
    reader.space()
    status = reader.peek() != b"("
    if status:
        if reader.word() != "STATUS":
            raise ParseError("Expected STATUS or a group of events")
        reader.space()
    groups = reader.spaced(lambda: _readGroup(reader))
    if sum(group.is_of_selected for group in groups) > 1:
        raise ParseError("The selected mailbox is meant twice")
    return NotifyRequest(groups, status)


def _readGroup(reader: Reader) -> EventGroup:
    """
    C{event-group}.
    """
    reader.expect(b"(")
    which = readFilter(reader, OF_NOTIFY)
    reader.space()
    items: dict[FetchData | FetchSection, None] = {}

    def event() -> str:
        name = reader.word()
        if name == MESSAGE_NEW and reader.acceptBefore(b" ", b"("):
            items.update(dict.fromkeys(readFetchItems(reader)))
        return name

    events = frozenset(reader.parenthesized(event) if reader.peek() == b"(" else reader.spaced(event))
    reader.expect(b")")
    if events == {"NONE"}:
        events = frozenset()
    group = EventGroup(which, events, tuple(items))
    _check(group)
    return group


def _check(group: EventGroup) -> None:
    """
    @raise ParseError: the events do not go together, or not with the folders.
    """
    events = group.events
    if (MESSAGE_NEW in events) is not (MESSAGE_EXPUNGE in events):
        raise ParseError("MessageNew and MessageExpunge must be asked for together")
    if MESSAGE_NEW not in events and not events.isdisjoint((FLAG_CHANGE, ANNOTATION_CHANGE)):
        raise ParseError("FlagChange needs MessageNew and MessageExpunge")
    if group.is_of_selected:
        if events - MESSAGE_EVENTS:
            raise ParseError("Only events of messages can be asked for of the selected mailbox")
    elif group.items:
        raise ParseError("Data items can be asked for of the selected mailbox only")
