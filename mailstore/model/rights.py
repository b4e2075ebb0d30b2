"""
The rights of RFC 4314.
"""

from __future__ import annotations

import enum

from mailstore.errors import InvalidName

#: Every right, in the order in which they are written (RFC 4314 section 2.1).
ALL_RIGHTS = "lrswipkxtea"

#: What C{authenticated} may do in a public folder unless somebody says
#: otherwise: look it up, read it and keep their own seen flags.
DEFAULT_PUBLIC_RIGHTS = "lrs"


def rightsOf(letters: str) -> str:
    """
    Check a set of rights and give it in the order of L{ALL_RIGHTS}, each once.
    The obsolete C{c} stands for C{kx}, C{d} for C{xte} (RFC 4314 section 2.1.1).

    @raise InvalidName: a letter names no right.
    """
    letters = letters.replace("c", "kx").replace("d", "xte")
    for each in letters:
        if each not in ALL_RIGHTS:
            raise InvalidName(f"{each!r} is no right; the rights are {ALL_RIGHTS}")
    return "".join(each for each in ALL_RIGHTS if each in letters)


class RightsMode(enum.Enum):
    """
    How a set of rights changes the rights of an identifier.
    """

    #: It has these and no others.
    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"
