"""
C{mailstore acl}.
"""

from __future__ import annotations

import argparse

from mailstore.admin.commandline import Commands, addFolder
from mailstore.admin.commands import complete, systemName
from mailstore.admin.output import counted, say, shown
from mailstore.config import Config
from mailstore.interfaces import ILocalStore
from mailstore.model import GROUP_PREFIX, SYSTEM

_WHO = f'a user, "{GROUP_PREFIX}" and the name of a group, "authenticated" or "anyone"'

_SET = f"""
Gives IDENTIFIER ({_WHO}) exactly these RIGHTS on the folder: letters of lrswipkxtea
(RFC 4314), or "" to take all away.  With --withhold it has none of these, whatever else
gives them.  On "Public Folders" it holds for every folder below as well.
"""


def register(commands: Commands) -> None:
    """
    Add the commands.
    """
    group = commands.group("acl", "who may do what with a folder")
    each = group.add("get", get, "list the rights on a folder")
    addFolder(each)
    each = group.add("set", set_, "set the rights of somebody on a folder", _SET)
    addFolder(each)
    each.add_argument("identifier", metavar="IDENTIFIER", help=_WHO)
    each.add_argument("rights", metavar="RIGHTS", help="letters of lrswipkxtea")
    each.add_argument("--withhold", action="store_true", help="these rights it shall not have")
    each = group.add("remove", remove, "take all rights of somebody on a folder away")
    addFolder(each)
    each.add_argument("identifier", metavar="IDENTIFIER", help=_WHO)
    each.add_argument("--withhold", action="store_true", help="withhold nothing any more instead")


def get(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore acl get}: rights, and who has them.
    """
    name = systemName(store, options.path, options.owner)
    for identifier, letters in complete(store.acl(SYSTEM, name)):
        say(f"{letters:<11} {shown(identifier)}")
    return 0


def set_(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore acl set}.
    """
    return _change(store, options, options.rights)


def remove(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore acl remove}.
    """
    return _change(store, options, "")


def _change(store: ILocalStore, options: argparse.Namespace, rights: str) -> int:
    name = systemName(store, options.path, options.owner)
    # RFC 4314 section 2: a minus sign in front of an identifier withholds.
    who = ("-" if options.withhold else "") + options.identifier
    changed = complete(store.setRights(SYSTEM, name, who, rights))
    say(f"changed {counted(changed, 'folder')}")
    return 0
