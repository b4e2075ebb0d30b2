"""
Tests of L{mailstore.imap.treechanges}.
"""

from __future__ import annotations

from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.folderlist import FolderTree
from mailstore.imap.treechanges import GONE, TreeChanges, difference
from mailstore.model import uint64s


def tree(**ids: int) -> FolderTree:
    """
    A tree of folders, by their identities; 0 for a level of the hierarchy.  C{__} stands for the separator.
    """
    names = sorted(name.replace("__", "/") for name in ids)
    found = {name.replace("__", "/"): folder for name, folder in ids.items()}
    parents = {name.rpartition("/")[0] for name in names}
    attributes = {name: b"children" if name in parents else b"none" for name in names}
    return FolderTree(names, attributes, uint64s(found[name] for name in names), {})


class DifferenceTests(SynchronousTestCase):
    """
    L{difference}.
    """

    def check(self, before: FolderTree, now: FolderTree, *expected: tuple[str, bytes, str | None]) -> None:
        """
        These are told: name, attributes and old name.
        """
        told = [(each.name, each.attributes, each.old_name) for each in difference(before, now)]
        self.assertEqual(told, list(expected))

    def test_same(self) -> None:
        """
        Nothing is told of what is as it was.
        """
        self.check(tree(a=1, b=2), tree(a=1, b=2))

    def test_made(self) -> None:
        """
        A new folder, and its parent, whether that changes or not.
        """
        self.check(tree(a=1), tree(a=1, a__b=2), ("a", b"children", None), ("a/b", b"none", None))
        self.check(
            tree(a=1, a__b=2),
            tree(a=1, a__b=2, a__c=3),
            ("a", b"children", None),
            ("a/c", b"none", None),
        )

    def test_deleted(self) -> None:
        """
        A folder that is gone, and its parent; one of which the name is left as a level.
        """
        self.check(tree(a=1, a__b=2), tree(a=1), ("a", b"none", None), ("a/b", GONE, None))
        self.check(tree(a__b=2), tree(), ("a", GONE, None), ("a/b", GONE, None))
        before, now = tree(a=1, a__b=2), tree(a=0, a__b=2)
        now.attributes["a"] = b"gone"
        self.check(before, now, ("a", b"gone", None))

    def test_renamed(self) -> None:
        """
        A renamed folder, without those below it and the levels between; but what is renamed as well.
        """
        self.check(tree(a=1, b=2), tree(b=2, c=1), ("c", b"none", "a"))
        self.check(
            tree(a=1, a__x=0, a__x__y=2, a__z=3),
            tree(b=1, b__x=0, b__x__y=2, b__w=3),
            ("b", b"children", "a"),
            ("b/w", b"none", "a/z"),
        )

    def test_deletedAndMadeAgain(self) -> None:
        """
        Another folder of the same name is no difference that anybody could see in a list.
        """
        self.check(tree(a=1), tree(a=2))

    def test_swapped(self) -> None:
        """
        Two that have each other's names.
        """
        self.check(tree(a=1, b=2), tree(a=2, b=1), ("a", b"none", "b"), ("b", b"none", "a"))


class TreeChangesTests(SynchronousTestCase):
    """
    L{TreeChanges}.
    """

    def test_shared(self) -> None:
        """
        A difference is made once, and few are kept.
        """
        changes = TreeChanges()
        trees = [tree(a=1, b=number) for number in range(2, 30)]
        first = changes.between(trees[0], tree(a=1))
        self.assertEqual([each.name for each in first], ["b"])
        for before, now in pairwise(trees):
            self.assertIs(changes.between(before, now), changes.between(before, now))
        self.assertLess(len(changes._known), 10)
        self.assertEqual(changes.between(trees[0], trees[0]), ())
