"""
The first words of a message.
"""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from mailstore.message.preview import MAX_PREVIEW, preview
from mailstore.message.structure import parse

_HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"


class PreviewTests(SynchronousTestCase):
    """
    L{preview}.
    """

    def _check(self, *cases: tuple[bytes, str]) -> None:
        for message, expected in cases:
            self.assertEqual(preview(parse(message)), expected, message[:100])

    def test_plain(self) -> None:
        """
        Plain text is decoded and put on one line.
        """
        self._check(
            (b"Subject: x\r\n\r\none\r\n  two\tthree\0four\r\n", "one two three four"),
            (b"Subject: x\r\n\r\n", ""),
            (b"", ""),
            (b"Content-Type: text/plain; charset=latin1\r\n\r\nGr\xfc\xdfe", "Gr\u00fc\u00dfe"),
            (b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=", "hello"),
            (b"Content-Type: image/png\r\n\r\nhello", ""),
            (b"Subject: x\r\n\r\n" + b"ab " * 1000, ("ab " * 1000)[:MAX_PREVIEW].rstrip()),
        )

    def test_html(self) -> None:
        """
        Of HTML only the text is left.
        """
        self._check(
            (
                _HTML + b"<html><head><title>T</title></head><style>p {}</style><body>"
                b"<!-- no --><p class='a>b'>One &amp; t<b>w</b>o</p><script>x < y</script> 3 < 4",
                "b'>One & two 3 < 4",
            ),
            (_HTML + b"<p>cut <a href=", "cut"),
            (_HTML + b"<!-- never closed <p>text", ""),
        )

    def test_parts(self) -> None:
        """
        The first plain text that says anything is taken before HTML, and no attachment.
        """

        def multipart(*parts: bytes) -> bytes:
            head = b'Content-Type: multipart/mixed; boundary="cut"\r\n\r\n'
            return head + b"".join(b"--cut\r\n" + part + b"\r\n" for part in parts) + b"--cut--\r\n"

        attached = b"Content-Disposition: attachment\r\n\r\nattached"
        html = _HTML + b"<b>html</b>"
        self._check(
            (multipart(attached, html, b"\r\n   \r\n", b"\r\nplain"), "plain"),
            (multipart(attached, html), "html"),
            (multipart(attached), ""),
            (multipart(multipart(b"\r\ninner"), b"\r\nouter"), "inner"),
            (multipart(b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nwithin"), "within"),
        )

    def test_bounded(self) -> None:
        """
        Whatever a part is made of, it takes hardly any time.
        """
        begun = time.process_time()
        for piece in (
            b"<",
            b"<a",
            b"<!--",
            b"<style",
            b"<style>",
            b"</style",
            b"&",
            b"&amp",
            b" ",
            b"<script >",
            b"<b>",
        ):
            self.assertLessEqual(len(preview(parse(_HTML + piece * 300_000))), MAX_PREVIEW)
        self.assertLess(time.process_time() - begun, 5)
