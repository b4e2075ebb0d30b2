"""
What commands have in common: waiting for the store, and the names of folders.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

from mailstore.admin.output import CommandFailed
from mailstore.errors import NoSuchUser
from mailstore.interfaces import ILocalStore, IStore
from mailstore.model import INBOX, OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, SYSTEM, folderName, userName


def complete(work: Any) -> Any:
    """
    The result of a coroutine or other awaitable of a store in this process
    that nobody else uses: it never has to wait.

    @raise RuntimeError: it waits all the same.
    """

    async def run() -> Any:
        return await work

    coroutine: Coroutine[Any, Any, Any] = run()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("a store in this process made its only user wait")


def tidy(store: ILocalStore) -> None:
    """
    Let a store finish what it leaves for later when very much is removed.
    """
    while complete(store.tidyMore()):
        pass


def knownUser(store: IStore, name: str) -> str:
    """
    The one spelling of the name of a user.

    @raise NoSuchUser: there is none.
    @raise InvalidName: there can be none.
    """
    name = userName(name)
    if complete(store.credentials(name)) is None:
        raise NoSuchUser(f"there is no user {name!r}; 'mailstore user list' names all")
    return name


def systemName(store: IStore, path: str, owner: str | None = None, has_owner: bool = True) -> str:
    """
    The name of a folder as L{SYSTEM} sees it.

    @param owner: whose own folder it is; C{None} for a public one.
    @param has_owner: whether the command knows C{--owner}.
    @raise CommandFailed: without an owner, it is no public folder.
    @raise NoSuchUser: the owner is none.
    @raise InvalidName: it can be no folder's name.
    """
    if owner is not None:
        return SEPARATOR.join((OTHERS_ROOT, knownUser(store, owner), folderName(path)))
    name = folderName(path)
    first, separator, rest = name.partition(SEPARATOR)
    if first in (PUBLIC_ROOT, OTHERS_ROOT):
        return name
    if first.casefold() == PUBLIC_ROOT.casefold():
        better = PUBLIC_ROOT + separator + rest
    else:
        better = SEPARATOR.join((PUBLIC_ROOT, name))
    other = ", or name a user with --owner" if has_owner else ""
    raise CommandFailed(f"{path!r} is not a public folder: write {better!r}{other}")


async def folderNames(store: IStore) -> list[str]:
    """
    All folders of all users and the public tree, as L{SYSTEM} sees them.
    """
    names: list[str] = []
    for tree in await store.trees(SYSTEM):
        async with aclosing(store.folders(SYSTEM, tree)) as batches:
            async for batch in batches:
                names += batch.names
    return [each for each in names if each != INBOX]


def below(names: list[str], name: str) -> list[str]:
    """
    The names of what is below a folder, in their order.
    """
    return [each for each in names if each.startswith(name + SEPARATOR)]
