"""
C{mailstore export}.
"""

from __future__ import annotations

import argparse

from mailstore.admin.commandline import Commands, addFolder
from mailstore.admin.commands import below, complete, folderNames, systemName
from mailstore.admin.exporting import Exporter, Report
from mailstore.admin.interrupting import Interrupted, Interruption
from mailstore.admin.output import CommandFailed, bytesBar, complain, counted, say, shown
from mailstore.config import Config
from mailstore.errors import NoSuchFolder, NotSelectable, StoreError
from mailstore.interfaces import ILocalStore
from mailstore.model import SYSTEM

_EXPORT = """
Writes the messages of FOLDER and of all folders below it to DEST, as they came, byte for
byte.  As a Maildir (the default) DEST is a directory with Maildir++ subfolders; flags
and dates are kept.  As mbox (mboxrd) DEST is a file, or, when there are folders below it,
a directory of files; dates are kept.  Nothing that exists is overwritten.
"""


def register(commands: Commands) -> None:
    """
    Add the command.
    """
    each = commands.add("export", exportMail, "export mail", _EXPORT)
    addFolder(each, "folder")
    each.add_argument("destination", metavar="DEST")
    each.add_argument("--format", choices=("maildir", "mbox"), default="maildir")
    each.add_argument("--resume", action="store_true", help="go on with an export that was interrupted")


def exportMail(store: ILocalStore, config: Config, options: argparse.Namespace) -> int:
    """
    Export, show how far it is, and say what was done, however it ends.
    """
    name = systemName(store, options.folder, options.owner)
    names = [each for each in complete(folderNames(store)) if each == name]
    if not names:
        raise NoSuchFolder(f"there is no folder {name!r}; 'mailstore folder list' names all")
    total = 0
    holding = []
    for each in (name, *below(complete(folderNames(store)), name)):
        try:
            total += complete(store.status(SYSTEM, each)).size
        except NotSelectable:
            continue
        holding.append(each)
    if not holding:
        raise CommandFailed(f"{name!r} holds no messages, and nothing below it does")
    with Interruption() as interruption, bytesBar() as bar:
        bar.total = total
        exporter = Exporter(store, name, options.destination, options.resume, interruption.check, bar.update)
        try:
            complete(exporter.maildir(holding) if options.format == "maildir" else exporter.mbox(holding))
        except (Interrupted, StoreError, OSError) as error:
            bar.close()
            _tell(exporter.report)
            hint = "; --resume goes on with it" if isinstance(error, Interrupted) else ""
            complain(f"the export was not finished{hint}")
            if isinstance(error, OSError) and error.filename:
                raise CommandFailed(f"{error.filename}: {error.strerror}") from error
            raise
    _tell(exporter.report)
    return 1 if exporter.report.problems else 0


def _tell(report: Report) -> None:
    for name, reason in report.problems:
        complain(f"not exported: {name}: {reason}")
    for name, number in report.written.items():
        say(f"{number:>9} {shown(name)}")
    if report.present:
        say(f"there already: {counted(report.present, 'message')}")
    if report.gone:
        say(f"deleted meanwhile: {counted(report.gone, 'message')}")
    folders = counted(len(report.written), "folder")
    say(f"exported {counted(report.written.total(), 'message')} of {folders}")
