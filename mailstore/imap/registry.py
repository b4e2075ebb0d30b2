"""
Every command there is, by name.

Rows are made of L{mailstore.imap.command.Command} (import it, and the replies,
from there); each module of L{mailstore.imap.commands} has its rows in
C{COMMANDS}.  Adding a command is adding its module here.
"""

from __future__ import annotations

from mailstore.imap.command import Command
from mailstore.imap.commands import (
    authenticate,
    capability,
    check,
    close,
    create,
    delete,
    enable,
    examine,
    id,
    idle,
    list,
    login,
    logout,
    lsub,
    namespace,
    noop,
    rename,
    select,
    starttls,
    status,
    subscribe,
    unselect,
    unsubscribe,
)

_MODULES = (
    authenticate,
    capability,
    check,
    close,
    create,
    delete,
    enable,
    examine,
    id,
    idle,
    list,
    login,
    logout,
    lsub,
    namespace,
    noop,
    rename,
    select,
    starttls,
    status,
    subscribe,
    unselect,
    unsubscribe,
)

#: The rows by name.
COMMANDS: dict[str, Command] = {row.name: row for module in _MODULES for row in module.COMMANDS}

#: First words of names that have two, such as C{UID}.
PREFIXES: frozenset[str] = frozenset(name.split()[0] for name in COMMANDS if " " in name)
