"""
From a store URL to a store: the one place where the engine meets the
renditions that the IMAP side wants made at delivery.
"""

from __future__ import annotations

from typing import Any

from mailstore.engine import open as openEngine
from mailstore.engine.errors import StoreOpenError
from mailstore.engine.limits import EngineLimits
from mailstore.engine.store import Store
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION

__all__ = ["StoreOpenError", "openStore"]


def openStore(url: str, limits: EngineLimits, create: bool = False, committer: Any = None) -> Store:
    """
    Open the store that C{url} names (C{sqlite:///mail.db},
    C{sqlite:////var/lib/mail.db}, C{sqlite::memory:}).

    @param create: make it if it is not there.
    @param committer: commits what requests have changed; by default, each at once.
    @raise StoreOpenError: it is not there, is none, or cannot be used; the
        message is one line that names it.
    """
    return openEngine(
        url,
        renditions=RENDITIONS,
        renditions_version=RENDITIONS_VERSION,
        create=create,
        limits=limits,
        committer=committer,
    )
