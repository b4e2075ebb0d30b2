"""
C{mailstore import}.
"""

from __future__ import annotations

import argparse
import os
import sys

from mailstore.admin.commandline import Commands, addFolder
from mailstore.admin.commands import complete, systemName
from mailstore.admin.importing import Importer, Report
from mailstore.admin.interrupting import Interrupted, Interruption
from mailstore.admin.output import bytesBar, complain, counted, say, shown
from mailstore.admin.sources import Source
from mailstore.config import Config
from mailstore.errors import StoreError
from mailstore.interfaces import ILocalStore

#: Files passed over that are named one by one.
NAMED = 100

#: Processes that an import can be told to use.
_PROCESSES = 64

#: Processes that an import uses unless it is told how many; the one that has the store keeps no more busy.
_MOST_PROCESSES = 4

_IMPORT = """
Imports SOURCE into FOLDER, which is made if it is not there.  SOURCE is an
mbox, a Maildir with its subfolders, an .eml file, or a directory of them, whose
directories become folders below FOLDER.  Other files in it are passed over
and named.  Broken messages are imported as they are.  With --skip-existing an import that was
interrupted goes on, and one that was not adds nothing.
"""


def register(commands: Commands) -> None:
    """
    Add the command.
    """
    each = commands.add("import", importMail, "import mail", _IMPORT)
    each.add_argument("source", metavar="SOURCE")
    addFolder(each, "folder")
    each.add_argument(
        "--skip-existing",
        action="store_true",
        help="leave out messages that are, byte for byte, in their folder already",
    )
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    each.add_argument(
        "--processes",
        type=_processes,
        default=min(processors, _MOST_PROCESSES),
        metavar="N",
        help="how many share the work, if there is much of it (default: one for each processor, at most"
        f" {_MOST_PROCESSES})",
    )


def _processes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= _PROCESSES:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {_PROCESSES}")
    return int(text)


def importMail(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    Import, show how far it is, and say what was done, however it ends.

    @return: 0 when all that is mail was imported.
    """
    target = systemName(store, options.folder, options.owner)
    limits = config.store_limits
    with bytesBar() as bar:
        importer = Importer(
            store,
            target,
            limits.max_message,
            limits.max_append,
            bar.update,
            options.skip_existing,
            store.expect,
        )
        try:
            with Interruption(importer.interrupt):
                planned = importer.plan(options.source)
                bar.total = sum(each.size for each in planned if isinstance(each, Source))
                complete(importer.run(planned))
        except (Interrupted, KeyboardInterrupt, StoreError) as error:
            bar.close()
            _tell(importer.report)
            hint = "" if isinstance(error, StoreError) else "; --skip-existing goes on with it"
            complain(f"the import was not finished{hint}")
            raise
    _tell(importer.report)
    return 1 if importer.report.problems else 0


def _tell(report: Report) -> None:
    harmless = [each for each in report.remarks if each.harmless]
    for each in report.problems:
        complain(f"not imported: {each.path}: {each.reason}")
    for each in harmless[:NAMED]:
        print(f"passed over: {shown(each.path)}: {shown(each.reason)}", file=sys.stderr)
    if len(harmless) > NAMED:
        print(f"passed over: {len(harmless) - NAMED} more", file=sys.stderr)
    for name, number in report.stored.items():
        say(f"{number:>9} {shown(name)}")
    if report.present:
        say(f"there already: {counted(report.present.total(), 'message')}")
    folders = counted(len(report.stored), "folder")
    say(f"imported {counted(report.messages, 'message')} into {folders}")
