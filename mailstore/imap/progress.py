"""
Telling a client that its command is still at work (RFC 9585).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.imap.wire.responsecodes import inProgress

if TYPE_CHECKING:
    from mailstore.imap.session import Session

#: Seconds between two such responses, and before the first (RFC 9585 section 4 has 10 to 15).
INTERVAL = 10.0


class Progress:
    """
    Says so for one command, before its first response.  How much there is left to do, nobody knows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._due = session.front.runtime.seconds() + INTERVAL

    async def tell(self) -> None:
        """
        Say it if it is time; to be called whenever a part of the work is done.

        @raise SessionOver: the client has gone.
        """
        session = self._session
        now = session.front.runtime.seconds()
        if now >= self._due:
            self._due = now + INTERVAL
            await session.untagged(f"OK [{inProgress(session.tag)}] Still looking".encode("ascii"))
