"""
When a message arrived, by what its file tells: seconds since 1970 UTC and the
minutes that local time was ahead of UTC.

What makes no sense is C{None}; nothing here ever raises.
"""

from __future__ import annotations

import calendar
import re
from email.utils import mktime_tz, parsedate_tz

#: An arrival: seconds since 1970 UTC, and the zone in minutes.
Arrival = tuple[int, int]

#: The date of a C{From } line as C{asctime} writes it, with or without seconds and a zone before the year.
_FROM_DATE = re.compile(
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*[ ]+(\d{1,2})[ ]+"
    rb"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[ ]+[A-Za-z+\-0-9]{1,6})?[ ]+(\d{4})\b"
)

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

#: The first Received field of a header, with its continuation lines.
_RECEIVED = re.compile(rb"^Received:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE)

_END_OF_HEADER = re.compile(rb"\n\r?\n")

#: Bytes at the beginning of a message that are looked at.
_HEAD = 65536

#: The last second that is believed: the end of the year 9999.
_LATEST = 253402300799


def fromLineDate(line: bytes) -> Arrival | None:
    """
    The date of the C{From } line that parts messages in an mbox (RFC 4155:
    in UTC).
    """
    found = _FROM_DATE.search(line)
    if found is None:
        return None
    month, day, hour, minute, second, year = found.groups()
    numbers = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second or 0))
    if not (numbers[0] >= 1970 and 1 <= numbers[2] <= 31 and numbers[3] < 24 and max(numbers[4:]) < 61):
        return None
    return _believed(calendar.timegm(numbers), 0)


def receivedDate(message: bytes) -> Arrival | None:
    """
    The date of the topmost Received field: when the last server took the
    message (RFC 5321 section 4.4).
    """
    head = message[:_HEAD]
    end = _END_OF_HEADER.search(head)
    found = _RECEIVED.search(head, 0, end.start() + 1 if end else len(head))
    if found is None:
        return None
    text = found.group(1).rpartition(b";")[2].decode("latin-1")
    try:
        parsed = parsedate_tz(" ".join(text.split()))
        if parsed is None or parsed[0] < 1970:
            return None
        return _believed(mktime_tz(parsed), (parsed[9] or 0) // 60)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def fileDate(seconds: float) -> Arrival | None:
    """
    The date of a file's last change.
    """
    return _believed(int(seconds), 0)


def _believed(seconds: int, zone: int) -> Arrival | None:
    if not 0 <= seconds <= _LATEST:
        return None
    return seconds, zone if abs(zone) < 24 * 60 else 0
