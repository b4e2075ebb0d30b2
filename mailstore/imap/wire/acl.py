"""
Access control::

    setacl          = "SETACL" SP mailbox SP identifier SP mod-rights
    deleteacl       = "DELETEACL" SP mailbox SP identifier
    getacl          = "GETACL" SP mailbox
    listrights      = "LISTRIGHTS" SP mailbox SP identifier
    myrights        = "MYRIGHTS" SP mailbox
    identifier      = astring
    mod-rights      = astring  ;; +rights to add, -rights to remove, rights to replace
    rights          = astring  ;; only lowercase ASCII letters and digits are allowed.
    acl-data        = "ACL" SP mailbox *(SP identifier SP rights)
    listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)
    myrights-data   = "MYRIGHTS" SP mailbox SP rights

(RFC 4314 section 7.)  GETACL and MYRIGHTS have nothing but a mailbox.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import Final

import attrs

from mailstore.imap.wire import writer
from mailstore.imap.wire.classes import RIGHT_CHAR
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError

_MOD_RIGHTS: Final = re.compile(rb"([+-]?)([" + RIGHT_CHAR + b"]*)")


class RightsMode(enum.Enum):
    """
    How SETACL changes rights.
    """

    REPLACE = ""
    ADD = "+"
    REMOVE = "-"


@attrs.frozen
class AclEntry:
    """
    The arguments of DELETEACL and LISTRIGHTS: an entry of a folder's list.
    """

    mailbox: str
    #: Never empty.  It has not been prepared with SASLprep (RFC 4314 section 3).
    identifier: str


@attrs.frozen
class SetAcl:
    """
    The arguments of SETACL.
    """

    mailbox: str
    #: As in L{AclEntry}.
    identifier: str
    mode: RightsMode
    #: Each letter or digit once, in the order written.  Those that are not known are to be answered with
    #: BAD (RFC 4314 section 3.1).
    rights: str


def readAclEntry(reader: Reader) -> AclEntry:
    """
    Read everything behind C{DELETEACL} or C{LISTRIGHTS} and its space.

    @raise ParseError: an argument is missing, or the identifier is empty.
    """
    mailbox = reader.mailbox()
    reader.space()
    identifier = reader.utf8Name("identifier")
    if not identifier:
        raise ParseError("An identifier must not be empty")
    return AclEntry(mailbox, identifier)


def readSetAcl(reader: Reader) -> SetAcl:
    """
    Read everything behind C{SETACL} and its space.

    @raise ParseError: as L{readAclEntry}, or something in the rights that can be none.
    """
    entry = readAclEntry(reader)
    reader.space()
    match = _MOD_RIGHTS.fullmatch(reader.astring())
    if match is None:
        raise ParseError("Rights are lower case letters and digits")
    rights = "".join(dict.fromkeys(match[2].decode("ascii")))
    return SetAcl(entry.mailbox, entry.identifier, RightsMode(match[1].decode("ascii")), rights)


def aclLine(mailbox: str, entries: Iterable[tuple[str, str]], utf8: bool = False) -> bytes:
    """
    The ACL response.

    @param entries: identifiers and rights.
    """
    line = [b"* ACL", writer.mailbox(mailbox, utf8)]
    for identifier, rights in entries:
        line += (_identifier(identifier, utf8), _rights(rights))
    return b" ".join(line) + b"\r\n"


def listRightsLine(
    mailbox: str, identifier: str, always: str, others: Iterable[str], utf8: bool = False
) -> bytes:
    """
    The LISTRIGHTS response.

    @param always: the rights that the identifier has in any case.
    @param others: the rights that it may be given; those of one group only together.
    """
    groups = [_rights(each) for each in (always, *others)]
    names = (writer.mailbox(mailbox, utf8), _identifier(identifier, utf8))
    return b"* LISTRIGHTS %b\r\n" % b" ".join((*names, *groups))


def myRightsLine(mailbox: str, rights: str, utf8: bool = False) -> bytes:
    """
    The MYRIGHTS response.
    """
    return b"* MYRIGHTS %b %b\r\n" % (writer.mailbox(mailbox, utf8), _rights(rights))


def _identifier(identifier: str, utf8: bool) -> bytes:
    return writer.astring(identifier.encode("utf-8", "replace"), utf8)


def _rights(rights: str) -> bytes:
    return writer.astring(rights.encode("ascii"))
