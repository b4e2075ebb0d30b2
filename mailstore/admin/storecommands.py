"""
C{mailstore init} and C{mailstore stats}.
"""

from __future__ import annotations

import argparse
import json
import os

import attrs

from mailstore.admin.commandline import Commands
from mailstore.admin.commands import complete
from mailstore.admin.output import counted, say, sized
from mailstore.config import Config
from mailstore.interfaces import ILocalStore
from mailstore.model import Statistics
from mailstore.stores import storePath


def register(commands: Commands) -> None:
    """
    Add the commands.
    """
    commands.add("init", init, "make a new, empty store, or bring an existing one up to date").set_defaults(
        create=True
    )
    each = commands.add("stats", stats, "how much of everything there is")
    each.add_argument("--json", action="store_true", help="for programs: one object, sizes in bytes")


def init(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore init}: the store was made when it was opened.
    """
    users = complete(store.listUsers())
    was_there = "was there already, and is " if options.was_there else ""
    say(f"{config.store_url}: {was_there}ready, with {counted(len(users), 'user')}")
    return 0


def stats(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore stats}.
    """
    found: Statistics = complete(store.statistics())
    path = storePath(config.store_url)
    files = {"file": _size(path), "wal_file": _size(path + "-wal")}
    if options.json:
        say(json.dumps({**attrs.asdict(found), **files}, indent=2))
        return 0
    folders = counted(found.public_folders + found.personal_folders, "folder")
    say(f"{'users':<14} {found.users}")
    say(f"{'folders':<14} {folders}: {found.public_folders} public, {found.personal_folders} of users")
    say(f"{'messages':<14} {found.messages}, {sized(found.message_bytes)}")
    say(f"{'kept':<14} {counted(found.contents, 'distinct message')}, {sized(found.content_bytes)}")
    behind = f"{counted(found.unindexed, 'message')} behind" if found.unindexed else "up to date"
    say(f"{'search index':<14} {behind}")
    say(f"{'file':<14} {sized(files['file'])}, of which {sized(found.free_bytes)} are free")
    if files["wal_file"]:
        say(f"{'log':<14} {sized(files['wal_file'])}")
    return 0


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
