"""
Tests of L{mailstore.imap.searching}, of what the commands' tests cannot time, and of C{$} in a view.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.searching import asksForModSequence, searchTerm
from mailstore.imap.view import View
from mailstore.imap.wire.values import SearchKey, SearchKind, SequenceSet
from mailstore.model import (
    Criterion,
    FlagColumns,
    FolderDelta,
    FolderStatus,
    OpenFolder,
    SearchTerm,
    UidSet,
)

_SAVED = SequenceSet((), saved=True)


def makeView(*uids: int) -> View:
    """
    A view of a folder with these messages.
    """
    status = FolderStatus(7, len(uids), 0, 0, 0, 0, 100, 4242, 10)
    return View(OpenFolder(7, "Box", "lr", status, (), UidSet.of(uids), 0, 0), False)


def vanished(*uids: int) -> FolderDelta:
    """
    These messages are gone.
    """
    return FolderDelta(20, UidSet.of(uids), FlagColumns(), ())


class TermTests(SynchronousTestCase):
    """
    Terms for the store.
    """

    def test_ages(self) -> None:
        """
        OLDER and YOUNGER both take in who is exactly as old (RFC 5032 section 2); nothing is
        before the beginning of time.
        """
        view = makeView(1)
        for kind, age, term in (
            (SearchKind.OLDER, 10, SearchTerm(Criterion.ARRIVED_BEFORE, number=991)),
            (SearchKind.YOUNGER, 10, SearchTerm(Criterion.ARRIVED_SINCE, number=990)),
            (SearchKind.OLDER, 5_000, SearchTerm(Criterion.ARRIVED_BEFORE, number=0)),
            (SearchKind.YOUNGER, 5_000, SearchTerm(Criterion.ARRIVED_SINCE, number=0)),
        ):
            self.assertEqual(searchTerm(view, SearchKey(kind, number=age), 1_000), term)

    def test_everyKind(self) -> None:
        """
        There is a term for every test that the wire knows.
        """
        view = makeView(1, 2)
        flag = SearchKey(SearchKind.FLAG, text="\\Seen")
        for kind in SearchKind:
            keys = {SearchKind.NOT: (flag,), SearchKind.AND: (flag, flag), SearchKind.OR: (flag, flag)}
            key = SearchKey(kind, keys.get(kind, ()), _SAVED, "text", "field", 1)
            self.assertIsInstance(searchTerm(view, key, 1_000), SearchTerm)

    def test_modSequence(self) -> None:
        """
        One mod-sequence is kept for all flags of a message, so the flag that is meant does not matter;
        C{MODSEQ} is seen wherever it stands.
        """
        key = SearchKey(SearchKind.MODSEQ, text="\\Seen", field="all", number=12)
        self.assertEqual(searchTerm(makeView(1), key, 0), SearchTerm(Criterion.MODSEQ, number=12))
        other = SearchKey(SearchKind.ALL)
        nested = SearchKey(SearchKind.OR, keys=(other, SearchKey(SearchKind.NOT, keys=(key,))))
        self.assertTrue(asksForModSequence(nested))
        self.assertFalse(asksForModSequence(other))


class SavedTests(SynchronousTestCase):
    """
    C{$}, as the view keeps it.
    """

    def test_save(self) -> None:
        """
        It is what was saved last, of the messages in the view, by number and by UID; at first none.
        """
        view = makeView(1, 3, 4)
        self.assertEqual(view.uidsOf(_SAVED, False), UidSet())
        view.save(UidSet.of((1, 4, 9)))
        for by_uid in (False, True):
            self.assertEqual(view.uidsOf(_SAVED, by_uid), UidSet.of((1, 4)))
        view.save(UidSet.of((3,)))
        self.assertEqual(view.uidsOf(_SAVED, True), UidSet.of((3,)))
        self.assertEqual(makeView().uidsOf(_SAVED, False), UidSet())

    def test_expunged(self) -> None:
        """
        A message stays in it until the client has been told that it is gone.
        """
        view = makeView(1, 3, 4)
        view.save(UidSet.of((1, 4)))
        view.apply(vanished(1), False)
        self.assertEqual(view.uidsOf(_SAVED, True), UidSet.of((1, 4)))
        view.apply(view.nothingNew(), True)
        self.assertEqual(view.uidsOf(_SAVED, True), UidSet.of((4,)))
        view.apply(vanished(3, 4), True)
        self.assertEqual(view.uidsOf(_SAVED, False), UidSet())
