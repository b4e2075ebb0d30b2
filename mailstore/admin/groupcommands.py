"""
C{mailstore group}.
"""

from __future__ import annotations

import argparse

from mailstore.admin.commandline import Commands
from mailstore.admin.commands import complete, knownUser
from mailstore.admin.output import counted, say, shown
from mailstore.config import Config
from mailstore.interfaces import ILocalStore
from mailstore.model import GROUP_PREFIX

_ADD = f"""
Makes a group without members.  The rights on folders name it with "{GROUP_PREFIX}" in front: mailstore
acl set "Public Folders/News" "{GROUP_PREFIX}editors" lrswi
"""


def register(commands: Commands) -> None:
    """
    Add the commands.
    """
    group = commands.group("group", "groups of users")
    each = group.add("add", add, "make a group", _ADD)
    each.add_argument("name", metavar="NAME")
    each = group.add("remove", remove, "remove a group, and what the rights on folders say of it")
    each.add_argument("name", metavar="NAME")
    group.add("list", list_, "list the groups, with how many members they have")
    member = group.group("member", "who belongs to a group")
    for name, function, summary in (
        ("add", addMember, "make a user a member of a group"),
        ("remove", removeMember, "make a user a member of a group no more"),
    ):
        each = member.add(name, function, summary)
        each.add_argument("name", metavar="GROUP")
        each.add_argument("user", metavar="USER")
    each = member.add("list", listMembers, "list the members of a group")
    each.add_argument("name", metavar="GROUP")


def add(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore group add}.
    """
    complete(store.createGroup(options.name))
    say(f"added {shown(options.name)}")
    return 0


def remove(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore group remove}.
    """
    changed = complete(store.removeGroup(options.name))
    rights = f", and the rights on {counted(changed, 'folder')}" if changed else ""
    say(f"removed {shown(options.name)}{rights}")
    return 0


def list_(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore group list}.
    """
    for name in complete(store.listGroups()):
        say(f"{len(complete(store.groupMembers(name))):>9} {shown(name)}")
    return 0


def addMember(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore group member add}.
    """
    return _setMember(store, options, True)


def removeMember(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore group member remove}.
    """
    return _setMember(store, options, False)


def _setMember(store: ILocalStore, options: argparse.Namespace, belongs: bool) -> int:
    user = knownUser(store, options.user)
    change = store.addMember if belongs else store.removeMember
    if complete(change(options.name, user)):
        say(f"{shown(user)} is {'now' if belongs else 'no more'} a member of {shown(options.name)}")
    else:
        say(f"{shown(user)} was {'already' if belongs else 'not'} a member of {shown(options.name)}")
    return 0


def listMembers(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore group member list}: one name on a line.
    """
    for name in complete(store.groupMembers(options.name)):
        say(shown(name))
    return 0
