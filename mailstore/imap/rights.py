"""
Rights as clients write and read them: with the C{c} and C{d} of RFC 2086, which are
no rights but stand for some (RFC 4314 section 2.1.1).
"""

from __future__ import annotations

from functools import cache
from typing import Final

from mailstore.imap.wire.values import ParseError
from mailstore.model import ALL_RIGHTS, INBOX, OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR

#: What the obsolete rights stand for.  Of the two ways that RFC 4314 section 2.1.1
#: has, this is the one of its examples: who may create folders may delete them.
_OBSOLETE: Final = {"c": "kx", "d": "et"}

#: Every right that can be told, in the order in which it is.
TOLD_RIGHTS: Final = ALL_RIGHTS + "".join(_OBSOLETE)


@cache
def toClient(rights: str) -> str:
    """
    Some rights, with the obsolete ones that stand for any of them.

    Answers are kept: there are at most as many as sets of rights, which the store gives in one order.
    """
    return rights + "".join(each for each, meant in _OBSOLETE.items() if not set(meant).isdisjoint(rights))


def fromClient(letters: str) -> str:
    """
    The rights that a client means.

    @raise ParseError: one that is not known (RFC 4314 section 3.1: "the server MUST return a BAD response").
    """
    for each in letters:
        if each not in TOLD_RIGHTS:
            raise ParseError(f"There is no right {each}")
    meant = set(letters).union(*(_OBSOLETE.get(each, "") for each in letters))
    return "".join(each for each in ALL_RIGHTS if each in meant)


def parentOf(name: str) -> str:
    """
    The folder that a new one of this name would be below; C{""} when there is no other.
    """
    parent = name.rpartition(SEPARATOR)[0]
    if not parent and name not in (INBOX, PUBLIC_ROOT, OTHERS_ROOT):
        return INBOX
    return parent
