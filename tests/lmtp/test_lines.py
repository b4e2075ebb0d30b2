"""
Lines and messages, and where they end.
"""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.lmtp.lines import Found, Framer


def message(stream: bytes, step: int = 1 << 20) -> tuple[bytes, int, bytes] | None:
    """
    Read a message from a stream that comes so many bytes at a time.

    @return: it, how many bare CRs and LFs it has, and what is behind it; C{None} if it does not end.
    """
    framer = Framer(1000)
    framer.beginMessage()
    pieces: list[bytes] = []
    for start in range(0, len(stream), step):
        framer.receive(stream[start : start + step])
        while (found := framer.piece()) is not Found.NOTHING:
            if found is Found.END:
                rest = bytes(framer._buffer) + stream[start + step :]
                return b"".join(pieces), framer.bare, rest
            assert isinstance(found, bytes)
            pieces.append(found)
    return None


class CommandTests(SynchronousTestCase):
    """
    Command lines.
    """

    def test_lines(self) -> None:
        """
        Only CR LF ends a line; in pieces of any size the lines are the same.
        """
        stream = b"one\r\n\r\ntwo\nhalf\rmore\r\r\nthree\r\nfo"
        for step in range(1, len(stream) + 1):
            framer = Framer(512)
            lines = []
            for start in range(0, len(stream), step):
                framer.receive(stream[start : start + step])
                while (line := framer.line()) is not Found.NOTHING:
                    lines.append(line)
            self.assertEqual(lines, [b"one", b"", b"two\nhalf\rmore\r", b"three"])
            self.assertEqual(len(framer), 2)

    def test_tooLong(self) -> None:
        """
        A line that is too long is thrown away as it comes; the next is understood.
        """
        for step in (1, 7, 511, 512, 513, 1 << 20):
            framer = Framer(512)
            stream = b"x" * 510 + b"\r\n" + b"y" * 511 + b"\r\n" + b"z" * 100_000 + b"\r\r\nNOOP\r\n"
            found: list[bytes | Found] = []
            for start in range(0, len(stream), step):
                framer.receive(stream[start : start + step])
                while (line := framer.line()) is not Found.NOTHING:
                    found.append(line)
                self.assertLess(len(framer), 512)
            self.assertEqual(found, [b"x" * 510, Found.TOO_LONG, Found.TOO_LONG, b"NOOP"])


class MessageTests(SynchronousTestCase):
    """
    Messages.
    """

    def test_dots(self) -> None:
        """
        The dot that was added goes, the end is found, and what is behind it stays.
        """
        for stream, expected in (
            (b".\r\nQUIT\r\n", b""),
            (b"a\r\n.\r\nQUIT\r\n", b"a\r\n"),
            (b"..\r\n.\r\nQUIT\r\n", b".\r\n"),
            (b"..a\r\n...\r\n.\r\nQUIT\r\n", b".a\r\n..\r\n"),
            (b".a\r\n.\r\nQUIT\r\n", b"a\r\n"),
            (b"a.\r\n.b.\r\n\r\n.\r\nQUIT\r\n", b"a.\r\nb.\r\n\r\n"),
        ):
            for step in range(1, len(stream) + 1):
                self.assertEqual(message(stream, step), (expected, 0, b"QUIT\r\n"), (stream, step))

    def test_smuggling(self) -> None:
        """
        Nothing but CR LF "." CR LF ends a message, whatever others may take for an end; and what
        looks like it is counted.
        """
        ends = [
            b"".join(each)
            for each in itertools.product((b"\r\n", b"\n", b"\r", b"\r\r\n", b"\0\n"), repeat=2)
        ]
        for first, second in itertools.product((b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n"), repeat=2):
            if (first.endswith(b"\r\n"), second) == (True, b"\r\n"):
                continue
            stream = b"a" + first + b"." + second + b"MAIL FROM:<x@y>\r\n.\r\nend"
            for step in (1, 2, 3, 5, 100):
                found = message(stream, step)
                assert found is not None
                self.assertTrue(found[0].endswith(b"MAIL FROM:<x@y>\r\n"), (stream, step))
                self.assertGreater(found[1], 0, (stream, step))
                self.assertEqual(found[2], b"end")
        self.assertEqual(len(ends), 25)

    def test_held(self) -> None:
        """
        A message that does not end leaves nothing in memory but what cannot be decided yet.
        """
        framer = Framer(1000)
        framer.beginMessage()
        for _ in range(1000):
            framer.receive(b"x" * 999 + b"\r")
            self.assertIsInstance(framer.piece(), bytes)
            self.assertLessEqual(len(framer), 3)

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(st.sampled_from((b".", b"\r", b"\n", b"\r\n", b"a", b"\0", b"..", b"\r\n.")), max_size=20),
        st.integers(1, 9),
    )
    def test_thereAndBack(self, parts: list[bytes], step: int) -> None:
        """
        What a client stuffs comes out as it was, however it is cut.
        """
        text = b"".join(parts) + b"\r\n"
        stuffed = (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
        bare = text.count(b"\r") + text.count(b"\n") - 2 * text.count(b"\r\n")
        self.assertEqual(message(stuffed + b"QUIT", step), (text, bare, b"QUIT"))
