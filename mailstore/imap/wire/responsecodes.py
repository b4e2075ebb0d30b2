"""
Response codes that carry something, without their brackets::

    resp-text-code  =/ "HIGHESTMODSEQ" SP mod-sequence-value / "NOMODSEQ" /
                       "MODIFIED" SP sequence-set
    resp-text-code  =/ "MAILBOXID" SP "(" objectid ")"
    resp-text-code  =/ "METADATA" SP "LONGENTRIES" SP number
    resp-text-code  =/ "METADATA" SP ("MAXSIZE" SP number / "TOOMANY" / "NOPRIVATE")
    resp-text-code  =/ "INPROGRESS" [SP "(" quoted SP (number / nil) SP (number / nil) ")"]
    resp-text-code  =/ "NOTIFICATIONOVERFLOW" / "BADEVENT" SP "(" event-name *(SP event-name) ")"
    resp-text-code  =/ "BADURL" SP url-resp-text
    url-resp-text    = 1*(%x01-09 / %x0B-0C / %x0E-5B / %x5D-FE)  ; "any TEXT-CHAR except "]""
    resp-text-code  =/ "BADCHARSET" [SP "(" charset *(SP charset) ")"]
    charset          = atom / quoted

(RFC 5465 section 8, RFC 7162 section 7, RFC 8474 section 7, RFC 5464 section 5, RFC 4469 section 5,
RFC 9585 section 5, RFC 9051 section 9.)  They are text, as replies carry them; all of it is ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mailstore.imap.wire import writer

#: The folder keeps no mod-sequences (RFC 7162 section 3.1.2.2).
NO_MOD_SEQUENCE: Final = "NOMODSEQ"

#: No more annotations can be set (RFC 5464 section 4.3).
METADATA_TOO_MANY: Final = "METADATA TOOMANY"

#: There are no annotations of one's own (RFC 5464 section 4.3).
METADATA_NO_PRIVATE: Final = "METADATA NOPRIVATE"

#: The search that was to be C{$} was not saved (RFC 5182 section 2.5).
NOT_SAVED: Final = "NOTSAVED"

#: A special use that cannot be given (RFC 6154 section 3).
USE_ATTR: Final = "USEATTR"

#: A part's content transfer encoding is not known (RFC 3516 section 4.3).
UNKNOWN_ENCODING: Final = "UNKNOWN-CTE"

#: What comes after it belongs to the folder that is being opened (RFC 7162 section 3.2.11).
CLOSED: Final = "CLOSED"


#: So many events cannot be told of (RFC 5465 section 5.8).
NOTIFICATION_OVERFLOW: Final = "NOTIFICATIONOVERFLOW"

#: What is encoded in a URL that is sent back, and bytes of one that are.
_NOT_IN_URL: Final = re.compile(rb"[^!-Z\\^-~]")
_MOST_OF_URL: Final = 300


def highestModSequence(value: int) -> str:
    """
    The highest mod-sequence of the folder (RFC 7162 section 3.1.2.1).
    """
    return f"HIGHESTMODSEQ {value}"


def modified(ranges: Iterable[tuple[int, int]]) -> str:
    """
    The messages that UNCHANGEDSINCE left alone (RFC 7162 section 3.1.3), at least one.

    @param ranges: first and last of each; sequence numbers or UIDs, as the command had them.
    """
    return f"MODIFIED {writer.numberSet(ranges).decode('ascii')}"


def mailboxId(identifier: str) -> str:
    """
    The folder's object identifier (RFC 8474 sections 4.1 and 4.2).
    """
    return f"MAILBOXID ({identifier})"


def metadataLongEntries(size: int) -> str:
    """
    Annotations over MAXSIZE were left out (RFC 5464 section 4.2.1).

    @param size: bytes of the largest one.
    """
    return f"METADATA LONGENTRIES {size}"


def metadataMaxSize(size: int) -> str:
    """
    An annotation is too large (RFC 5464 section 4.3).

    @param size: bytes that one may have.
    """
    return f"METADATA MAXSIZE {size}"


def inProgress(tag: bytes) -> str:
    """
    The command with this tag is still at work (RFC 9585 section 4); how far it is, and how much there
    is to do, is not known.  A tag with C{]}, at which clients may take the code to end, is left out
    with the rest.
    """
    return "INPROGRESS" if b"]" in tag else f'INPROGRESS ("{tag.decode("ascii")}" NIL NIL)'


def badEvent() -> str:
    """
    An event that is not known; these are (RFC 5465 section 3.1).
    """
    return "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)"


def badUrl(url: bytes) -> str:
    """
    A URL of CATENATE leads nowhere (RFC 4469 section 4.1).

    @param url: as the client wrote it; what the code cannot hold is encoded, what is too long cut.
    """
    return "BADURL " + _NOT_IN_URL.sub(lambda match: b"%%%02X" % match[0][0], url[:_MOST_OF_URL]).decode(
        "ascii"
    )


def badCharset(names: Iterable[str]) -> str:
    """
    The character set is not known, but these are (RFC 9051 section 7.1), at least one.
    """
    return f"BADCHARSET ({' '.join(writer.astring(each.encode('ascii')).decode('ascii') for each in names)})"
