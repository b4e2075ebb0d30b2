"""
Tests for L{mailstore.admin.importing}: how batches are made, and what is known of them before.
"""

from __future__ import annotations

import re
from typing import Any

from mailstore.admin import importing
from mailstore.admin.commands import complete
from mailstore.admin.importing import Importer
from mailstore.engine import Store
from mailstore.engine.limits import EngineLimits
from mailstore.model import NewMessage
from mailstore.stores import openStore
from tests.admin.commandcase import FROM, MAIL, CommandTestCase


class AheadTests(CommandTestCase):
    """
    Messages that are made elsewhere.
    """

    def _told(self, path: str, batch: int, **options: Any) -> list[str]:
        """
        Import with somebody who is told what is coming; what happened, in its order.
        """
        self.patch(importing, "_WORTHWHILE", 0)
        self.patch(importing, "_AHEAD", 1)
        events: list[str] = []
        store = openStore(self.url, EngineLimits())

        async def append(user: str, name: str, messages: tuple[NewMessage, ...]) -> object:
            events.append(f"store {name[-1]} {len(messages)}")
            return await Store.append(store, user, name, messages)

        self.patch(store, "append", append)
        importer = Importer(
            *(store, "Public Folders/T", 1 << 20, batch),
            expect=lambda each: events.append("expect"),
            **options,
        )
        try:
            complete(importer.run(importer.plan(path)))
        finally:
            complete(store.close())
        return events

    def test_ahead(self) -> None:
        """
        Who has messages made elsewhere hears of them a batch before they are stored, in their order.
        """
        self.put("tree/A.mbox", (FROM + MAIL + b"\n") * 5)
        self.put("tree/B.mbox", FROM + MAIL)
        tree = str(self.directory / "tree")
        told = self._told(tree, 2)
        early = ["expect"] * 4
        late = ["store A 2", "expect", "store A 2", "expect", "store A 1", "store B 1"]
        self.assertEqual(told, early + late)
        # What is there already is not made again.
        self.assertEqual(self._told(tree, 2, skip_existing=True), [])

    def test_aheadInBytes(self) -> None:
        """
        Large messages wait no longer than one batch, however few they are.
        """
        self.patch(importing, "BATCH_BYTES", 1000)
        self.put("A.mbox", (FROM + MAIL + b"x" * 600 + b"\n\n") * 4)
        told = self._told(str(self.directory / "A.mbox"), 500)
        self.assertEqual(told, ["expect", "expect", "store T 2"] * 2)

    def test_processes(self) -> None:
        """
        With more processes the same is stored, in the same order; a number that makes no sense is named.
        """
        self.patch(importing, "_WORTHWHILE", 0)
        path = self.put("box", b"".join(FROM + b"N: %d\n\n" % each for each in range(100)))
        self.run_("import", path, "Public Folders/Many", "--processes", "2")
        self.run_("export", "Public Folders/Many", str(self.directory / "out"), "--format", "mbox")
        exported = (self.directory / "out").read_bytes()
        numbers = [int(each) for each in re.findall(rb"^N: (\d+)", exported, re.MULTILINE)]
        self.assertEqual(numbers, list(range(100)))
        for number in ("0", "65", "-1", "two", "1" * 5000):
            _, errors = self.run_("import", path, "Public Folders/Many", f"--processes={number}", code=2)
            self.assertIn("is no number from 1 to 64", errors)
