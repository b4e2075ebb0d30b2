"""
C{mailstore folder}.
"""

from __future__ import annotations

import argparse

from mailstore.admin import mailcommands
from mailstore.admin.commandline import Commands, addFolder
from mailstore.admin.commands import below, complete, folderNames, systemName, tidy
from mailstore.admin.output import CommandFailed, counted, say, shown
from mailstore.config import Config
from mailstore.errors import FolderInUse, NoSuchFolder, NotSelectable
from mailstore.interfaces import ILocalStore
from mailstore.model import INBOX, OTHERS_ROOT, SEPARATOR, SYSTEM

_DELETE = """
Deletes a folder.  One that holds messages is deleted with --with-messages only, and
one that has folders below it with --with-folders only, together with these.
"""


def register(commands: Commands) -> Commands:
    """
    Add the commands.

    @return: the group, for others.
    """
    group = commands.group("folder", "the folders of the store")
    each = group.add("create", create, "create a folder, and the parents it lacks")
    addFolder(each)
    each = group.add("list", list_, "list all folders, with how many messages they hold")
    each = group.add("rename", rename, "give a folder another name, with all below it")
    addFolder(each)
    each.add_argument("new", metavar="NEW", help="its whole new name")
    each = group.add("delete", delete, "delete a folder", _DELETE)
    addFolder(each)
    each.add_argument("--with-messages", action="store_true", help="also if messages are in it")
    each.add_argument("--with-folders", action="store_true", help="also the folders below it")
    mailcommands.register(group)
    return group


def create(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder create}.
    """
    name = systemName(store, options.path, options.owner)
    complete(store.createFolder(SYSTEM, name))
    say(f"created {shown(name)}")
    return 0


def list_(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder list}: the number of messages, the name, addresses, and how long
    messages stay; everybody's folders.
    """
    notes = mailcommands.notes(store)
    for name in complete(folderNames(store)):
        count = _messages(store, name)
        say(f"{'-' if count is None else count:>9} {shown(name)}{notes.get(name, '')}")
    return 0


def rename(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder rename}.
    """
    name = systemName(store, options.path, options.owner)
    new = systemName(store, options.new, options.owner)
    complete(store.renameFolder(SYSTEM, name, new))
    say(f"renamed {shown(name)} to {shown(new)}")
    return 0


def delete(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder delete}.
    """
    name = systemName(store, options.path, options.owner)
    if _isAlways(name):
        # Said before anything below it is gone.
        raise CommandFailed(f"{name!r} cannot be deleted: it exists always")
    names = complete(folderNames(store))
    if name not in names:
        raise NoSuchFolder(f"there is no folder {name!r}; 'mailstore folder list' names all")
    # The deepest first, so that no node is left in between.
    doomed = [*reversed(below(names, name)), name]
    if len(doomed) > 1 and not options.with_folders:
        folders = counted(len(doomed) - 1, "folder")
        raise CommandFailed(f"{name!r} has {folders} below it: say --with-folders to delete them all")
    counts = {each: _messages(store, each) for each in doomed}
    messages = sum(each or 0 for each in counts.values())
    if messages and not options.with_messages:
        held = counted(messages, "message")
        raise CommandFailed(f"{name!r} holds {held}: say --with-messages to delete them for good")
    for each in doomed:
        try:
            complete(store.deleteFolder(SYSTEM, each))
        except NoSuchFolder:
            # A node went with the last folder below it.
            if counts[each] is not None:
                raise
        except FolderInUse as error:
            raise CommandFailed(f"{each!r} cannot be deleted: {error}") from error
    tidy(store)
    what = f" with {counted(messages, 'message')}" if messages else ""
    say(f"deleted {counted(len(doomed), 'folder')}{what}")
    return 0


def _isAlways(name: str) -> bool:
    """
    Whether no folder's deletion removes a name: a root, or somebody's INBOX.
    """
    first, *rest = name.split(SEPARATOR)
    return not rest or (first == OTHERS_ROOT and rest[1:] in ([], [INBOX]))


def _messages(store: ILocalStore, name: str) -> int | None:
    """
    How many messages a folder holds; C{None} for one that holds none ever.
    """
    try:
        count: int = complete(store.status(SYSTEM, name)).messages
    except (NotSelectable, NoSuchFolder):
        return None
    return count
