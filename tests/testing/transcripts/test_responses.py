"""
Tests of L{mailstore.testing.transcripts.responses}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing.transcripts.responses import Response, ResponseTooLong, Splitter

STREAM = b"* OK hello\r\n* 1 FETCH (A {4}\r\n\r\n{9 B {0}\r\n C ~{3}\r\n\0{}) x\r\n\r\na OK\r\n"
RESPONSES = [
    Response(b"* OK hello"),
    Response(b"* 1 FETCH (A {4}\r\n B {0}\r\n C ~{3}\r\n) x", (b"\r\n{9", b"", b"\0{}")),
    Response(b""),
    Response(b"a OK"),
]


class SplitterTests(SynchronousTestCase):
    """
    L{Splitter}.
    """

    def test_anySize(self) -> None:
        """
        Responses are the same however their bytes come.
        """
        for size in range(1, len(STREAM) + 1):
            splitter = Splitter(1000)
            found = []
            for at in range(0, len(STREAM), size):
                found += splitter.receive(STREAM[at : at + size])
            self.assertEqual(found, RESPONSES)
            self.assertEqual(splitter.rest, b"")

    def test_whole(self) -> None:
        """
        A response can be shown as it came, and half a one too.
        """
        self.assertEqual(b"".join(each.whole + b"\r\n" for each in RESPONSES), STREAM)
        splitter = Splitter(1000)
        self.assertEqual(splitter.receive(b"a {2}\r\nb"), [])
        self.assertEqual(splitter.rest, b"a {2}\r\nb")

    def test_tooLong(self) -> None:
        """
        Neither a line nor an announced literal takes more memory than is allowed.
        """
        for data in (b"x" * 11, b"a {9}\r\n", b"{5}\r\n12345" + b"x" * 10):
            self.assertRaises(ResponseTooLong, Splitter(10).receive, data)
        self.assertEqual(len(Splitter(10).receive(b"123456789\r\n123456789\r\n")), 2)
