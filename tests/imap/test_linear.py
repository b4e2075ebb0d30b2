"""
Renditions are made in time that is linear in the size of a message, and are no longer than that.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.renditions import RENDITIONS
from mailstore.message import structure
from mailstore.message.structure import parse
from tests.message.linear import FACTOR, SMALL, LinearTestsMixin, repeated

_MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"

#: What is repeated, and what is before it.
_MESSAGES = (
    (b"--b\r\n", _MIXED),
    (b"--b\r\n\r\nx\r\n", _MIXED),
    (b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n", _MIXED),
    (b"Content-Type: message/rfc822\r\n\r\n", b""),
    (_MIXED + b"--b\r\n", b""),
    (b"; a=b", b"Content-Type: text/plain"),
    (b"; name*1=b; name*0=a", b"Content-Type: text/plain"),
    (b"en, ", b"Content-Language: "),
    (b"a@b, ", b"To: "),
    (b"g:a@b;, ", b"To: "),
    (b"(", b"To: "),
    (b"\\", b'To: "'),
    (b"<a@b> ", b"In-Reply-To: "),
    (b"\r\n x", b"Subject: x"),
    (b"=?utf-8?q?x?= ", b"Subject: "),
    (b"Subject: x\r\n", b""),
    (b"\xff", b"Subject: "),
    (b"\0", b"\r\n"),
    (b"<p>x ", b"Content-Type: text/html\r\n\r\n"),
    (b"<", b"Content-Type: text/html\r\n\r\n"),
    (b"&amp", b"Content-Type: text/html\r\n\r\n"),
    (b"> x\r\n", b"\r\n"),
    (b"=\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"),
)


class LinearTests(LinearTestsMixin, SynchronousTestCase):
    """
    Messages made to be slow to describe.
    """

    def _render(self, data: bytes) -> None:
        message = parse(data)
        for render in RENDITIONS.values():
            render(message)

    def test_renditions(self) -> None:
        """
        All of them, also when parts are not bounded.
        """
        self.patch(structure, "MAX_PARTS", 1 << 30)
        self.patch(structure, "MAX_HEADERS", 1 << 30)
        for piece, before in _MESSAGES:
            self.assertLinear(repeated(piece, before), self._render)

    def test_sizes(self) -> None:
        """
        What is said of a message is in proportion to it.
        """
        self.patch(structure, "MAX_PARTS", 1 << 30)
        self.patch(structure, "MAX_HEADERS", 1 << 30)
        for piece, before in _MESSAGES:
            make = repeated(piece, before)
            for render in RENDITIONS.values():
                small, large = (len(render(parse(make(SMALL * times)))) for times in (1, FACTOR))
                self.assertLess(large, 1000 + 2 * FACTOR * small, (piece, before))
