"""
C{mailstore user}.
"""

from __future__ import annotations

import argparse

from mailstore.admin.commandline import Commands
from mailstore.admin.commands import complete, knownUser, tidy
from mailstore.admin.output import CommandFailed, counted, say, shown
from mailstore.admin.passwords import addPassword, newCredentials
from mailstore.config import Config
from mailstore.errors import FolderInUse
from mailstore.interfaces import ILocalStore
from mailstore.model import userName

_REMOVE = """
Removes a user, with his subscriptions and flags and what the rights on folders say
of him: a later user of this name inherits nothing.  If he has mail, it must be said
what becomes of it: --keep-as makes his folders public ones, which nobody has rights
on until "mailstore acl set" gives some; --delete-mail deletes them.
"""


def register(commands: Commands) -> None:
    """
    Add the commands.
    """
    group = commands.group("user", "the users of the store")
    each = group.add("add", add, "add a user, with an INBOX")
    each.add_argument("name", metavar="NAME")
    addPassword(each)
    each = group.add("passwd", passwd, "change a user's password; who is signed in stays so")
    each.add_argument("name", metavar="NAME")
    addPassword(each)
    each = group.add("remove", remove, "remove a user", _REMOVE)
    each.add_argument("name", metavar="NAME")
    what = each.add_mutually_exclusive_group()
    what.add_argument("--keep-as", metavar="FOLDER", help='such as "Public Folders/Former/ann"; it is made')
    what.add_argument("--delete-mail", action="store_true", help="delete his mail for good")
    group.add("list", list_, "list the users")


def add(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore user add}.
    """
    name = userName(options.name)
    if complete(store.credentials(name)) is not None:
        raise CommandFailed(f"there is a user {name!r} already")
    complete(store.createUser(name, newCredentials(name, options)))
    say(f"added {shown(name)}")
    return 0


def passwd(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore user passwd}.
    """
    name = knownUser(store, options.name)
    complete(store.setCredentials(name, newCredentials(name, options)))
    say(f"changed the password of {shown(name)}")
    return 0


def remove(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore user remove}.
    """
    name = knownUser(store, options.name)
    try:
        messages = complete(store.removeUser(name, options.keep_as or "", options.delete_mail))
    except FolderInUse as error:
        raise CommandFailed(f"{error}: say --keep-as FOLDER or --delete-mail") from error
    tidy(store)
    what = ""
    if options.keep_as:
        what = f", kept {counted(messages, 'message')} in {shown(options.keep_as)}"
    elif messages:
        what = f", deleted {counted(messages, 'message')}"
    say(f"removed {shown(name)}{what}")
    return 0


def list_(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore user list}: one name on a line.
    """
    for name in complete(store.listUsers()):
        say(shown(name))
    return 0
