"""
Where reading can go on in the middle of a large message.

What is served, and what a part is decoded to, has other positions than what is kept; to find one, all that
comes before is to be read.  Whoever reads notes on the way what is where, for the next who wants a piece from
further on: so reading a message in pieces takes no longer than reading it at once.
"""

from __future__ import annotations

import copy
from bisect import bisect_right

import attrs

from mailstore.engine.chunks import CHUNK, Places
from mailstore.lru import Cache
from mailstore.message.encodings import Decoding

#: Bytes of a part, as it is served, from one waypoint to the next.
STRIDE = 128 * 1024

#: Bytes that an entry occupies, and a waypoint, nearly.
_ENTRY, _WAYPOINT = 300, 400


@attrs.frozen
class Waypoint:
    """
    A place in a part that is being decoded.
    """

    #: Bytes of its served form before it.
    served: int
    #: Bytes that these were decoded to.
    decoded: int
    #: How it goes on.
    decoding: Decoding


class Course:
    """
    How a part is decoded, as far as it has been.

    @ivar size: bytes that it is decoded to; C{None} until that is known.
    """

    def __init__(self, decoding: Decoding) -> None:
        self.size: int | None = None
        self._waypoints = [Waypoint(0, 0, copy.copy(decoding))]
        self._decoded = [0]

    def before(self, decoded: int) -> Waypoint:
        """
        The last one that is known not to come after C{decoded}.
        """
        found = self._waypoints[bisect_right(self._decoded, decoded) - 1]
        return attrs.evolve(found, decoding=copy.copy(found.decoding))

    def note(self, served: int, decoded: int, decoding: Decoding) -> None:
        """
        Learn one, if it is a stride after the last.
        """
        if served >= self._waypoints[-1].served + STRIDE:
            self._waypoints.append(Waypoint(served, decoded, copy.copy(decoding)))
            self._decoded.append(decoded)


class Landmarks:
    """
    What is known of the messages that were read last.
    """

    def __init__(self, capacity: int) -> None:
        """
        @param capacity: bytes that it may occupy, nearly.
        """
        self._places: Cache[int, Places] = Cache(capacity // 2)
        self._courses: Cache[tuple[int, int], Course] = Cache(capacity // 2)

    @property
    def cost(self) -> int:
        """
        Bytes that it may come to occupy with what it has now.
        """
        return self._places.cost + self._courses.cost

    def places(self, content: int, stored: int) -> Places:
        """
        Those of a content.

        @param stored: bytes that it has.
        """
        found = self._places.get(content)
        if found is None:
            found = Places()
            if stored > CHUNK:
                self._places.put(content, found, _ENTRY + 8 * (stored // CHUNK))
        return found

    def course(self, content: int, start: int, size: int, decoding: Decoding) -> Course:
        """
        That of a part.

        @param start: where it begins in the served form of the content.
        @param size: bytes of its served form.
        @param decoding: how it begins.
        """
        found = self._courses.get((content, start))
        if found is None:
            found = Course(decoding)
            if size > STRIDE:
                self._courses.put((content, start), found, _ENTRY + _WAYPOINT * (size // STRIDE))
        return found

    def forget(self) -> None:
        """
        Read everything again.
        """
        self._places.clear()
        self._courses.clear()
