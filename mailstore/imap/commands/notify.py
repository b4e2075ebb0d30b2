"""
NOTIFY (RFC 5465).
"""

from __future__ import annotations

from mailstore.imap.command import Command, No, Ok, Reply
from mailstore.imap.notifying import Notifier, TooManyFolders
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.notifyargs import (
    FLAG_CHANGE,
    MAILBOX_NAME,
    MESSAGE_EXPUNGE,
    MESSAGE_NEW,
    SUBSCRIPTION_CHANGE,
    NotifyRequest,
    readNotify,
)
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.responsecodes import NOTIFICATION_OVERFLOW, badEvent
from mailstore.imap.wire.values import FetchSection

#: The events that can be told of.
_EVENTS = frozenset({MESSAGE_NEW, MESSAGE_EXPUNGE, FLAG_CHANGE, MAILBOX_NAME, SUBSCRIPTION_CHANGE})

_BAD_EVENT = No("Of one of these events nothing can be told", badEvent())
_TOO_MANY = No("These are too many mailboxes to be notified of", NOTIFICATION_OVERFLOW)
_TOO_MANY_SECTIONS = No("Too many sections at once", "LIMIT")


def parse(reader: Reader) -> NotifyRequest:
    """
    What to tell of which folders.

    @raise ParseError:
    """
    reader.space()
    request = readNotify(reader)
    reader.end()
    return request


async def run(session: Session, request: NotifyRequest) -> Reply:
    """
    Tell what has happened so far, and from now on what is asked for.
    """
    if not all(group.events <= _EVENTS for group in request.groups):
        return _BAD_EVENT
    for group in request.groups:
        if sum(isinstance(item, FetchSection) for item in group.items) > session.limits.max_sections:
            return _TOO_MANY_SECTIONS
    if request.groups:
        # RFC 5465 section 3.1: it implies a NOOP.
        session.hearAgain()
        await session.sync(may_expunge=True)
    before, notifier = session.notifier, Notifier(session, request)
    session.notify(notifier)
    try:
        await notifier.begin(request.status)
    except TooManyFolders:
        session.notify(before)
        return _TOO_MANY
    except BaseException:
        session.notify(before)
        raise
    return Ok()


COMMANDS = (Command("NOTIFY", SIGNED_IN, parse, run),)
