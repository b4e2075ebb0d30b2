"""
Tests for L{mailstore.imap.wire.threadargs.threadPieces}: what is too deep or wrong.  What it writes is in
L{tests.imap.wire.test_grammar}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.threadargs import ThreadNode, threadPieces
from tests.imap.wire.responsecases import THREAD


class ThreadTests(SynchronousTestCase):
    """
    THREAD responses.
    """

    def test_deep(self) -> None:
        """
        Replies to replies, with and without others beside them, deeper than any stack.
        """
        depth = 20_000
        chain: list[ThreadNode] = [(each, each + 1) for each in range(depth)]
        forks: list[ThreadNode] = [(0, 1)]
        for each in range(depth):
            forks += [(each + 1, 2 * each + 2), (each + 1, 2 * each + 3)]
        for nodes in (chain, forks):
            pieces = list(threadPieces(nodes))
            self.assertGreater(len(pieces), 2)
            self.assertEqual(THREAD.readAll((b"".join(pieces)[:-2],)), tuple(nodes))

    def test_wide(self) -> None:
        """
        Many threads, in pieces.
        """
        nodes = [(0, each) for each in range(1, 20_001)]
        pieces = list(threadPieces(nodes))
        self.assertGreater(len(pieces), 2)
        self.assertLess(max(map(len, pieces)), 65_536)
        self.assertEqual(THREAD.readAll((b"".join(pieces)[:-2],)), tuple(nodes))

    def test_missingParents(self) -> None:
        """
        A message that is not there holds its children together; where there is one it needs no list.
        """
        for nodes, written in (
            ([(0, 0), (1, 5)], b"(5)"),
            ([(0, 0), (1, 5), (2, 6)], b"(5 6)"),
            ([(0, 0), (1, 5), (1, 6)], b"((5)(6))"),
            ([(0, 1), (1, 0), (2, 5), (2, 6)], b"(1 (5)(6))"),
            ([(0, 1), (1, 0), (2, 0), (3, 5)], b"(1 5)"),
        ):
            self.assertEqual(b"".join(threadPieces(nodes)), b"* THREAD %b\r\n" % written)

    def test_wrong(self) -> None:
        """
        Depths that no tree has, and missing messages without children.
        """
        for nodes in ([(1, 1)], [(0, 1), (2, 2)], [(0, 0)], [(0, 1), (1, 0)], [(0, 0), (0, 1)]):
            self.assertRaises(ValueError, list, threadPieces(nodes))
