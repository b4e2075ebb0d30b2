"""
From a store URL to a store: the one place where the engine meets the
renditions that the IMAP side wants made at delivery.
"""

from __future__ import annotations

import os
from typing import Any

from mailstore.engine import open as openEngine
from mailstore.engine.backup import Backup, BackupStopped
from mailstore.engine.checking import Checker, CheckStopped, Finding, Report
from mailstore.engine.database import pathOf
from mailstore.engine.errors import StoreOpenError
from mailstore.engine.fetching import emailId
from mailstore.engine.limits import EngineLimits
from mailstore.engine.store import Store
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION

__all__ = [
    "Backup",
    "BackupStopped",
    "CheckStopped",
    "Checker",
    "Finding",
    "Report",
    "StoreOpenError",
    "emailId",
    "openBackup",
    "openChecker",
    "openStore",
    "storePath",
]


def storePath(url: str) -> str:
    """
    The file that C{url} names; C{""} when it names none.

    @raise StoreOpenError: it makes no sense.
    """
    path = pathOf(url)
    return "" if path == ":memory:" else path


def openStore(
    url: str,
    limits: EngineLimits,
    create: bool = False,
    committer: Any = None,
    subscribe_new: bool = False,
    helpers: int = 0,
) -> Store:
    """
    Open the store that C{url} names (C{sqlite:///var/lib/mail.db},
    C{sqlite:mail.db} in the working directory, C{sqlite::memory:}).

    @param create: make it if it is not there.
    @param committer: commits what requests have changed; by default, each at once.
    @param subscribe_new: see L{Store}.
    @param helpers: see L{Store}.
    @raise StoreOpenError: it is not there, is none, or cannot be used; the
        message is one line that names it.
    """
    path = storePath(url)
    if not create and path:
        _requireStore(path, url)
    return openEngine(
        url,
        renditions=RENDITIONS,
        renditions_version=RENDITIONS_VERSION,
        create=create,
        limits=limits,
        committer=committer,
        subscribe_new=subscribe_new,
        helpers=helpers,
    )


def openChecker(url: str, limits: EngineLimits, writing: bool = False, **options: Any) -> Checker:
    """
    What checks the store that C{url} names, without opening it as a store: nothing is
    changed, not even brought up to date, unless it is asked to.

    @param writing: something may be mended.
    @param options: see L{Checker}.
    @raise StoreOpenError: as L{openStore}; also when it has the schema of another version.
    """
    path = storePath(url)
    if not path:
        raise StoreOpenError(f"cannot check store {url!r}: it lives within a server only")
    _requireStore(path, url)
    return Checker(path, RENDITIONS, RENDITIONS_VERSION, limits, writing, **options)


def openBackup(url: str, limits: EngineLimits) -> Backup:
    """
    What makes a copy of the store that C{url} names while others use it.

    @raise StoreOpenError: as L{openStore}.
    """
    path = storePath(url)
    if not path:
        raise StoreOpenError(f"cannot copy store {url!r}: it lives within a server only")
    _requireStore(path, url)
    return Backup(path, limits)


def _requireStore(path: str, url: str) -> None:
    """
    Check that there is a file, and not an empty one, which SQLite would take for a new database.

    @raise StoreOpenError: there is none.
    """
    if not os.path.lexists(path) or (os.path.isfile(path) and os.path.getsize(path) == 0):
        raise StoreOpenError(f"there is no store at {path}: make one with 'mailstore init --store {url}'")
