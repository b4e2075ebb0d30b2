"""
Tests for L{mailstore.imap.wire.fetchdata}: what depends on the client.  The rest is in
L{tests.imap.wire.test_grammar}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire import fetchdata


class PreviewTests(SynchronousTestCase):
    """
    C{PREVIEW}.
    """

    def test_utf8(self) -> None:
        """
        In quotes only for who has asked for UTF-8.
        """
        self.assertEqual(fetchdata.preview("grün"), b"PREVIEW {5}\r\ngr\xc3\xbcn")
        self.assertEqual(fetchdata.preview("grün", utf8=True), 'PREVIEW "grün"'.encode())
        self.assertEqual(fetchdata.preview(None, utf8=True), b"PREVIEW NIL")

    def test_anything(self) -> None:
        """
        What cannot be in quotes is in a literal, and what cannot be UTF-8 is replaced.
        """
        self.assertEqual(fetchdata.preview("a\r\nb", utf8=True), b"PREVIEW {4}\r\na\r\nb")
        self.assertEqual(fetchdata.preview("\ud800"), b'PREVIEW "?"')


class BinaryTests(SynchronousTestCase):
    """
    C{BINARY}.
    """

    def test_everyByte(self) -> None:
        """
        Each byte is sent as it is; only NUL needs a C{literal8}.
        """
        for each in range(256):
            written = fetchdata.binary(b"BINARY[1]", bytes([each]))
            if not each:
                self.assertEqual(written, b"BINARY[1] ~{1}\r\n\0")
            elif each in b'"\\':
                self.assertEqual(written, b'BINARY[1] "\\%c"' % each)
            elif each < 0x80 and each not in b"\r\n":
                self.assertEqual(written, b'BINARY[1] "%c"' % each)
            else:
                self.assertEqual(written, b"BINARY[1] {1}\r\n%c" % each)
