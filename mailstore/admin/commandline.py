"""
What the modules of commands say of their command lines.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import attrs

from mailstore.config import DEFAULT_STORE, Config
from mailstore.interfaces import ILocalStore

#: What carries out a command on an open store, with the words that were given; returns the exit code.
OnStore = Callable[[ILocalStore, Config, argparse.Namespace], int]

#: What carries out a command that opens the store itself, or none.
OnConfig = Callable[[Config, argparse.Namespace], int]


@attrs.frozen
class Commands:
    """
    A place for commands: the top of the command line, or one of its groups.
    """

    #: Where they are added.
    place: argparse._SubParsersAction[argparse.ArgumentParser]
    #: The options that all of them take.
    options: argparse.ArgumentParser

    @classmethod
    def top(cls, parser: argparse.ArgumentParser) -> Commands:
        """
        The top of the command line.
        """
        options = argparse.ArgumentParser(add_help=False)
        which = options.add_mutually_exclusive_group()
        which.add_argument("--config", metavar="FILE", help="the server's config file, which names the store")
        which.add_argument("--store", metavar="URL", help=f"the store (default: {DEFAULT_STORE})")
        return cls(parser.add_subparsers(title="commands", metavar="COMMAND", required=True), options)

    def group(self, name: str, summary: str, alone: OnConfig | None = None) -> Commands:
        """
        A group of commands.

        @param alone: what the name of the group does alone.
        """
        if alone is None:
            made = self.place.add_parser(name, help=summary, description=summary)
        else:
            made = self._add(name, summary, "", on_config=alone)
        place = made.add_subparsers(title="commands", metavar="COMMAND", required=alone is None)
        return Commands(place, self.options)

    def add(
        self, name: str, function: OnStore, summary: str, description: str = ""
    ) -> argparse.ArgumentParser:
        """
        A command on an open store.
        """
        return self._add(name, summary, description, on_store=function)

    def addUnopened(
        self, name: str, function: OnConfig, summary: str, description: str = ""
    ) -> argparse.ArgumentParser:
        """
        A command that opens the store itself.
        """
        return self._add(name, summary, description, on_config=function)

    def _add(self, name: str, summary: str, description: str, **defaults: object) -> argparse.ArgumentParser:
        made = self.place.add_parser(
            name, help=summary, description=description or summary, parents=[self.options]
        )
        made.set_defaults(
            **{
                "on_store": None,
                "on_config": None,
                "create": False,
                "processes": 1,
                "parser": made,
                **defaults,
            }
        )
        return made


def addFolder(parser: argparse.ArgumentParser, name: str = "path", owner: bool = True) -> None:
    """
    The argument that names a folder, and whose it is.
    """
    parser.add_argument(name, metavar=name.upper(), help='such as "Public Folders/News"')
    if owner:
        parser.add_argument("--owner", metavar="USER", help="this user's own folder, not a public one")
