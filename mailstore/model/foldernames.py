"""
Names of folders: what they look like, and the one spelling of each.
"""

from __future__ import annotations

import unicodedata

from mailstore.errors import InvalidName

#: Between the parts of a folder's name, in every namespace.
SEPARATOR = "/"

#: Where the public folders are.
PUBLIC_ROOT = "Public Folders"

#: Where other users' folders are, each below its owner's name.
OTHERS_ROOT = "Other Users"

#: The folder that every user has; its name is the same in any case.
INBOX = "INBOX"

#: Bytes (UTF-8) that one part of a folder's name may have.
MAX_PART = 255

#: Bytes (UTF-8) that a whole folder name may have.
MAX_NAME = 1000

#: Parts that a folder name may have.
MAX_DEPTH = 32


def folderName(name: str) -> str:
    """
    Check a folder's name as its user sees it, and give its one spelling.

    C{INBOX} is the same in any case (also as the first part of a longer name);
    everything else is kept as it is, in Unicode normalization form C.

    @raise InvalidName: it is empty or too long, a part is empty, C{.} or
        C{..}, or there is a character that is no text.
    """
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise InvalidName("a folder name cannot be empty")
    parts = name.split(SEPARATOR)
    if len(parts) > MAX_DEPTH:
        raise InvalidName(f"a folder name can have at most {MAX_DEPTH} parts")
    for part in parts:
        if not part:
            raise InvalidName(f"a folder name cannot have an empty part between {SEPARATOR!r}: {name!r}")
        if part in (".", ".."):
            raise InvalidName(f"a part of a folder name cannot be {part!r}")
        if len(part.encode("utf-8", "surrogatepass")) > MAX_PART:
            raise InvalidName(f"a part of a folder name can have at most {MAX_PART} bytes")
    if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in name):
        raise InvalidName(f"a folder name cannot hold control characters: {name!r}")
    if len(name.encode()) > MAX_NAME:
        raise InvalidName(f"a folder name can have at most {MAX_NAME} bytes")
    if parts[0].upper() == INBOX:
        parts[0] = INBOX
    return SEPARATOR.join(parts)
