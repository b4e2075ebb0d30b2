"""
Content transfer encodings.
"""

from __future__ import annotations

import base64
import quopri
from copy import copy

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import UnknownEncoding
from mailstore.message.encodings import decodingFor


def _header(name: bytes) -> bytes:
    return b"Content-Transfer-Encoding: " + name + b"\r\n\r\n"


class DecodingTests(SynchronousTestCase):
    """
    L{decodingFor}.
    """

    def _decoded(self, name: bytes, data: bytes, step: int) -> bytes:
        decoding = decodingFor(_header(name))
        counting = decodingFor(_header(name))
        assert decoding is not None and counting is not None
        pieces = []
        for at in range(0, len(data), step):
            pieces.append(decoding.feed(data[at : at + step]))
            # Who counts and who decodes can go on for each other.
            self.assertEqual(copy(counting).measure(data[at : at + step]), len(pieces[-1]))
            counting.measure(data[at : at + step])
        end = decoding.finish()
        self.assertEqual(counting.finish(), end)
        return b"".join(pieces) + end

    def test_names(self) -> None:
        """
        Names are read in any case; what stands for itself needs no decoding; others are errors.
        """
        for name in (b"7bit", b"8BIT", b"", b" 7bit (comment)"):
            self.assertIsNone(decodingFor(_header(name)))
        self.assertIsNone(decodingFor(b"\r\n"))
        for name in (b"BASE64", b"Quoted-Printable ; x", b"Binary"):
            self.assertIsNotNone(decodingFor(_header(name)))
        for name in (b"x-uuencode", b"base-64", b"quoted"):
            self.assertRaises(UnknownEncoding, decodingFor, _header(name))

    def test_pieces(self) -> None:
        """
        In pieces of any size it is the same as whole.
        """
        data = bytes(range(256)) * 3
        lines = b"a=b caf\xc3\xa9 \r\n" * 20
        for step in (1, 2, 3, 7, 76, 77, 78, 10_000):
            encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
            self.assertEqual(self._decoded(b"base64", encoded, step), data)
            encoded = quopri.encodestring(lines.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
            self.assertEqual(self._decoded(b"quoted-printable", encoded, step), lines)

    def test_broken(self) -> None:
        """
        What is no code is passed over or kept, and nothing raises.
        """
        for name, data, expected in (
            (b"base64", b"", b""),
            (b"base64", b"aGVs*bG8", b"hello"),
            (b"base64", b"aGVsbG8=ignored", b"hello"),
            (b"base64", b"aGVsbG8hA", b"hello!"),
            (b"quoted-printable", b"a=", b"a"),
            (b"quoted-printable", b"a=zz", b"a=zz"),
            (b"quoted-printable", b"a=4", b"a=4"),
        ):
            for step in (1, 100):
                self.assertEqual(self._decoded(name, data, step), expected, (data, step))
