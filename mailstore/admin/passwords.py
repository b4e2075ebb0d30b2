"""
Asking for passwords.
"""

from __future__ import annotations

import argparse
import getpass
import sys

from mailstore.admin.output import CommandFailed
from mailstore.auth.keys import makeCredentials
from mailstore.auth.saslprep import BadText, prepare
from mailstore.model import Credentials

#: Characters that a password may have.
LONGEST_PASSWORD = 1000


def addPassword(parser: argparse.ArgumentParser) -> None:
    """
    The option that says where the password comes from.
    """
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from the first line of standard input",
    )


def newCredentials(name: str, options: argparse.Namespace) -> Credentials:
    """
    What a user is to be known by: asked for, or read.

    @raise CommandFailed: there is no password, or it can be none.
    """
    password = _readLine() if options.password_stdin else _ask(name)
    try:
        prepare(password)
    except BadText as error:
        raise CommandFailed(str(error)) from error
    return makeCredentials(password)


def _readLine() -> str:
    data = sys.stdin.buffer.readline(4 * LONGEST_PASSWORD + 2)
    try:
        line = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise CommandFailed("the password on standard input is not UTF-8") from error
    if len(line) > LONGEST_PASSWORD:
        raise CommandFailed(f"a password can have at most {LONGEST_PASSWORD} characters")
    return line


def _isTerminal() -> bool:
    return sys.stdin.isatty()


def _ask(name: str) -> str:
    if not _isTerminal():
        raise CommandFailed("there is no terminal to ask for the password: use --password-stdin")
    try:
        password = getpass.getpass(f"Password for {name}: ")
        again = getpass.getpass("Again: ")
    except EOFError as error:
        # The prompt has left the cursor on its line.
        print(file=sys.stderr)
        raise CommandFailed("no password was given") from error
    if again != password:
        raise CommandFailed("the two passwords differ")
    return password
