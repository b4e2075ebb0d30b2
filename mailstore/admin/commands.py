"""
The short commands: users, folders, rights.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from mailstore.admin.output import CommandFailed, counted, shown
from mailstore.auth.keys import makeCredentials
from mailstore.auth.saslprep import BadText, prepare
from mailstore.config import Config
from mailstore.errors import NoSuchFolder, NoSuchUser, NotSelectable
from mailstore.interfaces import IStore
from mailstore.model import INBOX, OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, SYSTEM, folderName, userName

T = TypeVar("T")

#: What carries out a command: with an open store, and the words that were
#: given; returns the exit code.
Function = Callable[[IStore, Config, argparse.Namespace], int]

#: Characters that a password may have.
LONGEST_PASSWORD = 1000


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
        owner = userName(owner)
        if complete(store.credentials(owner)) is None:
            raise NoSuchUser(f"there is no user {owner!r}")
        return SEPARATOR.join((OTHERS_ROOT, owner, folderName(path)))
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


def init(store: IStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore init}: the store was made when it was opened.
    """
    print(f"{config.store_url}: ready, with {counted(len(complete(store.listUsers())), 'user')}")
    return 0


def addUser(store: IStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore user add}.
    """
    name = userName(options.name)
    if complete(store.credentials(name)) is not None:
        raise CommandFailed(f"there is a user {name!r} already")
    password = _readLine() if options.password_stdin else _ask(name)
    try:
        prepare(password)
    except BadText as error:
        raise CommandFailed(str(error)) from error
    complete(store.createUser(name, makeCredentials(password)))
    print(f"added {name}")
    return 0


def _readLine() -> str:
    data = sys.stdin.buffer.readline(4 * LONGEST_PASSWORD + 2)
    try:
        line = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise CommandFailed("the password on standard input is not UTF-8") from error
    if len(line) > LONGEST_PASSWORD:
        raise CommandFailed(f"a password can have at most {LONGEST_PASSWORD} characters")
    return line


def _isTerminal() -> bool:
    return sys.stdin.isatty()


def _ask(name: str) -> str:
    if not _isTerminal():
        raise CommandFailed("there is no terminal to ask for the password: use --password-stdin")
    try:
        password = getpass.getpass(f"Password for {name}: ")
        again = getpass.getpass("Again: ")
    except EOFError as error:
        # The prompt has left the cursor on its line.
        print(file=sys.stderr)
        raise CommandFailed("no password was given") from error
    if again != password:
        raise CommandFailed("the two passwords differ")
    return password


def listUsers(store: IStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore user list}: one name on a line.
    """
    for name in complete(store.listUsers()):
        print(name)
    return 0


def createFolder(store: IStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder create}.
    """
    name = systemName(store, options.path, options.owner)
    complete(store.createFolder(SYSTEM, name))
    print(f"created {shown(name)}")
    return 0


def listFolders(store: IStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder list}: the number of messages, and the name; everybody's folders.
    """
    for name in complete(folderNames(store)):
        try:
            print(f"{complete(store.status(SYSTEM, name)).messages:>9} {shown(name)}")
        except (NotSelectable, NoSuchFolder):
            print(f"{'-':>9} {shown(name)}")
    return 0


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


def setRights(store: IStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore acl set}.
    """
    name = systemName(store, options.path, has_owner=False)
    changed = complete(store.setRights(SYSTEM, name, options.identifier, options.rights))
    print(f"changed {counted(changed, 'folder')}")
    return 0
