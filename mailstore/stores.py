"""
From a store URL to a store: the one place where the engine meets the
renditions that the IMAP side wants made at delivery.
"""

from __future__ import annotations

import os
from typing import Any

from mailstore.engine import open as openEngine
from mailstore.engine.database import pathOf
from mailstore.engine.errors import StoreOpenError
from mailstore.engine.limits import EngineLimits
from mailstore.engine.store import Store
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION

__all__ = ["StoreOpenError", "openStore", "storePath"]


def storePath(url: str) -> str:
    """
    The file that C{url} names; C{""} when it names none.

    @raise StoreOpenError: it makes no sense.
    """
    path = pathOf(url)
    return "" if path == ":memory:" else path


def openStore(url: str, limits: EngineLimits, create: bool = False, committer: Any = None) -> Store:
    """
    Open the store that C{url} names (C{sqlite:///var/lib/mail.db},
    C{sqlite:mail.db} in the working directory, C{sqlite::memory:}).

    @param create: make it if it is not there.
    @param committer: commits what requests have changed; by default, each at once.
    @raise StoreOpenError: it is not there, is none, or cannot be used; the
        message is one line that names it.
    """
    path = storePath(url)
    if not create and path and _isNothing(path):
        raise StoreOpenError(f"there is no store at {path}: make one with 'mailstore init --store {url}'")
    return openEngine(
        url,
        renditions=RENDITIONS,
        renditions_version=RENDITIONS_VERSION,
        create=create,
        limits=limits,
        committer=committer,
    )


def _isNothing(path: str) -> bool:
    """
    Whether there is no file, or an empty one, which SQLite would take for a new database.
    """
    if not os.path.lexists(path):
        return True
    return os.path.isfile(path) and os.path.getsize(path) == 0
