"""
How a Maildir says things by names: flags in those of files, folders in those of directories
(Maildir++: .Work.Letters, in modified UTF-7).
"""

from __future__ import annotations

import os
import re

from mailstore.errors import InvalidName
from mailstore.imap.wire.mutf7 import decode as decodeUtf7
from mailstore.imap.wire.mutf7 import encode as encodeUtf7
from mailstore.imap.wire.values import ParseError
from mailstore.model import SEPARATOR

#: What Maildir's letters stand for; P, "passed", is the keyword that mail
#: readers agree on.
MAILDIR_FLAGS = {
    "D": "\\Draft",
    "F": "\\Flagged",
    "P": "$Forwarded",
    "R": "\\Answered",
    "S": "\\Seen",
    "T": "\\Deleted",
}

#: The letters at the end of a file's name in C{cur}.
_INFO = re.compile(r"[:;!]2,([A-Za-z]*)$")

#: A dot in a folder's name: between dots stand the names.  Modified UTF-7 has another spelling of it.
_DOT = "&AC4-"

#: The file in what was exported that says what it is.
MARK = ".mailstore-export"

#: Files in a Maildir that are no mail and no surprise.
CONTROL_FILES = frozenset((MARK, "maildirfolder"))

#: Bytes of a name in a directory.
_LONGEST = 255


def maildirFlags(path: str) -> tuple[str, ...]:
    """
    The flags that the name of a file in a Maildir tells.  Letters without a
    meaning are left out.
    """
    found = _INFO.search(os.path.basename(path))
    given = found.group(1) if found else ""
    return tuple(flag for letter, flag in MAILDIR_FLAGS.items() if letter in given)


def letters(flags: tuple[str, ...]) -> str:
    """
    The letters that tell flags, in their order.  Flags that have none are left out.
    """
    known = {each.lower() for each in flags}
    return "".join(letter for letter, flag in MAILDIR_FLAGS.items() if flag.lower() in known)


def folderParts(directory: str) -> tuple[str, ...]:
    """
    The parts of the name of the folder that a directory of a Maildir is.
    """
    return tuple(_decoded(part) for part in directory[1:].split("."))


def _decoded(name: str) -> str:
    """
    A part of a name; one that is not in modified UTF-7 stands for itself.
    """
    try:
        return ".".join(decodeUtf7(each.encode("ascii")) for each in name.split(_DOT))
    except (ParseError, UnicodeEncodeError):
        return name


def subfolder(name: str) -> str:
    """
    The directory of a folder below the one that a Maildir is.

    @raise InvalidName: no directory can be called so.
    """
    parts = [encodeUtf7(part).decode().replace(".", _DOT) for part in name.split(SEPARATOR)]
    found = "." + ".".join(parts)
    if len(found) > _LONGEST:
        raise InvalidName("its name is too long for a Maildir")
    return found
