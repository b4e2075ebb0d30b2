"""
Items of the FETCH response that belong to extensions, as they stand between its parentheses::

    msg-att-static  =/ "BINARY" section-binary SP (nstring / literal8) /
                       "BINARY.SIZE" section-binary SP number /
                       "EMAILID" SP "(" objectid ")" /
                       "THREADID" SP ("(" objectid ")" / nil) /
                       "SAVEDATE" SP (date-time / nil)
    msg-att-dynamic =/ "PREVIEW" SP nstring

(RFC 3516 section 7, RFC 8474 section 7, RFC 8514 section 5, RFC 8970 section 6; C{MODSEQ} is
in L{mailstore.imap.wire.condstore}.)
"""

from __future__ import annotations

from mailstore.imap.wire import writer


def binary(label: bytes, data: bytes | None) -> bytes:
    """
    C{BINARY[...]} with decoded bytes.

    @param label: as in L{FetchSection.label<mailstore.imap.wire.values.FetchSection.label>}.
    @param data: C{None} if the message has no such part.
    """
    return b"%b %b" % (label, writer.nstring8(data))


def binarySize(label: bytes, size: int) -> bytes:
    """
    C{BINARY.SIZE[...]}: as many bytes as L{binary} would give.
    """
    return b"%b %d" % (label, size)


def emailId(identifier: str) -> bytes:
    """
    C{EMAILID}.
    """
    return b"EMAILID (%b)" % identifier.encode("ascii")


def threadId(identifier: str | None) -> bytes:
    """
    C{THREADID}; C{None} where no threads are known.
    """
    return b"THREADID NIL" if identifier is None else b"THREADID (%b)" % identifier.encode("ascii")


def saveDate(epoch: int | None, zone: int = 0) -> bytes:
    """
    C{SAVEDATE}; C{None} where it is not kept.

    @param epoch: seconds since 1970 UTC.
    @param zone: as for L{internalDate<mailstore.imap.wire.writer.internalDate>}.
    """
    return b"SAVEDATE NIL" if epoch is None else b"SAVEDATE " + writer.internalDate(epoch, zone)


def preview(text: str | None, utf8: bool = False) -> bytes:
    """
    C{PREVIEW}: UTF-8, for clients that have not enabled it in a literal if it is not ASCII
    (RFC 8970 section 3.1).

    @param text: C{None} if there is none yet and the client asked with C{LAZY}.
    """
    return b"PREVIEW " + writer.nstring(None if text is None else text.encode("utf-8", "replace"), utf8)
