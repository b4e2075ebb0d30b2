"""
A store with one of everything, and what checks say of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from pathlib import Path

from mailstore.engine import EngineLimits, Store
from mailstore.engine.checking import Checker, Report
from mailstore.model import SYSTEM, Expiry, FlagMode, UidSet
from mailstore.testing.storecases.base import EVERY, RENDITIONS, mail
from tests.engine.enginecase import EngineCase

#: More than one chunk, and not as it is served.
LARGE = b"Subject: large\n\n" + b"0123456789abcde\n" * 9_000


class CheckCase(EngineCase):
    """
    Checks one store.

    @ivar path_: its file.
    """

    def setUp(self) -> None:
        """
        Users, folders, messages, expunges, own flags, subscriptions, annotations, rights.
        """
        self.path_ = self.path()
        store = self.open(self.path_)
        self.users(store, "ann", "bob")
        for name in ("Public Folders/A", "Public Folders/A/B/C", "Public Folders/D"):
            self.now(store.createFolder("ann", name))
        self.now(store.deleteFolder("ann", "Public Folders/A/B"))
        self.now(store.createFolder("ann", "Sent", "\\Sent"))
        self.now(store.setRights("ann", "Sent", "bob", "lr"))
        for name in ("Public Folders/A", "INBOX", "Sent"):
            contents = [mail(number) for number in range(6)]
            self.append(store, "ann", name, *contents, flags=("\\Flagged", "work"))
        self.append(store, "ann", "Public Folders/A", LARGE, flags=("\\Seen",))
        self._change(store)
        self.now(store.createGroup("readers"))
        self.now(store.addMember("readers", "bob"))
        self.now(store.setRights("ann", "Public Folders/D", "group:readers", "lrs"))
        self.now(store.addAddress(SYSTEM, "Public Folders/A", "a@example.org"))
        self.now(store.setExpiry(SYSTEM, "Public Folders/A", Expiry(days=1000)))
        while self.now(store.indexMore()):
            pass
        self.now(store.close())

    def _change(self, store: Store) -> None:
        opened = self.now(store.openFolder("ann", "Public Folders/A", False))
        folder = opened.folder
        self.now(store.storeFlags("ann", folder, UidSet(((2, 2), (4, 4))), FlagMode.ADD, ("\\Deleted",)))
        self.now(store.expunge("ann", folder, None))
        self.now(store.storeFlags("bob", folder, UidSet(((1, 5),)), FlagMode.ADD, ("\\Seen",)))
        self.now(store.storeFlags(SYSTEM, folder, EVERY, FlagMode.ADD, ("\\Seen",)))
        self.now(store.subscribe("bob", "Public Folders/A"))
        self.now(store.setMetadata("ann", "Sent", {"/private/comment": b"x", "/shared/comment": b"y"}))
        self.now(store.setMetadata("ann", "", {"/shared/admin": b"z"}))

    def checker(self, writing: bool = False, limits: EngineLimits | None = None) -> Checker:
        """
        What checks the file.
        """
        made = Checker(self.path_, RENDITIONS, 1, limits or EngineLimits(busy_wait=0), writing)
        self.addCleanup(made.close)
        return made

    def check(self) -> Report:
        """
        What is found.
        """
        checker = self.checker()
        checker.find()
        checker.close()
        return checker.report

    def repair(self) -> Report:
        """
        What is found, and mended.
        """
        checker = self.checker(writing=True)
        checker.repair()
        checker.close()
        return checker.report

    def damage(self, *statements: str) -> None:
        """
        Change the file behind the store's back.
        """
        before = self.all_()
        self.execute(self.path_, "PRAGMA recursive_triggers = ON", *statements)
        self.assertNotEqual(self.all_(), before, "nothing was damaged")

    def all_(self) -> bytes:
        """
        Everything in the file, which nobody has open.
        """
        return Path(self.path_).read_bytes()

    def mail(self) -> Counter[bytes]:
        """
        All messages in the store that anybody can read, as they came.
        """
        db = sqlite3.connect(self.path_)
        try:
            found = db.execute(
                "SELECT m.content FROM messages m JOIN folders f ON f.id = m.folder AND f.selectable"
            ).fetchall()
            return Counter(
                b"".join(
                    data if isinstance(data, bytes) else data.encode()
                    for (data,) in db.execute("SELECT data FROM chunks WHERE id >> 20 = ? ORDER BY id", of)
                )
                for of in found
            )
        finally:
            db.close()

    def exists(self, suffix: str) -> bool:
        """
        Whether there is a file beside the store's.
        """
        return os.path.exists(self.path_ + suffix)
