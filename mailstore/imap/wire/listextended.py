r"""
LIST with options, and the LIST response::

    list            = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat
                      [SP list-return-opts]
    mbox-or-pat     = list-mailbox / patterns
    patterns        = "(" list-mailbox *(SP list-mailbox) ")"
    list-select-opts = "(" [
                       (*(list-select-opt SP) list-select-base-opt
                        *(SP list-select-opt))
                     / (list-select-independent-opt
                        *(SP list-select-independent-opt))
                     ] ")"
    list-select-base-opt        = "SUBSCRIBED"
    list-select-independent-opt = "REMOTE" / "SPECIAL-USE"
    list-select-mod-opt         = "RECURSIVEMATCH"
    list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
    return-option   = "SUBSCRIBED" / "CHILDREN" / "SPECIAL-USE" / "MYRIGHTS" /
                      "STATUS" SP "(" status-att *(SP status-att) ")" /
                      "METADATA" SP entries
    mailbox-list    = "(" [mbx-list-flags] ")" SP
                      (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox
                      [SP "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")"]
    childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted
                              *(SP list-select-base-opt-quoted) ")"
    oldname-extended-item   = "OLDNAME" SP "(" mailbox ")"

(RFC 5258 section 6, RFC 9051 section 9; RFC 6154 section 6, RFC 8440 section 5, RFC 5819 section 4,
RFC 9590 section 6; C{entries} are those of GETMETADATA, without its options.)
LSUB, and a LIST that knows no options, are in L{mailstore.imap.wire.listargs}.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

import attrs

from mailstore.imap.wire import writer
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.metadata import readEntries
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.statusitems import readStatusItems
from mailstore.imap.wire.values import ParseError, StatusItem


class ListSelect(enum.Enum):
    """
    Which folders LIST is about (RFC 5258 section 3.1, RFC 6154 section 2).
    """

    #: Names that the user subscribes to, whether they exist or not.
    SUBSCRIBED = "SUBSCRIBED"
    #: Also what is on other servers.
    REMOTE = "REMOTE"
    #: Only folders with a special use.
    SPECIAL_USE = "SPECIAL-USE"
    #: Also folders below which there are such that are meant; never alone.
    RECURSIVEMATCH = "RECURSIVEMATCH"


class ListReturn(enum.Enum):
    """
    What LIST tells of each folder (RFC 5258 section 3.2, RFC 6154 section 2, RFC 8440 section 3).
    """

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"
    #: A MYRIGHTS response after each LIST response.
    MYRIGHTS = "MYRIGHTS"


@attrs.frozen
class ListRequest:
    """
    The arguments of LIST.
    """

    #: Goes before each pattern; often empty.
    reference: str
    #: C{*} matches anything, C{%} anything without the separator; at least one.
    patterns: tuple[str, ...]
    select: frozenset[ListSelect] = frozenset()
    #: What was asked for, and what L{select} implies (RFC 5258 section 3.1, RFC 6154 section 2).
    returns: frozenset[ListReturn] = frozenset()
    #: What a STATUS response after each LIST response is to tell; C{()} for none.
    status: tuple[StatusItem, ...] = ()
    #: Names of what a METADATA response after each LIST response is to tell, in lower case and each once.
    annotations: tuple[str, ...] = ()
    #: Whether it was written in any way that RFC 3501 does not know.  Then an empty pattern matches nothing,
    #: otherwise it asks for the separator (RFC 5258 section 3).
    extended: bool = False


_SELECT: Final = {option.value: option for option in ListSelect}
_RETURN: Final = {option.value: option for option in ListReturn}

_SELECT_EXTENSIONS: Final = {ListSelect.SPECIAL_USE: Extension.SPECIAL_USE}
_RETURN_EXTENSIONS: Final = {
    ListReturn.SPECIAL_USE: Extension.SPECIAL_USE,
    ListReturn.MYRIGHTS: Extension.LIST_MYRIGHTS,
}

_IMPLIED: Final = {
    ListSelect.SUBSCRIBED: ListReturn.SUBSCRIBED,
    ListSelect.SPECIAL_USE: ListReturn.SPECIAL_USE,
}


def readList(reader: Reader) -> ListRequest:
    """
    Read everything behind C{LIST} and its space, to the end of the command.

    @raise ParseError: an argument is missing, an option is not known or not possible, or there are more
        patterns than L{ReaderLimits.max_patterns<mailstore.imap.wire.cursor.ReaderLimits.max_patterns>}.
    """
    offered = reader.has(Extension.LIST_EXTENDED)
    select: frozenset[ListSelect] = frozenset()
    extended = offered and reader.peek() == b"("
    if extended:
        select = _readSelect(reader)
        reader.space()
    reference = reader.mailbox()
    reader.space()
    if offered and reader.peek() == b"(":
        extended = True
        patterns = _readPatterns(reader)
    else:
        patterns = (reader.listMailbox(),)
    returns: set[ListReturn] = set()
    status: tuple[StatusItem, ...] = ()
    annotations: tuple[str, ...] = ()
    if offered and reader.accept(b" "):
        extended = True
        if reader.word() != "RETURN":
            raise ParseError("Expected RETURN or the end of the command")
        reader.space()
        returns, status, annotations = _readReturn(reader)
    reader.end()
    returns.update(_IMPLIED[option] for option in select if option in _IMPLIED)
    return ListRequest(reference, patterns, select, frozenset(returns), status, annotations, extended)


def _readSelect(reader: Reader) -> frozenset[ListSelect]:
    """
    C{list-select-opts}.
    """

    def option() -> ListSelect:
        found = _SELECT.get(reader.word())
        if found is None or not reader.has(_SELECT_EXTENSIONS.get(found)):
            raise ParseError("Unknown option to select folders for LIST")
        return found

    options = frozenset(reader.parenthesizedOrEmpty(option))
    if ListSelect.RECURSIVEMATCH in options and ListSelect.SUBSCRIBED not in options:
        # RFC 5258 section 3.1: "The server MUST return BAD"; by the ABNF of RFC 6154 SPECIAL-USE
        # is like REMOTE in this.
        raise ParseError("RECURSIVEMATCH needs SUBSCRIBED")
    return options


def _readPatterns(reader: Reader) -> tuple[str, ...]:
    """
    C{patterns}.
    """
    patterns = reader.parenthesized(reader.listMailbox)
    if len(patterns) > reader.limits.max_patterns:
        raise ParseError(f"LIST has more than {reader.limits.max_patterns} patterns")
    return patterns


def _readReturn(reader: Reader) -> tuple[set[ListReturn], tuple[StatusItem, ...], tuple[str, ...]]:
    """
    The options behind C{RETURN}.
    """
    status: dict[StatusItem, None] = {}
    annotations: dict[str, None] = {}

    def option() -> ListReturn | None:
        name = reader.word()
        if name == "STATUS" and reader.has(Extension.LIST_STATUS):
            reader.space()
            status.update(dict.fromkeys(readStatusItems(reader)))
            return None
        if name == "METADATA" and reader.has(Extension.LIST_METADATA):
            reader.space()
            annotations.update(dict.fromkeys(readEntries(reader)))
            return None
        found = _RETURN.get(name)
        if found is None or not reader.has(_RETURN_EXTENSIONS.get(found)):
            raise ParseError("Unknown option of LIST RETURN")
        return found

    options = reader.parenthesizedOrEmpty(option)
    return {each for each in options if each is not None}, tuple(status), tuple(annotations)


def listLine(
    name: str,
    attributes: bytes,
    separator: str | None = "/",
    *,
    child_info: Iterable[ListSelect] = (),
    old_name: str | None = None,
    utf8: bool = False,
) -> bytes:
    """
    A LIST response.

    @param attributes: with a space between each two.
    @param separator: one character of ASCII; C{None} for a name in a flat hierarchy.
    @param child_info: by which options there are folders below this one that are selected, for
        RECURSIVEMATCH (RFC 5258 section 3.5).
    @param old_name: what it was called before (RFC 9051 section 6.3.9.7).
    """
    delimiter = b"NIL" if separator is None else writer.quoted(separator.encode("ascii"))
    line = b"* LIST (%b) %b %b" % (attributes, delimiter, writer.mailbox(name, utf8))
    items = []
    options = sorted(option.value for option in child_info)
    if options:
        items.append(b'"CHILDINFO" (%b)' % b" ".join([b'"%b"' % option.encode() for option in options]))
    if old_name is not None:
        items.append(b'"OLDNAME" (%b)' % writer.mailbox(old_name, utf8))
    return b"%b (%b)\r\n" % (line, b" ".join(items)) if items else line + b"\r\n"
