"""
Content transfer encodings (RFC 2045 section 6), decoded piece by piece.
"""

from __future__ import annotations

import binascii
from typing import Protocol

from mailstore.errors import UnknownEncoding
from mailstore.message import mime, words

# "7bit", "8bit" and "binary" all mean that there is no encoding (RFC 2045 section 6.2); the last
# also that there need not be lines.
_NONE = frozenset((b"7bit", b"8bit"))


class Decoding(Protocol):
    """
    Takes pieces, and gives what they stand for.
    """

    def feed(self, data: bytes) -> bytes:
        """
        One more piece.
        """

    def measure(self, data: bytes) -> int:
        """
        As L{feed}, for who only wants to know how many bytes it gives.
        """

    def finish(self) -> bytes:
        """
        There is no more.
        """


def decodingFor(header: bytes) -> Decoding | None:
    """
    What decodes the part with this MIME header; C{None} when nothing needs to be decoded.  A
    L{Binary} is to be fed what came, not what is served.

    @raise UnknownEncoding:
    """
    value = mime.contentFields(header).get(b"transfer-encoding", b"")
    name = mime.encoding(value)
    if name in _NONE:
        return None
    if name == b"binary":
        return Binary()
    if name == b"base64":
        return _Base64()
    if name == b"quoted-printable":
        return _QuotedPrintable()
    raise UnknownEncoding("the part is in a transfer encoding that is not known")


class Binary:
    """
    The encoding C{binary}: bytes that stand for themselves.
    """

    def feed(self, data: bytes) -> bytes:
        """
        See L{Decoding.feed}.
        """
        return data

    def measure(self, data: bytes) -> int:
        """
        See L{Decoding.measure}.
        """
        return len(data)

    def finish(self) -> bytes:
        """
        See L{Decoding.finish}.
        """
        return b""


class _Base64:
    def __init__(self) -> None:
        self._held = b""
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        whole = self._whole(data)
        return words.decodeBase64(whole) if self._ended else binascii.a2b_base64(whole)

    def measure(self, data: bytes) -> int:
        whole, rest = divmod(len(self._whole(data)), 4)
        return 3 * whole + max(0, rest - 1)

    def _whole(self, data: bytes) -> bytes:
        """
        The letters that are to be decoded now: groups of four, and at the end what there is.
        """
        if self._ended:
            return b""
        kept, padding, _ = (self._held + words.onlyBase64(data)).partition(b"=")
        self._ended = bool(padding)
        whole = len(kept) - (0 if padding else len(kept) % 4)
        self._held = kept[whole:]
        return kept[:whole]

    def finish(self) -> bytes:
        held, self._held = self._held, b""
        return words.decodeBase64(held)


class _QuotedPrintable:
    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        data = self._held + data
        # What an "=" in the last two bytes means, the next piece tells.
        at = data.find(b"=", max(0, len(data) - 2))
        end = len(data) if at < 0 else at
        self._held = data[end:]
        return words.decodeQuotedPrintable(data[:end])

    def measure(self, data: bytes) -> int:
        return len(self.feed(data))

    def finish(self) -> bytes:
        held, self._held = self._held, b""
        return words.decodeQuotedPrintable(held)
