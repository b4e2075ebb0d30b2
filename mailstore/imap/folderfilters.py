"""
Which folders a filter of NOTIFY or ESEARCH means (RFC 5465 section 6, RFC 7377 section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailstore.imap.folderlist import FolderTree
from mailstore.imap.wire.mailboxfilters import Filter, FolderFilter
from mailstore.model import SEPARATOR


def means(which: FolderFilter, name: str, personal: bool, subscribed: frozenset[str]) -> bool:
    """
    Whether a filter, which is not about the open folder, means a folder.

    @param personal: whether it is one of the user's own.
    @param subscribed: the names that he subscribes to.
    """
    kind = which.kind
    if kind is Filter.SUBSCRIBED:
        return name in subscribed
    if kind is Filter.MAILBOXES:
        return name in which.names
    if kind is Filter.SUBTREE:
        return any(name == each or name.startswith(each + SEPARATOR) for each in which.names)
    if kind is Filter.SUBTREE_ONE:
        return any(each in (name, name.rpartition(SEPARATOR)[0]) for each in which.names)
    # RFC 5465 section 6.3: where mail is delivered to is not known, so it may be any of the user's own.
    return personal


def folders(trees: Sequence[FolderTree]) -> Iterator[tuple[str, int, bool]]:
    """
    All folders that can be opened: name, identity, and whether they are the user's own.

    @param trees: those that a user sees, his own first.
    """
    for at, tree in enumerate(trees):
        for name, folder in zip(tree.names, tree.ids, strict=True):
            if folder:
                yield name, folder, at == 0
