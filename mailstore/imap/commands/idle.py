"""
IDLE (RFC 2177).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.framer import LineReceived

#: Seconds until a store that could not be asked for changes is asked again.
_RETRY = 5.0


async def run(session: Session, arguments: None) -> Reply:
    """
    Tell of changes as they happen, until the client says DONE.  Any other line
    is answered and ends nothing.

    @raise SessionOver: the client has said nothing for too long.
    """
    await session.finish(b"+ Waiting for changes\r\n")
    session.hear()
    session.framer.expectLine()
    session.idles = True
    try:
        return await _idle(session)
    finally:
        session.idles = False


async def _idle(session: Session) -> Reply:
    deadline = session.front.runtime.seconds() + session.limits.idle_timeout
    while True:
        event = session.take()
        if event is not None:
            if isinstance(event, LineReceived) and event.line.strip().upper() == b"DONE":
                return Ok()
            await session.untagged(b"BAD Expected DONE")
            session.framer.expectLine()
            continue
        at_most = None
        if session.notifier is not None:
            # RFC 5465 section 4: what NOTIFY asked for, and nothing else.
            at_most = await session.tellNews(may_expunge=True)
            if at_most == 0.0:
                continue
        elif session.dirty and (session.told is not None or not session.awaits_news):
            if await session.sync(may_expunge=True):
                session.link.flush()
                continue
            at_most = _RETRY
        await session.waitUntil(deadline, at_most)


COMMANDS = (Command("IDLE", SIGNED_IN, nothing, run, repeated=True),)
