"""
The command line of C{mailstore}: what can be said, and which function does it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

import attrs

from mailstore.admin import commands
from mailstore.admin.checkcommand import check as checkStore
from mailstore.admin.configcheck import checkConfig
from mailstore.admin.importcommand import importMail
from mailstore.admin.interrupting import Interrupted
from mailstore.admin.output import CommandFailed, shown
from mailstore.config import DEFAULT_STORE, Config, ConfigError, load
from mailstore.errors import StoreError
from mailstore.stores import StoreOpenError, openStore, storePath

_DESCRIPTION = """
Looks after a mail store: makes one, adds users and folders, grants rights and
imports mail.  It can be used while a server has the store open.
"""

_IMPORT = """
Imports SOURCE into FOLDER, which is made if it is not there.  SOURCE is an
mbox, a Maildir with its subfolders, an .eml file, or a directory of them, whose
directories become folders below FOLDER.  Other files in it are passed over
and named.  Broken messages are imported as they are.
"""

_CHECK = """
Looks for everything in the store that contradicts something else in it, and names it.
Nothing is changed, unless --repair or --reindex asks for it.  It can be used while a
server has the store open.  Exit codes: 0 nothing is wrong (with --repair: any more), 1
something is, 2 the store could not be looked at.
"""

_ACL = """
Gives IDENTIFIER (a user, "authenticated" or "anyone") exactly these RIGHTS on
the folder: letters of lrswipkxtea (RFC 4314), or "" to take all away.  On
"Public Folders" it holds for every folder below as well.
"""


def parser() -> argparse.ArgumentParser:
    """
    The parser of the whole command line.
    """
    top = argparse.ArgumentParser(prog="mailstore", description=_DESCRIPTION)
    actions = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    which = argparse.ArgumentParser(add_help=False)
    group = which.add_mutually_exclusive_group()
    group.add_argument("--config", metavar="FILE", help="the server's config file, which names the store")
    group.add_argument("--store", metavar="URL", help=f"the store (default: {DEFAULT_STORE})")

    def add(
        place: argparse._SubParsersAction[argparse.ArgumentParser],
        name: str,
        function: commands.Function | None,
        summary: str,
        description: str = "",
    ) -> argparse.ArgumentParser:
        made = place.add_parser(name, help=summary, description=description or summary, parents=[which])
        made.set_defaults(function=function)
        return made

    def group_of(name: str, summary: str) -> argparse._SubParsersAction[argparse.ArgumentParser]:
        made = actions.add_parser(name, help=summary, description=summary)
        return made.add_subparsers(title="commands", metavar="COMMAND", required=True)

    add(actions, "init", commands.init, "make a new, empty store").set_defaults(create=True)

    user = group_of("user", "the users of the store")
    each = add(user, "add", commands.addUser, "add a user, with an INBOX")
    each.add_argument("name", metavar="NAME")
    each.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from the first line of standard input",
    )
    add(user, "list", commands.listUsers, "list the users")

    folder = group_of("folder", "the folders of the store")
    each = add(folder, "create", commands.createFolder, "create a folder, and the parents it lacks")
    each.add_argument("path", metavar="PATH", help='such as "Public Folders/News"')
    each.add_argument("--owner", metavar="USER", help="this user's own folder, not a public one")
    add(folder, "list", commands.listFolders, "list all folders, with how many messages they hold")

    acl = group_of("acl", "who may do what with a folder")
    each = add(acl, "set", commands.setRights, "set the rights on a folder", _ACL)
    each.add_argument("path", metavar="PATH")
    each.add_argument("identifier", metavar="IDENTIFIER")
    each.add_argument("rights", metavar="RIGHTS")

    each = add(actions, "import", importMail, "import mail", _IMPORT)
    each.add_argument("source", metavar="SOURCE")
    each.add_argument("folder", metavar="FOLDER", help='such as "Public Folders/Archive"')
    each.add_argument("--owner", metavar="USER", help="this user's own folder, not a public one")

    each = add(actions, "check", None, "look for inconsistencies, and mend them", _CHECK)
    each.set_defaults(unopened=checkStore)
    each.add_argument("--repair", action="store_true", help="mend what can be mended without losing mail")
    each.add_argument("--reindex", action="store_true", help="first make the search index again")

    config = group_of("config", "the server's config file")
    each = config.add_parser("check", help="check a config file", description="check a config file")
    each.add_argument("file", metavar="FILE")
    each.set_defaults(checked=True)
    return top


def main(arguments: Sequence[str]) -> int:
    """
    Run one command.

    @param arguments: the words after C{mailstore}.
    @return: the exit code.
    """
    options = parser().parse_args(arguments)
    try:
        if getattr(options, "checked", False):
            code = checkConfig(options.file)
        else:
            config = load(options.config) if options.config else Config()
            if options.store is not None:
                config = attrs.evolve(config, store_url=options.store)
            unopened = getattr(options, "unopened", None)
            code = unopened(config, options) if unopened else _withStore(config, options)
        sys.stdout.flush()
        return code
    except Interrupted as error:
        print("mailstore: interrupted", file=sys.stderr)
        return 128 + error.signal
    except CommandFailed as error:
        print(f"mailstore: {shown(str(error))}", file=sys.stderr)
        return error.code
    except (ConfigError, StoreOpenError, StoreError) as error:
        print(f"mailstore: {shown(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who reads the output has enough of it; nothing more is to be said.
        return 1
    except OSError as error:
        # Most likely the output cannot be written.
        print(f"mailstore: {shown(error.strerror or str(error))}", file=sys.stderr)
        return 1


def _withStore(config: Config, options: argparse.Namespace) -> int:
    create = getattr(options, "create", False)
    if not storePath(config.store_url):
        raise CommandFailed(f"{config.store_url} lives within a server only: name a store in a file")
    store = openStore(
        config.store_url, config.store_limits, create=create, subscribe_new=config.subscribe_new
    )
    try:
        code: int = options.function(store, config, options)
        return code
    finally:
        commands.complete(store.close())


def console() -> None:
    """
    The entry point of the C{mailstore} command.
    """
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        print("mailstore: interrupted", file=sys.stderr)
        code = 128 + signal.SIGINT
    try:
        sys.stdout.flush()
    except OSError:
        # What cannot be written has been said; the interpreter shall not try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
