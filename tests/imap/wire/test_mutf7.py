"""
Tests for L{mailstore.imap.wire.mutf7}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.mutf7 import decode, encode
from mailstore.imap.wire.values import ParseError
from tests.imap.wire.strategies import examples, names

ROWS = [
    ("", b""),
    ("INBOX", b"INBOX"),
    ("R&D", b"R&-D"),
    ("&&", b"&-&-"),
    # The example of RFC 3501 section 5.1.3.
    ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ("ü&", b"&APw-&-"),
    ("Entwürfe", b"Entw&APw-rfe"),
    ("\U0001f600", b"&2D3eAA-"),
    ("tab\t", b"tab&AAk-"),
    ("\x7f", b"&AH8-"),
]


class ModifiedUTF7Tests(SynchronousTestCase):
    """
    L{encode} and L{decode}.
    """

    def test_rows(self) -> None:
        """
        Names and their spelling, in both directions.
        """
        self.assertEqual([encode(name) for name, _ in ROWS], [wire for _, wire in ROWS])
        self.assertEqual([decode(wire) for _, wire in ROWS], [name for name, _ in ROWS])

    @examples
    @given(names)
    def test_roundTrip(self, name: str) -> None:
        """
        Every name can be written, in printable ASCII, and is read as it was.
        """
        wire = encode(name)
        self.assertTrue(all(0x20 <= each < 0x7F for each in wire))
        self.assertEqual(decode(wire), name)

    @examples
    @given(st.binary() | st.from_regex(rb"(?:[a&]|&[A-D,+]{0,6}-?){0,4}", fullmatch=True))
    def test_oneSpelling(self, wire: bytes) -> None:
        """
        Whatever can be read is written the same way; the rest is no name.
        """
        try:
            name = decode(wire)
        except ParseError:
            return
        self.assertEqual(encode(name), wire)

    def test_everyByte(self) -> None:
        """
        Printable ASCII except C{&} stands for itself; no other byte does.
        """
        plain = []
        for each in range(256):
            try:
                self.assertEqual(decode(bytes([each])), chr(each))
            except ParseError:
                continue
            plain.append(each)
        self.assertEqual(plain, [each for each in range(0x20, 0x7F) if each != ord("&")])

    def test_refused(self) -> None:
        """
        What has another spelling, or none, is refused: ASCII in base64, runs that
        touch, wrong padding, half a surrogate pair, a run that does not end.
        """
        for wire in (b"&", b"a&", b"&AGE-", b"&APw-&APw-", b"&APx-", b"&A-", b"&2D0-", b"&APw", b"&AP=-"):
            self.assertRaises(ParseError, decode, wire)

    def test_surrogate(self) -> None:
        """
        Half of a surrogate pair cannot be written.
        """
        self.assertRaises(UnicodeEncodeError, encode, "a\ud800")
