"""
Tests of L{mailstore.imap.folderlist}.
"""

from __future__ import annotations

from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StaleListing, StoreUnavailable
from mailstore.imap import folderlist
from mailstore.imap.folderlist import FolderLists, Rows
from mailstore.imap.limits import ImapLimits
from mailstore.imap.patterns import Pattern
from mailstore.imap.protocol import ReactorRuntime
from mailstore.imap.wire import writer
from mailstore.interfaces import IStore
from tests.imap.support import FakeStore


class FolderListsTests(SynchronousTestCase):
    """
    Lists are read once and shared.
    """

    def setUp(self) -> None:
        """
        A store with some folders.
        """
        self.clock = Clock()
        self.store = FakeStore()
        for name in ("Sent", "Public Folders/a", "Public Folders/b/c"):
            self.store.make(name)
        self.use(ImapLimits())

    def use(self, limits: ImapLimits) -> None:
        """
        Begin with nothing kept.
        """
        self.lists = FolderLists(cast(IStore, self.store), ReactorRuntime(self.clock), limits)

    def ask(self, text: str = "*", user: str = "alice", utf8: bool = False) -> Deferred[bytes]:
        """
        Ask for the answer to a pattern.
        """

        async def answer() -> bytes:
            return b"".join(await self.lists.answer(user, Pattern("", text), utf8))

        asked = Deferred.fromCoroutine(answer())
        while self.clock.getDelayedCalls():
            self.clock.advance(0)
        return asked

    def test_secondClientCopies(self) -> None:
        """
        Who asks after another is given the same bytes, without a word to the
        store but for the versions.
        """
        first = self.successResultOf(self.ask())
        enumerations = self.lists.enumerations
        self.store.calls.clear()
        second = self.successResultOf(self.ask(user="bob"))
        self.assertEqual(first, second)
        self.assertEqual(self.lists.enumerations, enumerations)
        self.assertEqual(self.store.calls, ["trees"])

    def test_renderedOnceForAllWhoWait(self) -> None:
        """
        Many who ask for a long list at the same time wait for one rendering of it.
        """
        count = folderlist._SLICE + 10
        for number in range(count):
            self.store.make(f"Public Folders/n{number:05}")
        rendered: list[str] = []

        class Counting:
            """
            Counts the names that are rendered.
            """

            @staticmethod
            def mailbox(name: str, utf8: bool) -> bytes:
                rendered.append(name)
                return writer.mailbox(name, utf8)

        self.patch(folderlist, "writer", Counting)

        async def answer(user: str) -> bytes:
            return b"".join(await self.lists.answer(user, Pattern("", "Public Folders/n*"), False))

        asked = [Deferred.fromCoroutine(answer(f"user{each}")) for each in range(20)]
        while self.clock.getDelayedCalls():
            self.clock.advance(0)
        (only,) = {self.successResultOf(each) for each in asked}
        self.assertEqual(only.count(b"* LIST"), count)
        self.assertEqual(len(rendered), count)

    def test_rows(self) -> None:
        """
        Folders one by one are rendered once as well, and stand beside the other answer to the same pattern.
        """
        self.store.make("Public Folders/Sales")
        whole = self.successResultOf(self.ask("Public Folders*"))

        async def rows(user: str) -> list[Rows]:
            return await self.lists.rows(user, [Pattern("", "Public Folders*")], False)

        first = self.successResultOf(Deferred.fromCoroutine(rows("alice")))
        second = self.successResultOf(Deferred.fromCoroutine(rows("bob")))
        for one, other in zip(first, second, strict=True):
            self.assertIs(one, other)
        self.assertEqual(b"".join(line for each in first for line in each.lines), whole)
        found = [
            (name, written, identity)
            for each in first
            for name, written, identity in zip(each.names, each.written, each.ids, strict=True)
        ]
        sales = self.store.named["Public Folders/Sales"].identity
        self.assertIn(("Public Folders", b'"Public Folders"', 0), found)
        self.assertIn(("Public Folders/Sales", b'"Public Folders/Sales"', sales), found)
        self.assertGreater(self.lists.cost, sum(map(len, first[-1].lines)))

    def test_singleFlight(self) -> None:
        """
        Many who ask at the same time start one enumeration of each tree.
        """
        gate = self.store.gates["folders"] = Deferred()
        asked = [self.ask(user=f"user{each}") for each in range(20)]
        for each in asked:
            self.assertNoResult(each)
        self.store.gates.clear()
        gate.callback(None)
        self.assertEqual(len({self.successResultOf(each) for each in asked}), 1)
        self.assertEqual(self.lists.enumerations, 3)

    def test_failureIsShared(self) -> None:
        """
        When the enumeration fails all who wait are told, and the next begins anew.
        """
        gate = self.store.gates["folders"] = Deferred()
        asked = [self.ask(), self.ask()]
        self.store.failures["folders"] = StoreUnavailable("gone")
        self.store.gates.clear()
        gate.callback(None)
        for each in asked:
            self.failureResultOf(each, StoreUnavailable)
        self.store.failures.clear()
        self.successResultOf(self.ask())

    def test_changedWhileRead(self) -> None:
        """
        A tree that changes while it is read is read again.
        """
        gate = self.store.gates["folders"] = Deferred()
        asked = self.ask()
        self.store.make("Late")
        self.store.gates.clear()
        gate.callback(None)
        self.assertIn(b"Late", self.successResultOf(asked))

    def test_changingAllTheTime(self) -> None:
        """
        Not for ever.
        """
        self.store.failures["folders"] = StaleListing("changed")
        self.failureResultOf(self.ask(), StaleListing)
        self.assertEqual(self.store.calls.count("trees"), 5)

    def test_newVersion(self) -> None:
        """
        After a change the list is another.
        """
        self.successResultOf(self.ask())
        self.store.make("New")
        self.assertIn(b"New", self.successResultOf(self.ask()))

    def test_boundedLists(self) -> None:
        """
        No more lists are kept than the bound, and what is not kept costs nothing.
        """
        self.use(ImapLimits(max_folder_lists=2))
        self.successResultOf(self.ask())
        self.successResultOf(self.ask())
        self.assertGreater(self.lists.enumerations, 3)
        self.assertLess(self.lists.cost, 3000)

    def test_boundedAnswers(self) -> None:
        """
        No more answers are kept with a list than the bound.
        """
        self.use(ImapLimits(max_answers=2))
        self.successResultOf(self.ask("a*"))
        self.successResultOf(self.ask("b*"))
        cost = self.lists.cost
        for each in range(20):
            self.successResultOf(self.ask(f"{each % 10}*"))
        self.assertLessEqual(self.lists.cost, cost)

    def test_boundedBytes(self) -> None:
        """
        What is kept stays under its bound in bytes; a list that is bigger
        than that is answered from, and not kept.
        """
        for each in range(2500):
            self.store.make(f"Public Folders/{'x' * 240}{each}")
        self.use(ImapLimits(max_folder_list_bytes=1 << 20))
        answer = self.successResultOf(self.ask("*"))
        self.assertEqual(answer.count(b"\r\n"), 2500 + 6)
        for pattern in ("*", "P*", "*x*"):
            self.successResultOf(self.ask(pattern))
            self.assertLessEqual(self.lists.cost, 1 << 20)

    def test_pieces(self) -> None:
        """
        A long answer comes in pieces of about the size of a write.
        """
        for each in range(500):
            self.store.make(f"Public Folders/many/{each}")
        self.use(ImapLimits(max_write=1024))

        async def pieces() -> list[bytes]:
            return list(await self.lists.answer("alice", Pattern("", "*"), False))

        made = self.successResultOf(Deferred.fromCoroutine(pieces()))
        self.assertGreater(len(made), 20)
        self.assertLess(max(map(len, made)), 1024 + 200)

    def test_encodings(self) -> None:
        """
        Names are in modified UTF-7, or in UTF-8 for those who enabled that.
        """
        self.store.make("Entwürfe")
        self.assertIn(b"Entw&APw-rfe", self.successResultOf(self.ask()))
        self.assertIn("Entwürfe".encode(), self.successResultOf(self.ask(utf8=True)))
