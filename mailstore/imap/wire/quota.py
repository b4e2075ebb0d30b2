"""
Quota::

    getquota          = "GETQUOTA" SP quota-root-name
    getquotaroot      = "GETQUOTAROOT" SP mailbox
    setquota          = "SETQUOTA" SP quota-root-name SP setquota-list
    setquota-list     = "(" [setquota-resource *(SP setquota-resource)] ")"
    setquota-resource = resource-name SP resource-limit
    quota-root-name   = astring
    resource-name     = "STORAGE" / "MESSAGE" / "MAILBOX" /
                        "ANNOTATION-STORAGE" / atom
    resource-limit    = number64
    quota-response    = "QUOTA" SP quota-root-name SP quota-list
    quota-list        = "(" quota-resource *(SP quota-resource) ")"
    quota-resource    = resource-name SP resource-usage SP resource-limit
    quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)

(RFC 9208 section 7.)  GETQUOTAROOT has nothing but a mailbox.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from mailstore.imap.wire import writer
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError


@attrs.frozen
class QuotaResource:
    """
    What a quota root has of one kind.
    """

    #: C{STORAGE} (in units of 1,024 bytes), C{MESSAGE}, C{MAILBOX} or C{ANNOTATION-STORAGE}
    #: (RFC 9208 section 5).
    name: str
    usage: int
    limit: int


@attrs.frozen
class SetQuota:
    """
    The arguments of SETQUOTA.
    """

    root: str
    #: Names of resources in upper case, each once, and their new limits; what is not
    #: here is to be without limit (RFC 9208 section 4.1.3).
    limits: tuple[tuple[str, int], ...]


def readQuotaRoot(reader: Reader) -> str:
    """
    Read everything behind C{GETQUOTA} and its space: a quota root's name, maybe empty.

    @raise ParseError: none, or one that is not in UTF-8.
    """
    return reader.utf8Name("quota root")


def readSetQuota(reader: Reader) -> SetQuota:
    """
    Read everything behind C{SETQUOTA} and its space.

    @raise ParseError: an argument is missing, or a resource stands twice.
    """
    root = readQuotaRoot(reader)
    reader.space()

    def resource() -> tuple[str, int]:
        name = reader.word()
        reader.space()
        return name, reader.number64()

    limits = reader.parenthesizedOrEmpty(resource)
    if len(dict(limits)) < len(limits):
        raise ParseError("A resource stands twice")
    return SetQuota(root, limits)


def quotaLine(root: str, resources: Iterable[QuotaResource], utf8: bool = False) -> bytes:
    """
    The QUOTA response.
    """
    items = [b"%b %d %d" % (each.name.encode("ascii"), each.usage, each.limit) for each in resources]
    return b"* QUOTA %b (%b)\r\n" % (_root(root, utf8), b" ".join(items))


def quotaRootLine(mailbox: str, roots: Iterable[str], utf8: bool = False) -> bytes:
    """
    The QUOTAROOT response.
    """
    names = (writer.mailbox(mailbox, utf8), *(_root(root, utf8) for root in roots))
    return b"* QUOTAROOT %b\r\n" % b" ".join(names)


def _root(root: str, utf8: bool) -> bytes:
    return writer.astring(root.encode("utf-8", "replace"), utf8)
