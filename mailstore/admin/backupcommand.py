"""
C{mailstore backup}.
"""

from __future__ import annotations

import argparse
import contextlib
import os

from mailstore.admin.commandline import Commands
from mailstore.admin.interrupting import Interrupted, Interruption
from mailstore.admin.output import CommandFailed, bytesBar, counted, say, shown, sized
from mailstore.admin.publishing import publish
from mailstore.config import Config
from mailstore.errors import StoreError
from mailstore.stores import BackupStopped, CheckStopped, openBackup, openChecker

_BACKUP = """
Makes a copy of the store, of one moment, also while a server uses it, and checks the copy as
"mailstore check" does.  DEST, which must not be there yet, appears when the copy is whole.
To restore it, stop the server, put the copy in the place of the store's file and remove
the files beside it that end in -wal and -shm.
"""


def register(commands: Commands) -> None:
    """
    Add the command.
    """
    each = commands.addUnopened("backup", backup, "make a copy of the store", _BACKUP)
    each.add_argument("destination", metavar="DEST")
    each.add_argument("--no-check", action="store_true", help="do not check the copy")


def backup(config: Config, options: argparse.Namespace) -> int:
    """
    C{mailstore backup}.

    @return: 0; 1 when the copy is whole, and what is copied has inconsistencies.
    """
    destination: str = options.destination
    if os.path.lexists(destination):
        raise CommandFailed(f"{destination!r} exists already: a backup overwrites nothing")
    part = f"{destination}.{os.getpid()}.part"
    wrong = 0
    try:
        with Interruption() as interruption:
            try:
                _copy(config, part, interruption)
                if not options.no_check:
                    wrong = _check(config, part, interruption)
            except (BackupStopped, CheckStopped):
                raise Interrupted(interruption.signal or 0) from None
            publish(part, destination)
    except FileExistsError as error:
        raise CommandFailed(f"{destination!r} exists already: a backup overwrites nothing") from error
    except OSError as error:
        raise CommandFailed(f"cannot write {destination!r}: {error.strerror or error}") from error
    except StoreError as error:
        raise CommandFailed(f"no backup was made: {error}") from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            # What is there in spite of that has been named.
            with contextlib.suppress(OSError):
                os.unlink(part + suffix)
    size = sized(os.path.getsize(destination))
    if wrong:
        found = counted(wrong, "inconsistency", "inconsistencies")
        raise CommandFailed(f"{destination}: {size}, a whole copy, but 'mailstore check' finds {found} in it")
    say(f"{shown(destination)}: {size}{'' if options.no_check else ', checked'}")
    return 0


def _copy(config: Config, part: str, interruption: Interruption) -> None:
    made = openBackup(config.store_url, config.store_limits)
    try:
        with bytesBar() as bar:

            def tell(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            made.copy(part, tell, lambda: interruption.signal is not None)
    finally:
        made.close()


def _check(config: Config, part: str, interruption: Interruption) -> int:
    """
    How much is wrong in the copy.
    """
    checker = openChecker(
        f"sqlite:{part}", config.store_limits, stopped=lambda: interruption.signal is not None
    )
    try:
        checker.find()
    finally:
        checker.close()
    return checker.report.left
