"""
C{mailstore import}.
"""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from mailstore.admin.commands import complete, systemName
from mailstore.admin.importing import Importer, Report
from mailstore.admin.interrupting import Interrupted, Interruption
from mailstore.admin.output import counted, shown
from mailstore.admin.sources import Source
from mailstore.config import Config
from mailstore.errors import StoreError
from mailstore.interfaces import IStore

#: Files passed over that are named one by one.
NAMED = 100


def importMail(store: IStore, config: Config, options: argparse.Namespace) -> int:
    """
    Import, show how far it is, and say what was done, however it ends.

    @return: 0 when all that is mail was imported.
    """
    target = systemName(store, options.folder, options.owner)
    limits = config.store_limits
    # Without a terminal (disable=None) there is no progress bar.
    with tqdm(unit="B", unit_scale=True, disable=None, leave=False) as bar:
        importer = Importer(store, target, limits.max_message, limits.max_append, bar.update)
        try:
            with Interruption(importer.interrupt):
                planned = importer.plan(options.source)
                bar.total = sum(each.size for each in planned if isinstance(each, Source))
                complete(importer.run(planned))
        except (Interrupted, KeyboardInterrupt, StoreError):
            bar.close()
            _tell(importer.report)
            print("mailstore: the import was not finished", file=sys.stderr)
            raise
    _tell(importer.report)
    return 1 if importer.report.problems else 0


def _tell(report: Report) -> None:
    harmless = [each for each in report.remarks if each.harmless]
    for each in report.problems:
        print(f"mailstore: not imported: {shown(each.path)}: {shown(each.reason)}", file=sys.stderr)
    for each in harmless[:NAMED]:
        print(f"passed over: {shown(each.path)}: {shown(each.reason)}", file=sys.stderr)
    if len(harmless) > NAMED:
        print(f"passed over: {len(harmless) - NAMED} more", file=sys.stderr)
    for name, number in report.stored.items():
        print(f"{number:>9} {shown(name)}")
    folders = counted(len(report.stored), "folder")
    print(f"imported {counted(report.messages, 'message')} into {folders}")
