"""
A channel over plain memory, for systems that have no sealed memory.

Counts of blocks travel as notes on the socket: as many at once as come together
in a turn of the reactor, or while the socket takes none.
"""

from __future__ import annotations

from typing import Any

from transports._descriptors import looker
from transports._shmchannel import RingChannel
from transports._shmopening import DATA, QUIT, packNotes
from transports.errors import ChannelCorrupt


class PlainChannel(RingChannel):
    """
    One end of a channel over plain memory.
    """

    notes_counts = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """
        See L{RingChannel}.
        """
        super().__init__(*args, **kwargs)
        self._something = looker(self._fileno)

    def _flushMedium(self) -> None:
        if not self._blocked:
            self._write()

    def _nextNotes(self) -> bytes:
        try:
            published = self._writer.publish(0)
        except OSError as error:
            self._end(
                ChannelCorrupt(f"the memory cannot be written: {error.strerror or error}"), discard=True
            )
            return b""
        quits, self._quit_unsent = self._quit_unsent, False
        return packNotes(published, self._inbound.settle(), quits)

    def _heard(self, what: bytes, count: int) -> None:
        if what == QUIT:
            self._saysQuit()
        elif what == DATA:
            self._publishedByPeer(count)
        else:
            self._credited(count)

    def _look(self) -> bool:
        if not self._something(0) or not self._listen():
            return False
        self._work()
        return True
