"""
C{mailstore check}: what it finds is named, what it mends is said.
"""

from __future__ import annotations

import argparse

from tqdm import tqdm

from mailstore.admin.commandline import Commands
from mailstore.admin.interrupting import Interrupted, Interruption
from mailstore.admin.output import CommandFailed, complain, counted, say, shown
from mailstore.config import Config
from mailstore.errors import StoreError
from mailstore.stores import Checker, CheckStopped, Finding, Report, StoreOpenError, openChecker

_CHECK = """
Looks for everything in the store that contradicts something else in it, and names it.
Nothing is changed, unless --repair or --reindex asks for it.  It can be used while a
server has the store open.  Exit codes: 0 nothing is wrong (with --repair: any more), 1
something is, 2 the store could not be looked at.
"""

#: Exit codes: nothing is wrong (any more), something is, it could not be looked at.
CLEAN, WRONG, COULD_NOT = 0, 1, 2


def register(commands: Commands) -> None:
    """
    Add the command.
    """
    each = commands.addUnopened("check", check, "look for inconsistencies, and mend them", _CHECK)
    each.add_argument("--repair", action="store_true", help="mend what can be mended without losing mail")
    each.add_argument("--reindex", action="store_true", help="first make the search index again")


def check(config: Config, options: argparse.Namespace) -> int:
    """
    Check a store, and with C{--repair} mend it.

    @return: L{CLEAN} or L{WRONG}.
    @raise CommandFailed: it could not be looked at.
    """
    writing = options.repair or options.reindex
    with Interruption() as interruption, _Bar() as bar:
        try:
            checker = openChecker(
                config.store_url,
                config.store_limits,
                writing,
                progress=bar.tell,
                stopped=lambda: interruption.signal is not None,
            )
        except StoreOpenError as error:
            raise CommandFailed(str(error), COULD_NOT) from error
        try:
            _run(checker, options)
        except CheckStopped:
            bar.close()
            _tell(checker.report, config, False)
            complain("the check was not finished")
            raise Interrupted(interruption.signal or 0) from None
        except StoreError as error:
            bar.close()
            _tell(checker.report, config, False)
            raise CommandFailed(f"the check was not finished: {error}", COULD_NOT) from error
        finally:
            checker.close()
    _tell(checker.report, config)
    return WRONG if checker.report.left else CLEAN


def _run(checker: Checker, options: argparse.Namespace) -> None:
    if options.reindex:
        checker.reindex()
    if options.repair:
        checker.repair()
    else:
        checker.find()


class _Bar:
    """
    Shows how far a check has come, on a terminal.
    """

    def __init__(self) -> None:
        # Without a terminal (disable=None) there is no progress bar.
        self._title = ""
        self._bar = tqdm(disable=None, leave=False, bar_format="{desc}{percentage:3.0f}%|{bar}|")

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Take it away.
        """
        self._bar.close()

    def tell(self, title: str, done: int, total: int) -> None:
        """
        See L{Checker}.
        """
        self._bar.total = total or 1
        if title == self._title and done >= self._bar.n:
            # Shown now and then only.
            self._bar.update(done - self._bar.n)
            return
        self._title = title
        self._bar.set_description(title, refresh=False)
        self._bar.n = done
        self._bar.refresh()


def _tell(report: Report, config: Config, finished: bool = True) -> None:
    for each in report.findings:
        say(_line(each))
    told = len(report.findings)
    if report.found.total() > told:
        for kind, number in sorted(report.found.items()):
            shown_ones = sum(each.kind == kind for each in report.findings)
            if number > shown_ones:
                say(f"{kind}: {number - shown_ones} more")
    if not report.found:
        say(f"{config.store_url}: {'clean' if finished else 'nothing found so far'}")
        return
    mended = report.mended.total()
    say(
        f"{config.store_url}: {counted(report.found.total(), 'inconsistency', 'inconsistencies')} found,"
        f" {mended} mended, {report.left} left"
    )


def _line(finding: Finding) -> str:
    said = shown(f"{finding.kind}: {finding.where}: {finding.problem}")
    if finding.mended:
        return f"{said} -- mended: {shown(finding.remedy)}"
    if finding.remedy:
        return f"{said} -- can be mended: {shown(finding.remedy)}"
    return f"{said} -- cannot be mended"
