"""
SASLprep, the one spelling of a password (RFC 4013, a profile of RFC 3454).
"""

from __future__ import annotations

import stringprep
import unicodedata
from collections.abc import Callable

#: What RFC 4013 section 2.3 forbids, table by table of RFC 3454.
_PROHIBITED: tuple[Callable[[str], bool], ...] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class BadText(ValueError):
    """
    The text has a character that no password may have.
    """


def prepare(text: str) -> str:
    """
    Give the spelling of C{text} that is compared and hashed.

    Code points that Unicode 3.2 did not assign are let through, as RFC 4013
    section 2.5 allows for queries; a password in a newer alphabet works.

    @raise BadText: there is a control character or another one that is
        forbidden, or left-to-right and right-to-left text are mixed in a way
        that RFC 3454 section 6 refuses, or nothing is left.
    """
    mapped = "".join(
        " " if stringprep.in_table_c12(each) else each for each in text if not stringprep.in_table_b1(each)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    if not prepared:
        raise BadText("a password cannot be empty")
    for each in prepared:
        if any(forbidden(each) for forbidden in _PROHIBITED):
            raise BadText(f"a password cannot have the character U+{ord(each):04X}")
    _checkDirections(prepared)
    return prepared


def _checkDirections(text: str) -> None:
    """
    RFC 3454 section 6: text with a right-to-left character begins and ends
    with one, and has no left-to-right character.
    """
    if not any(stringprep.in_table_d1(each) for each in text):
        return
    if any(stringprep.in_table_d2(each) for each in text):
        raise BadText("a password cannot mix left-to-right and right-to-left letters")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise BadText("a password with right-to-left letters must begin and end with one")
