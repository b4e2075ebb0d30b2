"""
Flags and keywords of messages, and what a change of them did.
"""

from __future__ import annotations

import enum

import attrs

from mailstore.model.uidset import UidSet

#: Flags that every folder has, each at its bit: bit 0 is C{\Seen} and so on.
SYSTEM_FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")

SEEN, ANSWERED, FLAGGED, DELETED, DRAFT = (1 << each for each in range(5))

#: The bit of a folder's first keyword; keyword number C{n} is C{KEYWORD_BIT + n}.
KEYWORD_BIT = 8

#: Keywords that one folder can know.
MAX_KEYWORDS = 50

#: Characters that a keyword may have.
MAX_KEYWORD = 64


def flagNames(mask: int, keywords: tuple[str, ...]) -> tuple[str, ...]:
    """
    The names of the flags in C{mask}, in a folder whose keywords are C{keywords}.
    """
    names = [name for bit, name in enumerate(SYSTEM_FLAGS) if mask >> bit & 1]
    names += [name for bit, name in enumerate(keywords) if mask >> (KEYWORD_BIT + bit) & 1]
    return tuple(names)


class FlagMode(enum.Enum):
    """
    How a set of flags changes the flags of a message.
    """

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


@attrs.frozen
class FlagColumns:
    """
    Flags of some messages in ascending order of UID, as columns.
    """

    #: Packed L{uint32s}.
    uids: bytes = b""
    #: Packed L{uint64s}: flag masks, with this user's own C{\Seen}.
    flags: bytes = b""
    #: Packed L{uint64s}: mod-sequences (RFC 7162), as this user must see them.
    modseqs: bytes = b""


@attrs.frozen
class FlagsStored:
    """
    What a change of flags did.
    """

    #: Every message named that exists, with its flags now.
    changed: FlagColumns
    #: Messages left alone because they had changed since (RFC 7162 section 3.1.3).
    unchanged_since_failed: UidSet
    keywords: tuple[str, ...]
