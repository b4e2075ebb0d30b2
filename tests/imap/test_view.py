"""
Tests of L{mailstore.imap.view}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.command import Bad, Refused
from mailstore.imap.view import View, ViewChanges
from mailstore.imap.wire.values import STAR, SequenceSet
from mailstore.model import (
    FLAGGED,
    KEYWORD_BIT,
    MAX_KEYWORDS,
    SEEN,
    FlagColumns,
    FolderDelta,
    FolderStatus,
    OpenFolder,
    UidSet,
    uint32s,
    uint64s,
)


def makeView(
    *uids: int,
    recent: int = 0,
    rights: str = "lrswipkxtea",
    keywords: tuple[str, ...] = (),
    read_only: bool = False,
) -> View:
    """
    A view of a folder with these messages, at mod-sequence 10.
    """
    status = FolderStatus(7, len(uids), 0, 0, 0, 0, 100, 4242, 10)
    opened = OpenFolder(7, "Box", rights, status, keywords, UidSet.of(uids), recent, 0)
    return View(opened, read_only)


def columns(*rows: tuple[int, int, int]) -> FlagColumns:
    """
    UIDs, flags and mod-sequences.
    """
    return FlagColumns(
        uint32s(row[0] for row in rows).tobytes(),
        uint64s(row[1] for row in rows).tobytes(),
        uint64s(row[2] for row in rows).tobytes(),
    )


def delta(
    *rows: tuple[int, int, int],
    vanished: tuple[int, ...] = (),
    keywords: tuple[str, ...] = (),
    recent: int = 0,
    modseq: int = 20,
) -> FolderDelta:
    """
    A batch of changes.
    """
    return FolderDelta(modseq, UidSet.of(vanished), columns(*rows), keywords, recent)


def fetched(changes: ViewChanges) -> list[tuple[int, int, int]]:
    """
    What FETCH responses would say: number, UID and flags.
    """
    return list(zip(changes.sequences, changes.uids, changes.flags, strict=True))


class ApplyTests(SynchronousTestCase):
    """
    A batch of changes becomes what a client is told.
    """

    def test_nothing(self) -> None:
        """
        No change, nothing to tell.
        """
        view = makeView(1, 2)
        changes = view.apply(view.nothingNew(), True)
        self.assertEqual((list(changes.expunged), changes.exists, changes.recent), ([], None, None))
        self.assertFalse(changes.keywords)
        self.assertEqual(fetched(changes), [])

    def test_newMessages(self) -> None:
        """
        New messages are told as EXISTS and RECENT, not by their flags.
        """
        view = makeView(1, 2)
        changes = view.apply(delta((3, SEEN, 20), (5, 0, 20), recent=5), True)
        self.assertEqual((changes.exists, changes.recent), (4, 1))
        self.assertEqual(fetched(changes), [])
        self.assertTrue(view.isRecent(5))
        self.assertFalse(view.isRecent(3))

    def test_changedFlags(self) -> None:
        """
        Changed flags are told with the numbers that hold after the expunges.
        """
        view = makeView(1, 2, 3)
        changes = view.apply(delta((3, FLAGGED, 20), vanished=(1,)), True)
        self.assertEqual(list(changes.expunged), [1])
        self.assertEqual(fetched(changes), [(2, 3, FLAGGED)])

    def test_expungeHeldBack(self) -> None:
        """
        While it may not be told, a vanished message keeps its number; EXISTS
        never shrinks; later it is told, once.
        """
        view = makeView(1, 2, 3)
        changes = view.apply(delta((4, 0, 20), (3, SEEN, 20), vanished=(2,)), False)
        self.assertEqual(list(changes.expunged), [])
        self.assertEqual(changes.exists, 4)
        self.assertEqual(fetched(changes), [(3, 3, SEEN)])
        self.assertEqual(list(view.vanished), [2])
        later = view.apply(view.nothingNew(), True)
        self.assertEqual(list(later.expunged), [2])
        self.assertIsNone(later.exists)
        self.assertEqual(list(view.apply(view.nothingNew(), True).expunged), [])

    def test_twice(self) -> None:
        """
        Applying a batch again adds nothing and removes nothing.
        """
        view = makeView(1, 2)
        batch = delta((3, 0, 20), vanished=(1,))
        view.apply(batch, True)
        again = view.apply(batch, True)
        self.assertEqual((list(again.expunged), again.exists, len(view)), ([], None, 2))

    def test_cameAndWent(self) -> None:
        """
        A message that the client never knew is not told of at all.
        """
        view = makeView(1)
        changes = view.apply(delta((2, 0, 20), vanished=(2, 3)), True)
        self.assertEqual((list(changes.expunged), changes.exists), ([], None))

    def test_unknownChanged(self) -> None:
        """
        A change of a message that was expunged before the client could know is
        passed over.
        """
        view = makeView(1, 5)
        self.assertEqual(fetched(view.apply(delta((3, SEEN, 20), (5, SEEN, 20)), True)), [(2, 5, SEEN)])

    def test_ownChanges(self) -> None:
        """
        What the client did itself is not told again; what another did later is.
        """
        view = makeView(1, 2, 3)
        view.noteOwnChanges(columns((1, SEEN, 15), (2, SEEN, 15)))
        changes = view.apply(delta((1, SEEN, 15), (2, 0, 16), (3, SEEN, 15)), True)
        self.assertEqual(fetched(changes), [(2, 2, 0), (3, 3, SEEN)])

    def test_ownChangesForgotten(self) -> None:
        """
        Own changes are remembered only until the view has passed them.
        """
        view = makeView(1)
        view.noteOwnChanges(columns((1, SEEN, 15)))
        view.applied(15)
        self.assertEqual(view.known_modseq, 15)
        self.assertEqual(fetched(view.apply(delta((1, 0, 15)), True)), [(1, 1, 0)])

    def test_recentExpunged(self) -> None:
        """
        An expunged recent message is recent no more.
        """
        view = makeView(1, 2, 3, recent=2)
        self.assertEqual(view.recent, 2)
        self.assertEqual(view.apply(delta(vanished=(3,)), True).recent, 1)

    def test_keywords(self) -> None:
        """
        New keywords are told once, and can be rendered at once.
        """
        view = makeView(1)
        mask = 1 << KEYWORD_BIT
        self.assertTrue(view.apply(delta((1, mask, 20), keywords=("work",)), True).keywords)
        self.assertEqual(view.flagText(1, mask), b"(work)")
        self.assertFalse(view.apply(delta(keywords=("work",)), True).keywords)


class NumbersTests(SynchronousTestCase):
    """
    What a client means by a set of numbers.
    """

    def uids(self, view: View, by_uid: bool, *ranges: tuple[int, int]) -> list[int]:
        """
        The messages meant.
        """
        return list(view.uidsOf(SequenceSet(ranges), by_uid))

    def test_sequences(self) -> None:
        """
        Sequence numbers count the view's messages; C{*} is the last; a range
        may be written backwards and overlap others.
        """
        view = makeView(10, 20, 30, 40)
        self.assertEqual(self.uids(view, False, (2, 3)), [20, 30])
        self.assertEqual(self.uids(view, False, (STAR, 3), (4, 4), (1, 1)), [10, 30, 40])
        self.assertEqual(self.uids(view, False, (1, STAR)), [10, 20, 30, 40])
        self.assertEqual(self.uids(view, False, (STAR, STAR)), [40])

    def test_noSuchSequence(self) -> None:
        """
        A number that no message has is no command (RFC 9051 section 9, seq-number).
        """
        view = makeView(10, 20)
        for ranges in ((3, 3), (1, 3), (3, STAR)):
            with self.assertRaises(Refused) as caught:
                self.uids(view, False, ranges)
            self.assertIsInstance(caught.exception.reply, Bad)

    def test_empty(self) -> None:
        """
        In an empty folder C{1:*} means nothing; every other number is wrong.
        """
        self.assertEqual(self.uids(makeView(), False, (1, STAR)), [])
        self.assertRaises(Refused, self.uids, makeView(), False, (STAR, STAR))
        self.assertRaises(Refused, self.uids, makeView(), False, (1, 1))
        self.assertEqual(self.uids(makeView(), True, (1, STAR)), [])
        self.assertEqual(self.uids(makeView(), True, (STAR, STAR)), [])

    def test_byUid(self) -> None:
        """
        UIDs of no message are passed over; C{n:*} has the last message for every n.
        """
        view = makeView(10, 20, 30)
        self.assertEqual(self.uids(view, True, (15, 0xFFFFFFFF)), [20, 30])
        self.assertEqual(self.uids(view, True, (99, STAR)), [30])
        self.assertEqual(self.uids(view, True, (11, 19)), [])

    def test_vanishedKeepsNumber(self) -> None:
        """
        A vanished message that the client was not told of still has its number.
        """
        view = makeView(10, 20, 30)
        view.apply(delta(vanished=(10,)), False)
        self.assertEqual(self.uids(view, False, (3, 3)), [30])


class FlagsTests(SynchronousTestCase):
    """
    The flags of a view.
    """

    def test_text(self) -> None:
        """
        A message's flags are rendered with its own C{\\Recent}.
        """
        view = makeView(1, 2, recent=2, keywords=("a", "b"))
        self.assertEqual(view.flagText(1, SEEN | 2 << KEYWORD_BIT), b"(\\Seen b)")
        self.assertEqual(view.flagText(2, SEEN | 2 << KEYWORD_BIT), b"(\\Seen b \\Recent)")
        self.assertEqual(view.flagText(1, 0), b"()")

    def test_permanentByRights(self) -> None:
        """
        PERMANENTFLAGS are those that the rights let the user change (RFC 4314).
        """
        for rights, flags in (
            ("lr", ()),
            ("lrs", ("\\Seen",)),
            ("lrt", ("\\Deleted",)),
            ("lrw", ("\\Answered", "\\Flagged", "\\Draft", "work", "\\*")),
        ):
            self.assertEqual(makeView(rights=rights, keywords=("work",)).permanentFlags(), flags)

    def test_permanentReadOnly(self) -> None:
        """
        After EXAMINE no flag can be changed.
        """
        self.assertEqual(makeView(read_only=True).permanentFlags(), ())

    def test_allKeywordsTaken(self) -> None:
        """
        Where there are as many keywords as can be, others are invited all the same: they may take the
        place of one that no message has.
        """
        keywords = tuple(f"k{each}" for each in range(MAX_KEYWORDS))
        self.assertEqual(makeView(keywords=keywords).permanentFlags()[-1], "\\*")

    def test_keywordsReplaced(self) -> None:
        """
        When another keyword has taken the place of one, the client is told of the flags there are now.
        """
        view = makeView(keywords=("one", "two"))
        self.assertEqual(view.flagText(1, 2 << KEYWORD_BIT), b"(two)")
        self.assertFalse(view.learnKeywords(("one", "two")))
        self.assertTrue(view.learnKeywords(("one", "three")))
        self.assertEqual(view.flagText(1, 2 << KEYWORD_BIT), b"(three)")
        self.assertEqual(view.allFlags()[-2:], ("one", "three"))
