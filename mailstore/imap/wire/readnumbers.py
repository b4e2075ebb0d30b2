"""
Reads numbers and sets of messages.
"""

from __future__ import annotations

import re
from typing import Final

from mailstore.imap.wire.cursor import Cursor
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.values import MAX_NUMBER, MAX_NUMBER64, STAR, ParseError, SequenceSet

# number          = 1*DIGIT
_DIGITS: Final = re.compile(rb"[0-9]+")

# seq-number      = nz-number / "*"
# seq-range       = seq-number ":" seq-number
# sequence-set    = (seq-number / seq-range) ["," sequence-set]
_SEQUENCE_SET: Final = re.compile(
    rb"(?:\*|[1-9][0-9]*)(?::(?:\*|[1-9][0-9]*))?(?:,(?:\*|[1-9][0-9]*)(?::(?:\*|[1-9][0-9]*))?)*(?![0-9:,*])"
)


class NumberReader(Cursor):
    """
    A place in a command where numbers can be read.
    """

    def _number(self, largest: int) -> int:
        """
        C{1*DIGIT}, not more than C{largest}.
        """
        digits = self._match(_DIGITS, "a number")[0]
        if len(digits) > 19:
            # Zeros in front are allowed, in any number; more digits are never in range.
            digits = digits.lstrip(b"0")[:20] or b"0"
        value = int(digits)
        if value > largest:
            raise ParseError(f"A number is larger than {largest}")
        return value

    def number(self) -> int:
        """
        C{number}: 0 to 2**32 - 1.

        @raise ParseError: none, or a larger one.
        """
        return self._number(MAX_NUMBER)

    def number64(self) -> int:
        """
        C{number64}: 0 to 2**63 - 1.

        @raise ParseError: none, or a larger one.
        """
        return self._number(MAX_NUMBER64)

    def nzNumber(self) -> int:
        """
        C{nz-number}: 1 to 2**32 - 1, without zeros in front.

        @raise ParseError: none, or one out of range.
        """
        if self.peek() == b"0":
            raise ParseError("A number must not be or begin with 0 here")
        return self._number(MAX_NUMBER)

    def nzNumber64(self) -> int:
        """
        C{nz-number64}: 1 to 2**63 - 1, without zeros in front.

        @raise ParseError: none, or one out of range.
        """
        if self.peek() == b"0":
            raise ParseError("A number must not be or begin with 0 here")
        return self._number(MAX_NUMBER64)

    def modSequence(self, zero: bool = False) -> int:
        """
        C{mod-sequence-value = 1*DIGIT}: 1 to 2**63 - 1 (RFC 7162 section 7).

        @param zero: it is C{mod-sequence-valzer}, which may also be 0.
        @raise ParseError: none, or one out of range.
        """
        value = self._number(MAX_NUMBER64)
        if not value and not zero:
            raise ParseError("A mod-sequence must not be 0 here")
        return value

    def sequenceSet(self) -> SequenceSet:
        """
        C{sequence-set}; with L{Extension.SEARCHRES} also C{$} (RFC 5182 section 3).

        By the letter of the ABNF C{$} could also end a list; what the RFC says of it, and
        its example 4, is that it stands alone and is combined by OR.

        @raise ParseError: none, a number out of range, or more ranges than
            the limit.
        """
        if self._text.startswith(b"$", self._at) and self.has(Extension.SEARCHRES):
            self._at += 1
            return SequenceSet((), saved=True)
        text = self._match(_SEQUENCE_SET, "a set of message numbers")[0]
        if text.count(b",") >= self.limits.max_ranges:
            raise ParseError(f"A set of message numbers has more than {self.limits.max_ranges} parts")
        ranges: list[tuple[int, int]] = []
        for each in text.decode("ascii").split(","):
            low, colon, high = each.partition(":")
            if len(low) > 10 or len(high) > 10:
                raise ParseError(f"A number is larger than {MAX_NUMBER}")
            first = STAR if low == "*" else int(low)
            second = first if not colon else STAR if high == "*" else int(high)
            if first > MAX_NUMBER or second > MAX_NUMBER:
                raise ParseError(f"A number is larger than {MAX_NUMBER}")
            ranges.append((first, second))
        return SequenceSet(tuple(ranges))

    def knownSet(self) -> SequenceSet:
        """
        C{known-uids} and the like: C{sequence-set} without C{*} and C{$} (RFC 7162 section 7).

        @raise ParseError: as L{sequenceSet}.
        """
        numbers = self.sequenceSet()
        if numbers.saved or numbers.hasStar:
            raise ParseError("A set of messages must be of numbers here")
        return numbers
