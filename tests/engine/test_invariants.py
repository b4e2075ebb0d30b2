"""
Whatever happens, in whatever order: what is maintained equals what could be
counted, and who follows the changes has what is there.
"""

from __future__ import annotations

import random

import attrs

from mailstore.engine import EngineLimits, Store, seen
from mailstore.engine.checking import Checker
from mailstore.model import (
    SYSTEM,
    FetchSpec,
    FlagMode,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)
from mailstore.testing.storecases.base import RENDITIONS, mail
from tests.engine.enginecase import EngineCase

_EVERY = UidSet(((1, 0xFFFFFFFF),))
_FLAGS = ("\\Seen", "\\Deleted", "\\Flagged", "one", "two")
_NAMES = ("INBOX", "Mine", "Public Folders/A", "Public Folders/B")


@attrs.define
class View:
    """
    What somebody knows of a folder who follows its changes.
    """

    modseq: int = 0
    messages: dict[int, set[str]] = attrs.field(factory=dict)


class RandomTests(EngineCase):
    """
    Long random sequences of requests.
    """

    def _known(self, store: Store, user: str, folder: int) -> dict[int, set[str]]:
        """
        The messages of a folder with their flags.
        """
        found: dict[int, set[str]] = {}
        for batch in self.all(store.fetch(user, folder, _EVERY, FetchSpec(flags=True))):
            for uid, mask in zip(uint32s(batch.uids), uint64s(batch.flags), strict=True):
                found[uid] = set(flagNames(mask, batch.keywords))
        return found

    def _follow(self, store: Store, user: str, folder: int, view: View) -> None:
        """
        Bring a view up to date.
        """
        reached = view.modseq
        for delta in self.all(store.changes(user, folder, view.modseq, False)):
            for uid in [uid for uid in view.messages if uid in delta.vanished]:
                del view.messages[uid]
            changed = delta.changed
            for uid, mask in zip(uint32s(changed.uids), uint64s(changed.flags), strict=True):
                view.messages[uid] = set(flagNames(mask, delta.keywords))
            self.assertGreaterEqual(delta.highest_modseq, reached)
            reached = delta.highest_modseq
        view.modseq = reached

    def _check(self, store: Store, path: str, user: str, name: str) -> dict[int, set[str]]:
        """
        Check the counts of a folder as a user sees it.
        """
        opened = self.now(store.openFolder(user, name, False))
        known = self._known(store, user, opened.folder)
        status = opened.status
        self.assertEqual(opened.uids, UidSet.of(known))
        self.assertEqual(status.messages, len(known))
        self.assertEqual(status.unseen, sum("\\Seen" not in each for each in known.values()))
        self.assertEqual(status.deleted, sum("\\Deleted" in each for each in known.values()))
        size, recent = self.rows(
            path,
            "SELECT coalesce(sum(size), 0), coalesce(sum(uid >= (SELECT first_recent FROM folders"
            f" WHERE id = {opened.folder})), 0) FROM messages WHERE folder = {opened.folder}",
        )[0]
        self.assertEqual((status.size, status.recent), (size, recent))
        first = next((uid for uid, flags in known.items() if "\\Seen" not in flags), 0)
        self.assertEqual(opened.first_unseen, first)
        return known

    def _step(self, store: Store, chance: random.Random, user: str) -> None:
        """
        Do something.
        """
        name = chance.choice(_NAMES)
        opened = self.now(store.openFolder(user, name, chance.random() < 0.2))
        last = opened.status.uid_next
        chosen = UidSet.of(chance.randrange(1, last + 1) for _ in range(chance.randrange(1, 12)))
        if chance.random() < 0.2:
            chosen = _EVERY
        flags = tuple(chance.sample(_FLAGS, chance.randrange(1, 3)))
        action = chance.randrange(10)
        if action < 2:
            contents = [mail(chance.randrange(50)) for _ in range(chance.randrange(1, 15))]
            self.append(store, user, name, *contents, flags=flags)
        elif action < 6:
            mode = chance.choice((FlagMode.ADD, FlagMode.ADD, FlagMode.REMOVE, FlagMode.REPLACE))
            self.now(store.storeFlags(user, opened.folder, chosen, mode, flags))
        elif action < 7:
            self.now(store.expunge(user, opened.folder, chosen))
        elif last < 1500:
            request = store.copy if action < 9 and chosen is not _EVERY else store.move
            self.now(request(user, opened.folder, chosen, chance.choice(_NAMES)))

    def _sequence(self, seed: int) -> None:
        """
        One sequence.
        """
        chance = random.Random(seed)
        path = self.path()
        # The low-water mark of what is seen moves often, and sees far or not.
        self.patch(seen, "_NOTHING", seen.SeenRow(compact_at=3))
        self.patch(seen, "_FEW", 3)
        self.patch(seen, "_NEAR", chance.choice((2, 5, 1000)))
        self.patch(seen, "_MANY", chance.choice((8, 8192)))
        limits = EngineLimits(
            batch_rows=7,
            max_tombstones=6,
            snapshot_cache=chance.choice((0, 5000, 1 << 20)),
            slice_rows=chance.choice((1, 3, 500)),
        )
        store = self.open(path, limits)
        self.users(store, "alice", "bob")
        self.now(store.setRights(SYSTEM, "Public Folders", "bob", "lrswite"))
        self.now(store.createFolder("alice", "Mine"))
        self.now(store.createFolder("bob", "Mine"))
        for name in ("A", "B"):
            self.now(store.createFolder("alice", f"Public Folders/{name}"))
        views: dict[tuple[str, str], View] = {}
        for _ in range(60):
            self._step(store, chance, chance.choice(("alice", "bob")))
            for _ in range(2):
                user, name = chance.choice(("alice", "bob")), chance.choice(_NAMES)
                known = self._check(store, path, user, name)
                view = views.setdefault((user, name), View())
                folder = self.now(store.status(user, name)).folder
                self._follow(store, user, folder, view)
                self.assertEqual(view.messages, known, f"seed {seed}")
        self.now(store.close())
        checker = Checker(path, RENDITIONS, 1, limits, writing=False)
        self.addCleanup(checker.close)
        checker.find()
        self.assertEqual(checker.report.findings, [], f"seed {seed}")

    def test_sequences(self) -> None:
        """
        Counts and changes are right after every step of some sequences.
        """
        for seed in range(6):
            self._sequence(seed)
