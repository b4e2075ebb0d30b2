"""
Reads days and times.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from mailstore.imap.wire.cursor import Cursor
from mailstore.imap.wire.values import ParseError

# date            = date-text / DQUOTE date-text DQUOTE
# date-text       = date-day "-" date-month "-" date-year
# date-day        = 1*2DIGIT
_DATE_TEXT: Final = rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})"
_DATE: Final = re.compile(rb"(\"?)" + _DATE_TEXT + rb"\1(?![0-9])")

# date-time       = DQUOTE date-day-fixed "-" date-month "-" date-year
#                   SP time SP zone DQUOTE
# date-day-fixed  = (SP DIGIT) / 2DIGIT                    (one digit alone is taken too)
# time            = 2DIGIT ":" 2DIGIT ":" 2DIGIT
# zone            = ("+" / "-") 4DIGIT
_DATE_TIME: Final = re.compile(
    rb'" ?' + _DATE_TEXT + rb' ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)

# date-month      = "Jan" / "Feb" / "Mar" / "Apr" / "May" / "Jun" /
#                   "Jul" / "Aug" / "Sep" / "Oct" / "Nov" / "Dec"
_MONTHS: Final = {
    name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}

_EPOCH: Final = date(1970, 1, 1).toordinal()


class TimeReader(Cursor):
    """
    A place in a command where days and times can be read.
    """

    def _day(self, day: bytes, month: bytes, year: bytes) -> int:
        """
        The ordinal of a day.
        """
        try:
            return date(int(year), _MONTHS[month.lower()], int(day)).toordinal()
        except (KeyError, ValueError):
            raise ParseError("There is no such date") from None

    def date(self) -> int:
        """
        C{date}: a day, as the proleptic ordinal of L{datetime.date.toordinal}.

        @raise ParseError: none, or not a day of the calendar.
        """
        match = self._match(_DATE, "a date")
        return self._day(match[2], match[3], match[4])

    def dateTime(self) -> tuple[int, int]:
        """
        C{date-time}.

        @return: seconds since 1970 UTC, negative before; and by how many minutes local
            time was ahead of UTC.
        @raise ParseError: none, or not a time of the calendar.
        """
        match = self._match(_DATE_TIME, "a date and time")
        day = self._day(match[1], match[2], match[3])
        hour, minute, second, zone_hour, zone_minute = map(int, match.group(4, 5, 6, 8, 9))
        # 60 is a leap second (RFC 5322 section 3.3).
        if hour > 23 or minute > 59 or second > 60 or zone_hour > 23 or zone_minute > 59:
            raise ParseError("There is no such time")
        zone = zone_hour * 60 + zone_minute
        if match[7] == b"-":
            zone = -zone
        return (day - _EPOCH) * 86400 + hour * 3600 + minute * 60 + second - zone * 60, zone
