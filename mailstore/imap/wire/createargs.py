r"""
What CREATE is given::

    create          = "CREATE" SP mailbox [create-params]
    create-params   = SP "(" create-param *(SP create-param) ")"
    create-param   =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"
    use-attr        = "\All" / "\Archive" / "\Drafts" / "\Flagged" /
                      "\Junk" / "\Sent" / "\Trash" / use-attr-ext
    use-attr-ext    = "\" atom

(RFC 4466 section 3, RFC 6154 section 6.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import attrs

from mailstore.imap.wire.classes import ATOM_CHAR
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.options import readOptions, withValue
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError

#: The special uses of RFC 6154 section 2 in their one spelling.
SPECIAL_USES: Final = ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")

_SPELLINGS: Final = {name.lower(): name for name in SPECIAL_USES}

_USE: Final = re.compile(rb"\\[" + ATOM_CHAR + b"]+")


@attrs.frozen
class CreateArguments:
    """
    The arguments of CREATE.
    """

    mailbox: str
    #: Special uses, each once; those of L{SPECIAL_USES} in that spelling, others as they were
    #: written (to be answered NO with USEATTR, RFC 6154 section 3).
    uses: tuple[str, ...] = ()


def readCreate(reader: Reader) -> CreateArguments:
    """
    Read everything behind the command's name and space.

    @raise ParseError: no mailbox, or a parameter that is not known.
    """
    mailbox = reader.mailbox()
    if not reader.accept(b" "):
        return CreateArguments(mailbox)
    known: dict[str, Callable[[], Any]] = {}
    if reader.has(Extension.CREATE_SPECIAL_USE):
        known["USE"] = withValue(reader, lambda: reader.parenthesizedOrEmpty(lambda: _readUse(reader)))
    found = readOptions(reader, known, "CREATE")
    return CreateArguments(mailbox, tuple(dict.fromkeys(found.get("USE", ()))))


def _readUse(reader: Reader) -> str:
    """
    C{use-attr}.
    """
    use = reader.optional(_USE).decode("ascii")
    if not use:
        raise ParseError("Expected a special use")
    return _SPELLINGS.get(use.lower(), use)
