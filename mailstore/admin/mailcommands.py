"""
C{mailstore folder address} and C{mailstore folder expire}.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from mailstore.admin.commandline import Commands, addFolder
from mailstore.admin.commands import complete, systemName
from mailstore.admin.output import CommandFailed, counted, say, shown
from mailstore.config import Config
from mailstore.errors import NoSuchAddress
from mailstore.interfaces import ILocalStore
from mailstore.model import ANYONE, SYSTEM, Expiry, RightsMode, mailAddress

_Item = TypeVar("_Item")

_ADDRESS = """
Gives a public folder an address, at which it takes mail by LMTP, and "anyone" the right "p"
to post there, unless --keep-rights says otherwise.  With --remove the address is taken away.
Without ADDRESS the folder's addresses are listed, without PATH those of all folders.
"""

_EXPIRE = """
Says how long messages stay in a folder: --days after they came into it, and not more
of them than --messages, of which the newest stay.  What goes, goes for good.  A folder made
below it later gets a copy of the rule.  Without options the rule is shown.
"""


def register(group: Commands) -> None:
    """
    Add the commands to the group C{folder}.
    """
    each = group.add("address", address, "say at which addresses a folder takes mail", _ADDRESS)
    each.add_argument("path", metavar="PATH", nargs="?", help='such as "Public Folders/News"')
    each.add_argument("address", metavar="ADDRESS", nargs="?", help="such as news@example.org")
    each.add_argument("--remove", action="store_true", help="take the address away")
    each.add_argument("--keep-rights", action="store_true", help="do not let anyone post there")
    each = group.add("expire", expire, "say how long messages stay in a folder", _EXPIRE)
    addFolder(each)
    each.add_argument("--days", metavar="N", help="messages stay for N days")
    each.add_argument("--messages", metavar="N", help="N messages stay, the newest")
    each.add_argument("--never", action="store_true", help="all messages stay")


def address(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder address}.
    """
    if options.path is None:
        for text, name in addresses(store):
            say(f"{shown(text)} {shown(name)}")
        return 0
    name = systemName(store, options.path, has_owner=False)
    if options.address is None:
        if options.remove:
            raise CommandFailed("which address is to be taken away? Say it behind the folder", 2)
        # That there is such a folder, too.
        complete(store.rights(SYSTEM, name))
        for text, folder in addresses(store):
            if folder == name:
                say(shown(text))
        return 0
    text = mailAddress(options.address)
    if options.remove:
        if (text, name) not in addresses(store):
            raise NoSuchAddress(f"{name!r} does not have the address {text!r}")
        complete(store.removeAddress(SYSTEM, text))
        say(f"{shown(name)} takes no more mail at {shown(text)}")
        return 0
    complete(store.addAddress(SYSTEM, name, text))
    say(f"{shown(name)} takes mail at {shown(text)}")
    if not options.keep_rights:
        complete(store.setRights(SYSTEM, name, ANYONE, "p", RightsMode.ADD))
        say("anyone may post there")
    return 0


def expire(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore folder expire}.
    """
    name = systemName(store, options.path, options.owner)
    days, messages = _number(options.days, "days"), _number(options.messages, "messages")
    if options.never and (days is not None or messages is not None):
        raise CommandFailed("--never leaves nothing to say with --days and --messages", 2)
    rule = Expiry(days, messages)
    if rule != Expiry() or options.never:
        complete(store.setExpiry(SYSTEM, name, rule))
    else:
        rule = complete(store.expiry(SYSTEM, name))
    say(f"{shown(name)}: {kept(rule)}")
    return 0


def kept(rule: Expiry) -> str:
    """
    A rule in words.
    """
    parts = []
    if rule.days is not None:
        parts.append(f"messages stay for {counted(rule.days, 'day')}")
    if rule.messages is not None:
        parts.append(
            f"at most {counted(rule.messages, 'message')} stay" + ("s" if rule.messages == 1 else "")
        )
    return ", ".join(parts) or "all messages stay"


def notes(store: ILocalStore) -> dict[str, str]:
    """
    What C{mailstore folder list} says of folders beside their names, by these.
    """
    found: dict[str, list[str]] = {}
    for text, name in addresses(store):
        found.setdefault(name, []).append(shown(text))
    for name, rule in complete(_all(store.expiries(SYSTEM))):
        found.setdefault(name, []).append(kept(rule))
    return {name: f"  ({', '.join(each)})" for name, each in found.items()}


def addresses(store: ILocalStore) -> list[tuple[str, str]]:
    """
    All addresses, each with the name of its folder.
    """
    found: list[tuple[str, str]] = complete(_all(store.addresses(SYSTEM)))
    return found


async def _all(answer: AsyncGenerator[tuple[_Item, ...], None]) -> list[_Item]:
    async with aclosing(answer) as batches:
        return [each async for batch in batches for each in batch]


def _number(text: str | None, what: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise CommandFailed(f"--{what} must be a whole number, not {text!r}", 2)
    return int(text)
