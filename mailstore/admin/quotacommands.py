"""
C{mailstore quota}.
"""

from __future__ import annotations

import argparse

from mailstore.admin.commandline import Commands
from mailstore.admin.commands import complete, knownUser
from mailstore.admin.output import CommandFailed, say
from mailstore.config import Config
from mailstore.interfaces import ILocalStore
from mailstore.model import MESSAGE, PUBLIC_QUOTA, STORAGE, SYSTEM, USER_QUOTA, Quota

_SET = """
Limits how much the public folders, or with --owner a user's own folders, may hold
together.  What is not named keeps its limit; "none" takes it away.  What is there
already stays.
"""

#: What multiplies KiB.
#: Digits of a limit.
_DIGITS = 15

_UNITS = {"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}


def register(commands: Commands) -> None:
    """
    Add the commands.
    """
    group = commands.group("quota", "how much the folders may hold")
    each = group.add("get", get, "show what folders hold together, and may hold")
    each.add_argument("--owner", metavar="USER", help="this user's own folders, not the public ones")
    each = group.add("set", set_, "limit what folders may hold together", _SET)
    each.add_argument("--owner", metavar="USER", help="this user's own folders, not the public ones")
    each.add_argument("--storage", metavar="SIZE", help='KiB, or with a unit such as 500M or 2G; or "none"')
    each.add_argument("--messages", metavar="NUMBER", help='how many messages; or "none"')


def get(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore quota get}.
    """
    _tell(complete(store.quota(SYSTEM, _root(store, options))))
    return 0


def set_(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore quota set}.
    """
    if options.storage is None and options.messages is None:
        raise CommandFailed("nothing is to be limited: say --storage SIZE or --messages NUMBER", 2)
    root = _root(store, options)
    limits = {name: limit for name, _, limit in complete(store.quota(SYSTEM, root)).resources}
    if options.storage is not None:
        limits[STORAGE] = _size(options.storage)
    if options.messages is not None:
        limits[MESSAGE] = _number(options.messages, "messages")
    wanted = tuple((name, limit) for name, limit in limits.items() if limit is not None)
    _tell(complete(store.setQuota(SYSTEM, root, wanted)))
    return 0


def _root(store: ILocalStore, options: argparse.Namespace) -> str:
    return PUBLIC_QUOTA if options.owner is None else USER_QUOTA + knownUser(store, options.owner)


def _size(text: str) -> int | None:
    unit = _UNITS.get(text[-1:].upper())
    number = _number(text[:-1] if unit else text, "storage", text)
    return None if number is None else number * (unit or 1)


def _number(text: str, what: str, given: str = "") -> int | None:
    """
    @param given: what was written, if that is more.
    """
    if text == "none":
        return None
    given = given or text
    if not (text.isascii() and text.isdecimal()):
        raise CommandFailed(f"--{what} must be a whole number or 'none', not {given!r}", 2)
    if len(text) > _DIGITS:
        raise CommandFailed(f"--{what} is more than can be: {given!r}", 2)
    return int(text)


def _tell(quota: Quota) -> None:
    for name, used, limit in quota.resources:
        unit = "KiB" if name == STORAGE else "messages"
        say(f"{used:>12} {unit:<8} of {'no limit' if limit is None else limit}")
