"""
The command line of C{mailstore}: all commands, and how each ends.

Exit codes: 0 all was done; 1 something was not, and was named; 2 the command line, the
config file or the store makes no sense to start with; 128 and the number of a signal that ended it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata

import attrs

from mailstore.admin import (
    aclcommands,
    backupcommand,
    checkcommand,
    configcommands,
    exportcommand,
    foldercommands,
    groupcommands,
    importcommand,
    quotacommands,
    storecommands,
    usercommands,
)
from mailstore.admin.commandline import Commands
from mailstore.admin.commands import complete
from mailstore.admin.interrupting import Interrupted
from mailstore.admin.output import CommandFailed, complain
from mailstore.config import Config, ConfigError, load
from mailstore.errors import StoreError
from mailstore.stores import StoreOpenError, openStore, storePath

_DESCRIPTION = """
Looks after a mail store: makes one, adds users and folders, grants rights, imports and
exports mail, checks it and saves a copy of it.  It can be used while a server has the
store open.
"""

#: Everything that adds commands, in the order in which the help names them.
_MODULES = (
    storecommands,
    usercommands,
    groupcommands,
    foldercommands,
    aclcommands,
    quotacommands,
    importcommand,
    exportcommand,
    checkcommand,
    backupcommand,
    configcommands,
)


def parser() -> argparse.ArgumentParser:
    """
    The parser of the whole command line.
    """
    top = argparse.ArgumentParser(prog="mailstore", description=_DESCRIPTION)
    top.add_argument("--version", action="version", version=f"mailstore {_version()}")
    commands = Commands.top(top)
    for each in _MODULES:
        each.register(commands)
    return top


def _version() -> str:
    try:
        return metadata.version("mailstore")
    except metadata.PackageNotFoundError:
        return "of a source tree that is not installed"


def main(arguments: Sequence[str]) -> int:
    """
    Run one command.

    @param arguments: the words after C{mailstore}.
    @return: the exit code.
    """
    options, others = parser().parse_known_args(arguments)
    if others:
        # Said by the command itself, with how it is to be used.
        options.parser.error(f"unrecognized arguments: {' '.join(others)}")
    try:
        config = load(options.config) if options.config else Config()
        if options.store is not None:
            config = attrs.evolve(config, store_url=options.store)
        if options.on_config is not None:
            code: int = options.on_config(config, options)
        else:
            code = _onStore(config, options)
        sys.stdout.flush()
        return code
    except Interrupted as error:
        complain("interrupted")
        return 128 + error.signal
    except CommandFailed as error:
        complain(str(error))
        return error.code
    except (ConfigError, StoreOpenError, StoreError) as error:
        complain(str(error))
        return 1
    except BrokenPipeError:
        # Who reads the output has enough of it; nothing more is to be said.
        return 1
    except OSError as error:
        # Most likely the output cannot be written.
        complain(error.strerror or str(error))
        return 1


def _onStore(config: Config, options: argparse.Namespace) -> int:
    path = storePath(config.store_url)
    if not path:
        raise CommandFailed(f"{config.store_url} lives within a server only: name a store in a file")
    options.was_there = os.path.isfile(path) and os.path.getsize(path) > 0
    store = openStore(
        config.store_url,
        config.store_limits,
        create=options.create,
        subscribe_new=config.subscribe_new,
        helpers=options.processes - 1,
    )
    try:
        code: int = options.on_store(store, config, options)
        return code
    finally:
        complete(store.close())


def console() -> None:
    """
    The entry point of the C{mailstore} command.
    """
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        complain("interrupted")
        code = 128 + signal.SIGINT
    try:
        sys.stdout.flush()
    except OSError:
        # What cannot be written has been said; the interpreter shall not try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
