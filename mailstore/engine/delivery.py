"""
Bringing new messages into a folder.

What costs time (parsing, rendering) is done before the write transaction; in it
remain as few statements as there are rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from mailstore.engine import content, quotas
from mailstore.engine.chunks import CHUNK
from mailstore.engine.connection import Connection
from mailstore.engine.flags import Keywords, viewerFlagRights
from mailstore.engine.limits import EngineLimits
from mailstore.engine.messages import NewRow, addMessages
from mailstore.engine.places import FolderRow
from mailstore.engine.rendering import Rendered
from mailstore.engine.uploads import Spool, Uploads
from mailstore.engine.users import Viewer
from mailstore.errors import InvalidRequest, LimitReached, MessageTooBig
from mailstore.message.lines import Buffer
from mailstore.model import AppendResult, NewMessage

#: Minutes that local time can be ahead of UTC, or behind it.
MAX_ZONE = 24 * 60

#: The last second that has a year of four digits, since 1970.
LAST_DATE = 253402300799


@attrs.define
class Arrival:
    """
    A message to be stored, with its bytes at hand.
    """

    message: NewMessage
    spool: Spool
    digest: bytes
    known: bool = False
    rendered: Rendered | None = None
    #: It is being written already.
    arriving: content.Arriving | None = None


class Delivery:
    """
    The messages of one append, from being handed in to being rows.
    """

    def __init__(
        self, render: Callable[[Buffer], Rendered], limits: EngineLimits, clock: Callable[[], float]
    ) -> None:
        """
        @param render: makes everything of a message given as it came.
        """
        self._render = render
        self._limits = limits
        self._clock = clock
        self._arrivals: list[Arrival] = []

    def gather(self, uploads: Uploads, user: str, messages: tuple[NewMessage, ...]) -> None:
        """
        Take the messages over; all uploads named are used up, also on failure.

        @raise MessageTooBig:
        @raise LimitReached: too many messages at once.
        @raise InvalidRequest: no such upload, an incomplete one, or a date that makes no sense.
        """
        taken = [
            uploads.take(each.content, user) if isinstance(each.content, int) else None for each in messages
        ]
        for message, upload in zip(messages, taken, strict=True):
            if upload is not None:
                self._arrivals.append(Arrival(message, upload.spool, b""))
            elif isinstance(message.content, bytes):
                self._arrivals.append(Arrival(message, Spool.ofBytes(message.content), b""))
        if len(self._arrivals) < len(messages):
            raise InvalidRequest("there is no such upload")
        if len(messages) > self._limits.max_append:
            raise LimitReached(f"at most {self._limits.max_append} messages can be stored at once")
        for upload in taken:
            if upload is not None and upload.exact and upload.spool.size != upload.announced:
                raise InvalidRequest("the upload is not complete")
        for arrival in self._arrivals:
            if arrival.spool.size > self._limits.max_message:
                raise MessageTooBig(f"a message can have at most {self._limits.max_message} bytes")
            date = arrival.message.internal_date
            if abs(arrival.message.zone) > MAX_ZONE or (date is not None and date > LAST_DATE):
                raise InvalidRequest("the date of a message is out of range")
            arrival.digest = arrival.spool.digest()

    def look(self, db: Connection) -> None:
        """
        Find out which messages are in the store already.
        """
        for arrival in self._arrivals:
            arrival.known = content.isNamed(db, arrival.digest)

    def unknown(self) -> Iterator[Arrival]:
        """
        Those that are not.
        """
        return (each for each in self._arrivals if not each.known)

    def prepare(self, arrival: Arrival, render: Callable[[Buffer], Rendered] | None = None) -> None:
        """
        Make what must be made of one.

        @param render: makes it of this one.
        """
        arrival.rendered = (render or self._render)(arrival.spool.buffer())

    def begin(self, arrival: Arrival) -> content.Arriving:
        """
        Begin to write one that is large, before it is stored.
        """
        assert arrival.rendered is not None
        spool = arrival.spool
        arrival.arriving = content.Arriving(spool.size, spool.chunks(CHUNK), arrival.rendered)
        return arrival.arriving

    def store(self, db: Connection, row: FolderRow, viewer: Viewer, rights: str) -> AppendResult:
        """
        Make them rows of a folder.

        @raise LimitReached: too many keywords.
        """
        allowed = viewerFlagRights(rights, row, viewer)
        keywords = Keywords.of(row)
        now = int(self._clock())
        rows: list[NewRow] = []
        for arrival in self._arrivals:
            message = arrival.message
            stored, size = self._content(db, arrival)
            # A message that claims to have arrived before 1970 arrived then.
            date = now if message.internal_date is None else max(0, message.internal_date)
            mask = keywords.mask(message.flags, allowed)
            rows.append(NewRow(mask, stored, date, message.zone, size, now))
        row, uids = addMessages(db, row, viewer, rows, keywords.dump())
        if rows:
            quotas.require(db, row)
        return AppendResult(row.uid_validity, tuple(uids))

    def _content(self, db: Connection, arrival: Arrival) -> tuple[int, int]:
        """
        The content that a message names from now on, and its served size.
        """
        found = content.find(db, arrival.digest)
        if found is not None:
            content.addReferences(db, (found[0],))
            return found
        if arrival.arriving is not None and arrival.rendered is not None:
            arrival.arriving.end(db, arrival.digest)
            return arrival.arriving.id, arrival.rendered.size
        # If nothing was made of it, it was there before, and has gone since.
        rendered = arrival.rendered or self._render(arrival.spool.buffer())
        spool = arrival.spool
        stored = content.insert(db, arrival.digest, spool.size, spool.chunks(CHUNK), rendered)
        return stored, rendered.size

    def close(self) -> list[int]:
        """
        Give back what holds the bytes.

        @return: contents that were begun to be written.
        """
        begun = [each.arriving.id for each in self._arrivals if each.arriving is not None]
        for arrival in self._arrivals:
            arrival.spool.close()
        self._arrivals = []
        return begun
