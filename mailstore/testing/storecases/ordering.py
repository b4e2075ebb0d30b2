"""
Sorting and threading.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from mailstore.errors import InvalidRequest, NoSuchFolder
from mailstore.model import (
    Criterion,
    NewMessage,
    SearchTerm,
    SortField,
    SortKey,
    ThreadAlgorithm,
    UidSet,
    uint32s,
)
from mailstore.testing.storecases.base import StoreCase, mail

_ALL = SearchTerm(Criterion.ALL)

# From, To, Cc, Subject, Date, and the internal date.
_HEADS = (
    ("Zoe <zoe@a.org>", "bob@x", "", "Re: apples", "Mon, 3 Sep 2001 10:00:00 +0000", 1_000_000_005),
    ("ann@z.org", "Ann <ann@x>", "carl@x, dan@x", "Bananas", "Mon, 3 Sep 2001 11:30:00 +0200", 1_000_000_004),
    ('"B" <Bob@a.org>', "", "adam@x", "[list] Fwd: APPLES (fwd)", "nonsense", 1_000_000_003),
    ("", "zoe@x", "", "=?utf-8?q?=C3=84pfel?=", "Mon, 3 Sep 2001 10:00:00 +0100", 1_000_000_002),
)


def _head(*values: str, **more: str) -> bytes:
    names = ("From", "To", "Cc", "Subject", "Date")
    lines = [f"{name}: {value}\r\n" for name, value in zip(names, values, strict=False) if value]
    lines += [f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items()]
    return "".join(lines).encode() + b"\r\n"


class SortTests(StoreCase):
    """
    C{sort}.
    """

    async def _sortFolder(self) -> int:
        """
        A folder with four messages.
        """
        messages = []
        for at, (*values, date) in enumerate(_HEADS):
            messages.append(NewMessage(_head(*map(str, values)) + b"x" * at, (), int(date)))
        await self.store.append("alice", "INBOX", tuple(messages))
        return (await self.opened("alice", "INBOX")).folder

    async def _sorted(self, folder: int, *keys: SortKey, term: SearchTerm = _ALL) -> list[int]:
        """
        The UIDs in order.
        """
        batches = await self.all(self.store.sort("alice", folder, term, keys))
        return [uid for batch in batches for uid in uint32s(batch)]

    async def test_sortKeys(self) -> None:
        """
        Each key does what RFC 5256 section 3 says; what is equal stays in order, reversed too.
        """
        folder = await self._sortFolder()
        for field, order, backwards in (
            (SortField.ARRIVAL, [4, 3, 2, 1], [1, 2, 3, 4]),
            (SortField.SIZE, [4, 3, 1, 2], [2, 1, 3, 4]),
            (SortField.DATE, [4, 2, 1, 3], [3, 1, 2, 4]),
            (SortField.FROM, [4, 2, 3, 1], [1, 3, 2, 4]),
            (SortField.TO, [3, 2, 1, 4], [4, 1, 2, 3]),
            (SortField.CC, [1, 4, 3, 2], [2, 3, 1, 4]),
            (SortField.SUBJECT, [1, 3, 4, 2], [2, 4, 1, 3]),
        ):
            self.assertEqual(await self._sorted(folder, SortKey(field)), order, field)
            self.assertEqual(await self._sorted(folder, SortKey(field, True)), backwards, field)

    async def test_sortSeveral(self) -> None:
        """
        The first key that differs decides; only what is found is there.
        """
        folder = await self._sortFolder()
        subject, arrival = SortKey(SortField.SUBJECT), SortKey(SortField.ARRIVAL)
        self.assertEqual(await self._sorted(folder, subject, arrival), [3, 1, 4, 2])
        self.assertEqual(await self._sorted(folder, subject, SortKey(SortField.ARRIVAL, True)), [1, 3, 4, 2])
        self.assertEqual(
            await self._sorted(folder, subject, arrival, SortKey(SortField.SUBJECT, True)), [3, 1, 4, 2]
        )
        some = SearchTerm(Criterion.UID, uids=UidSet(((1, 1), (3, 4), (9, 9))))
        self.assertEqual(await self._sorted(folder, subject, arrival, term=some), [3, 1, 4])

    async def test_sortMany(self) -> None:
        """
        Those of many messages come in several batches.
        """
        opened = await self.filled("alice", "INBOX", 1500)
        answer = self.store.sort(
            "alice", opened.folder, _ALL, (SortKey(SortField.ARRIVAL, True), SortKey(SortField.SUBJECT))
        )
        batches = await self.all(answer)
        found = [uid for batch in batches for uid in uint32s(batch)]
        self.assertEqual(found, sorted(range(1, 1501), key=lambda uid: f"NUMBER {uid}"))
        self.assertLessEqual(max(map(len, batches)), self.limits.batch_bytes)

    async def test_sortRefused(self) -> None:
        """
        Without keys, with a term that makes no sense, or in no folder, nothing is sorted.
        """
        folder = await self._sortFolder()
        key = SortKey(SortField.DATE)
        sort = self.store.sort
        await self.refusedAnswer(InvalidRequest, sort("alice", folder, _ALL, ()))
        await self.refusedAnswer(InvalidRequest, sort("alice", folder, _ALL, (key,) * 50))
        nothing = SearchTerm(Criterion.NOT)
        await self.refusedAnswer(InvalidRequest, sort("alice", folder, nothing, (key,)))
        await self.refusedAnswer(NoSuchFolder, sort("alice", 999_999, _ALL, (key,)))

    async def test_sortLeftEarly(self) -> None:
        """
        A sort can be left while it looks, and the next request is answered.
        """
        opened = await self.filled("alice", "INBOX", 500)
        answers: tuple[AsyncGenerator[Any, None], ...] = (
            self.store.sort("alice", opened.folder, _ALL, (SortKey(SortField.DATE),)),
            self.store.threads("alice", opened.folder, _ALL, ThreadAlgorithm.REFERENCES),
        )
        for answer in answers:
            await answer.__anext__()
            await answer.aclose()
        self.assertEqual(len(await self._sorted(opened.folder, SortKey(SortField.DATE))), 500)


class ThreadTests(StoreCase):
    """
    C{threads}.
    """

    async def _threads(self, folder: int, algorithm: ThreadAlgorithm, term: SearchTerm = _ALL) -> str:
        """
        The trees: each message with those below it in parentheses, C{-} for one that is not there.
        """
        text: list[str] = []
        last = -1
        for batch in await self.all(self.store.threads("alice", folder, term, algorithm)):
            for uid, depth in zip(uint32s(batch.uids), uint32s(batch.depths), strict=True):
                self.assertLessEqual(depth, last + 1)
                text.append(")" * (last - depth + 1) + "(" + str(uid or "-"))
                last = depth
        return "".join(text) + ")" * (last + 1)

    async def _threadFolder(self, *messages: dict[str, str]) -> int:
        """
        A folder with messages, each a minute later than the one before unless it has a date.
        """
        new = []
        for at, fields in enumerate(messages):
            new.append(NewMessage(_head(**fields), (), 1_000_000_000 + 60 * at))
        await self.store.append("alice", "INBOX", tuple(new))
        return (await self.opened("alice", "INBOX")).folder

    async def test_threadsOrderedSubject(self) -> None:
        """
        What has one subject is one thread of one level, in the order of their dates.
        """
        late = "Mon, 3 Sep 2035 10:00:00 +0000"
        folder = await self._threadFolder(
            {"Subject": "b", "Date": late},
            {"Subject": "a"},
            {"Subject": "Re: B"},
            {"Subject": "re: a"},
            {"Subject": "Fwd: b"},
            {"Subject": "c"},
        )
        self.assertEqual(await self._threads(folder, ThreadAlgorithm.ORDEREDSUBJECT), "(2(4))(3(5)(1))(6)")

    async def test_threadsReferences(self) -> None:
        """
        Answers are below what they answer, siblings in the order of their dates.
        """
        folder = await self._threadFolder(
            {"Message_ID": "<c@x>", "References": "<a@x> <b@x>", "Subject": "Re: one"},
            {"Message_ID": "<a@x>", "Subject": "one"},
            {"Message_ID": "<b@x>", "In_Reply_To": "<a@x>", "Subject": "Re: one"},
            {"Message_ID": "<d@x>", "In_Reply_To": "<a@x>", "Subject": "quite different"},
            {"Message_ID": "<e@x>", "Subject": "alone"},
            {"Subject": "no identifier"},
        )
        self.assertEqual(await self._threads(folder, ThreadAlgorithm.REFERENCES), "(2(3(1))(4))(5)(6)")
        some = SearchTerm(Criterion.UID, uids=UidSet(((1, 1), (3, 5))))
        self.assertEqual(await self._threads(folder, ThreadAlgorithm.REFERENCES, some), "(-(3(1))(4))(5)")

    async def test_threadsDummies(self) -> None:
        """
        A message that is not there stands at the top only, and only above several.
        """
        folder = await self._threadFolder(
            {"Message_ID": "<1@x>", "References": "<gone@x> <also@x>", "Subject": "a"},
            {"Message_ID": "<2@x>", "References": "<gone@x> <other@x>", "Subject": "b"},
            {"Message_ID": "<3@x>", "References": "<single@x>", "Subject": "c"},
            {"Message_ID": "<4@x>", "References": "<1@x> <between@x>", "Subject": "d"},
        )
        self.assertEqual(await self._threads(folder, ThreadAlgorithm.REFERENCES), "(-(1(4))(2))(3)")

    async def test_threadsSubjects(self) -> None:
        """
        Threads with the same subject become one (RFC 5256 section 3, step 5).
        """
        for subjects, expected in (
            (("a", "Re: a", "a"), "(-(1(2))(3))"),
            (("Re: a", "a"), "(2(1))"),
            (("Re: a", "Re: a"), "(-(1)(2))"),
            (("a", "a", "a"), "(-(1)(2)(3))"),
            (("", ""), "(1)(2)"),
        ):
            await self.store.createFolder("alice", "Box")
            new = tuple(
                NewMessage(_head(Subject=subject, X=str(at)), (), 1_000_000_000 + at)
                for at, subject in enumerate(subjects)
            )
            await self.store.append("alice", "Box", new)
            folder = (await self.opened("alice", "Box")).folder
            self.assertEqual(await self._threads(folder, ThreadAlgorithm.REFERENCES), expected, subjects)
            await self.store.deleteFolder("alice", "Box")

    async def test_threadsMergedDummies(self) -> None:
        """
        Threads without their first message become one by the subject of their first answers.
        """
        folder = await self._threadFolder(
            {"Message_ID": "<1@x>", "References": "<gone@x>", "Subject": "a"},
            {"Message_ID": "<2@x>", "References": "<gone@x>", "Subject": "b"},
            {"Message_ID": "<3@x>", "References": "<lost@x>", "Subject": "Re: a"},
            {"Message_ID": "<4@x>", "References": "<lost@x>", "Subject": "c"},
            {"Message_ID": "<5@x>", "Subject": "a"},
        )
        self.assertEqual(await self._threads(folder, ThreadAlgorithm.REFERENCES), "(-(1)(2)(3)(4)(5))")

    async def test_threadsLoops(self) -> None:
        """
        Messages that answer one another in a circle, themselves, or have the same
        identifier are each there once.
        """
        folder = await self._threadFolder(
            {"Message_ID": "<1@x>", "References": "<2@x>", "Subject": "a"},
            {"Message_ID": "<2@x>", "References": "<3@x>", "Subject": "b"},
            {"Message_ID": "<3@x>", "References": "<1@x>", "Subject": "c"},
            {"Message_ID": "<4@x>", "References": "<4@x>", "Subject": "d"},
            {"Message_ID": "<4@x>", "Subject": "e"},
        )
        self.assertEqual(await self._threads(folder, ThreadAlgorithm.REFERENCES), "(3(2(1)))(4)(5)")

    async def test_threadsLong(self) -> None:
        """
        A chain of 1,500 answers is no deeper than it is, and comes in several batches.
        """
        messages = [mail(0)]
        for at in range(1500):
            messages.append(_head(Message_ID=f"<{at}@x>", In_Reply_To=f"<{at - 1}@x>", Subject=str(at)))
        for start in range(0, len(messages), 500):
            await self.append("alice", "INBOX", *messages[start : start + 500])
        folder = (await self.opened("alice", "INBOX")).folder
        answer = self.store.threads("alice", folder, _ALL, ThreadAlgorithm.REFERENCES)
        batches = await self.all(answer)
        depths = [depth for batch in batches for depth in uint32s(batch.depths)]
        self.assertEqual(sorted(depths), [0, *range(1500)])
        self.assertLessEqual(max(len(each.uids) for each in batches), self.limits.batch_bytes)

    async def test_threadsRefused(self) -> None:
        """
        A term that makes no sense, or no folder, is refused.
        """
        folder = (await self.opened("alice", "INBOX")).folder
        for algorithm in ThreadAlgorithm:
            self.assertEqual(await self._threads(folder, algorithm), "")
            nothing = SearchTerm(Criterion.NOT)
            await self.refusedAnswer(InvalidRequest, self.store.threads("alice", folder, nothing, algorithm))
            await self.refusedAnswer(NoSuchFolder, self.store.threads("alice", 999_999, _ALL, algorithm))
