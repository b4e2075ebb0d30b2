"""
Tests for L{mailstore.imap.wire.responsecodes}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire import responsecodes as codes
from mailstore.imap.wire import writer
from mailstore.imap.wire.charsets import codecOf


class CodeTests(SynchronousTestCase):
    """
    Response codes.
    """

    def test_written(self) -> None:
        """
        As the RFCs' examples have them.
        """
        for code, written in (
            (codes.highestModSequence(715194045007), "HIGHESTMODSEQ 715194045007"),
            (codes.modified([(7, 7), (9, 12)]), "MODIFIED 7,9:12"),
            (
                codes.mailboxId("F2212ea87-6097-4256-9d51-71338625"),
                "MAILBOXID (F2212ea87-6097-4256-9d51-71338625)",
            ),
            (codes.metadataLongEntries(2199), "METADATA LONGENTRIES 2199"),
            (codes.metadataMaxSize(1024), "METADATA MAXSIZE 1024"),
            (codes.METADATA_TOO_MANY, "METADATA TOOMANY"),
            (codes.METADATA_NO_PRIVATE, "METADATA NOPRIVATE"),
            (codes.NO_MOD_SEQUENCE, "NOMODSEQ"),
            (codes.NOT_SAVED, "NOTSAVED"),
            (codes.USE_ATTR, "USEATTR"),
            (codes.UNKNOWN_ENCODING, "UNKNOWN-CTE"),
            (codes.CLOSED, "CLOSED"),
            (codes.inProgress(b"A001"), 'INPROGRESS ("A001" NIL NIL)'),
            (codes.inProgress(b"a]b"), "INPROGRESS"),
            (codes.badUrl(b"/INBOX/;UID=1"), "BADURL /INBOX/;UID=1"),
            (codes.badUrl(b"a ]\r\n\xff"), "BADURL a%20%5D%0D%0A%FF"),
        ):
            self.assertEqual(code, written)
            self.assertEqual(
                writer.status(b"A1", b"OK", "Done", code.encode("ascii")),
                b"A1 OK [%b] Done\r\n" % code.encode(),
            )

    def test_charsets(self) -> None:
        """
        The character sets that are told are known.
        """
        names = ("US-ASCII", "UTF-8", "KOI8-R")
        self.assertEqual(codes.badCharset(names), "BADCHARSET (US-ASCII UTF-8 KOI8-R)")
        for name in names:
            codecOf(name.encode())
