"""
C{mailstore config}.
"""

from __future__ import annotations

import argparse

import attrs

from mailstore.admin.commandline import Commands
from mailstore.admin.configcheck import checkConfig
from mailstore.admin.output import say
from mailstore.config import Config, dump

_SHOW = """
Prints the configuration that the server would have, everything that can be set with
its value, as a config file.  Secrets are left out.
"""


def register(commands: Commands) -> None:
    """
    Add the commands.
    """
    group = commands.group("config", "print the server's configuration, or check a file", alone=show)
    each = group.addUnopened("check", check, "check a config file")
    each.add_argument("file", metavar="FILE")
    group.addUnopened("show", show, "print the whole configuration", _SHOW)


def check(config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore config check}.
    """
    return checkConfig(options.file)


def show(config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore config show}.
    """
    hidden = [name for name in ("secret", "checkers") if getattr(config, name)]
    if hidden:
        say(f"# not shown: [auth] {', '.join(hidden)}")
    say(dump(attrs.evolve(config, secret="", checkers=())).rstrip())
    return 0
