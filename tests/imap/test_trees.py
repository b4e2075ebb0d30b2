"""
Tests of L{mailstore.imap.trees}.
"""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.trees import flattened, groups, pruned, trees
from mailstore.imap.wire.threadargs import ThreadNode, threadPieces
from mailstore.model import uint32s


class TreesTests(SynchronousTestCase):
    """
    Taking messages out of trees.
    """

    def test_trees(self) -> None:
        """
        A tree begins at each root.
        """
        self.assertEqual(list(trees([])), [])
        self.assertEqual(list(trees([0])), [(0, 1)])
        self.assertEqual(list(trees([0, 1, 2, 1, 0, 0, 1])), [(0, 4), (4, 5), (5, 7)])

    def test_groups(self) -> None:
        """
        Groups are of whole trees, and together are everything.
        """
        depths = uint32s((0, 1, 2, 0, 0, 1, 1, 1, 0))
        self.assertEqual(list(groups(depths, 1)), [(0, 3), (3, 4), (4, 8), (8, 9)])
        self.assertEqual(list(groups(depths, 4)), [(0, 4), (4, 8), (8, 9)])
        self.assertEqual(list(groups(depths, 100)), [(0, 9)])
        self.assertEqual(list(groups(uint32s(), 4)), [])

    def test_pruned(self) -> None:
        """
        Children take the place of a message that is not there; only a root with several stays.
        """
        cases: tuple[tuple[list[ThreadNode], list[ThreadNode]], ...] = (
            ([(0, 1), (1, 2)], [(0, 1), (1, 2)]),
            ([(0, 0)], []),
            ([(0, 0), (1, 2)], [(0, 2)]),
            ([(0, 0), (1, 2), (2, 3)], [(0, 2), (1, 3)]),
            ([(0, 0), (1, 2), (1, 3)], [(0, 0), (1, 2), (1, 3)]),
            ([(0, 0), (1, 0), (2, 2), (2, 3)], [(0, 0), (1, 2), (1, 3)]),
            ([(0, 0), (1, 0), (2, 2), (1, 0)], [(0, 2)]),
            ([(0, 1), (1, 0)], [(0, 1)]),
            ([(0, 1), (1, 0), (2, 2), (3, 4), (2, 3), (1, 5)], [(0, 1), (1, 2), (2, 4), (1, 3), (1, 5)]),
            ([(0, 0), (1, 0), (2, 0)], []),
        )
        for nodes, left in cases:
            self.assertEqual(pruned(nodes), left, nodes)

    def test_any(self) -> None:
        """
        Whatever is missing, all others are left in their order, in trees that can be written.
        """
        dice = random.Random(5256)
        for _ in range(500):
            nodes: list[ThreadNode] = [(0, dice.choice((0, 1)))]
            for number in range(2, dice.randrange(2, 20)):
                nodes.append((dice.randint(1, nodes[-1][0] + 1), dice.choice((0, number))))
            left = pruned(nodes)
            numbers = [number for _, number in nodes if number]
            self.assertEqual([number for _, number in left if number], numbers)
            self.assertLessEqual(sum(not number for _, number in left), 1)
            b"".join(threadPieces(left))

    def test_flattened(self) -> None:
        """
        In a thread by subject the first message that is there is the parent of all others.
        """
        self.assertEqual(flattened([(0, 0), (1, 2), (1, 0), (1, 3)]), [(0, 2), (1, 3)])
        self.assertEqual(flattened([(0, 1), (1, 0), (1, 2)]), [(0, 1), (1, 2)])
        self.assertEqual(flattened([(0, 0)]), [])
