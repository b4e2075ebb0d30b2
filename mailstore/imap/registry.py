"""
Every command there is, by name.

Rows are made of L{mailstore.imap.command.Command} (import it, and the replies,
from there); each module of L{mailstore.imap.commands} has its rows in
C{COMMANDS}.  Adding a command is adding its module here.
"""

from __future__ import annotations

from mailstore.imap.command import Command
from mailstore.imap.commands import (
    append,
    authenticate,
    capability,
    check,
    close,
    compress,
    copy,
    create,
    delete,
    enable,
    esearch,
    expunge,
    fetch,
    getacl,
    identify,
    idle,
    listing,
    login,
    logout,
    metadata,
    move,
    namespace,
    noop,
    notify,
    quota,
    rename,
    replace,
    search,
    select,
    setacl,
    sort,
    starttls,
    status,
    store,
    subscribe,
    thread,
    unauthenticate,
)

_MODULES = (
    append,
    authenticate,
    capability,
    check,
    close,
    compress,
    copy,
    create,
    delete,
    enable,
    esearch,
    expunge,
    fetch,
    getacl,
    identify,
    idle,
    listing,
    login,
    logout,
    metadata,
    move,
    namespace,
    noop,
    notify,
    quota,
    rename,
    replace,
    search,
    select,
    setacl,
    sort,
    starttls,
    status,
    store,
    subscribe,
    thread,
    unauthenticate,
)

#: The rows by name.
COMMANDS: dict[str, Command] = {row.name: row for module in _MODULES for row in module.COMMANDS}
