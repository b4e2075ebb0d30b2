"""
What became of the folders between two lists of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import attrs

from mailstore.imap.folderlist import FolderTree
from mailstore.model import SEPARATOR

#: Differences that are kept: all who saw the same list want the same one.
_KEPT = 8


@attrs.frozen
class TreeChange:
    """
    A name that is to be told of.
    """

    name: str
    #: What stands between the parentheses in LIST; of a name that is no more, that.
    attributes: bytes
    #: What the folder was called before, if it was renamed.
    old_name: str | None = None


#: What is said of a name that is not there any more.
GONE = b"\\NonExistent \\Noselect"


def difference(before: FolderTree, now: FolderTree) -> tuple[TreeChange, ...]:
    """
    What to tell of (RFC 5465 section 5.4): folders that were made, deleted or renamed (but not what is
    below a renamed one), the parents of the first two, and what is otherwise not what it was; in the
    order of the names.
    """
    if before is now:
        return ()
    old_names = {folder: name for name, folder in zip(before.names, before.ids, strict=True) if folder}
    new_ids = {folder for folder in now.ids if folder}
    moved = {
        name: old_names[folder]
        for name, folder in zip(now.names, now.ids, strict=True)
        if folder in old_names and old_names[folder] != name
    }
    told: dict[str, str | None] = {
        name: old for name, old in moved.items() if not _wentAlong(moved, name, old)
    }
    # What is only a level of the hierarchy above a folder that went along did so, too.
    levels = {level for name, old in moved.items() for each in (name, old) for level in _above(each)}
    for names, ids, others in ((now.names, now.ids, before), (before.names, before.ids, now)):
        for name, folder in zip(names, ids, strict=True):
            if name in others.attributes or name in moved or (names is before.names and folder in new_ids):
                continue
            if folder or name not in levels:
                for each in (name, name.rpartition(SEPARATOR)[0]):
                    if each:
                        told.setdefault(each, None)
    for name, attributes in now.attributes.items():
        if before.attributes.get(name, attributes) != attributes:
            told.setdefault(name, None)
    return tuple(
        TreeChange(name, now.attributes.get(name, GONE), old_name) for name, old_name in sorted(told.items())
    )


def _wentAlong(moved: dict[str, str], name: str, old: str) -> bool:
    """
    Whether a folder has another name because one above it has.
    """
    while True:
        name, _, last = name.rpartition(SEPARATOR)
        old, _, old_last = old.rpartition(SEPARATOR)
        if not name or last != old_last:
            return False
        if moved.get(name) == old:
            return True


def _above(name: str) -> Iterator[str]:
    above = name.rpartition(SEPARATOR)[0]
    while above:
        yield above
        above = above.rpartition(SEPARATOR)[0]


class TreeChanges:
    """
    Differences, each made once for all who want it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], tuple[FolderTree, FolderTree, tuple[TreeChange, ...]]] = (
            OrderedDict()
        )

    def between(self, before: FolderTree, now: FolderTree) -> tuple[TreeChange, ...]:
        """
        See L{difference}.
        """
        if before is now:
            return ()
        key = (id(before), id(now))
        found = self._known.get(key)
        if found is None:
            # The trees are kept with it, so that no others can have their identities.
            found = self._known[key] = (before, now, difference(before, now))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found[2]
