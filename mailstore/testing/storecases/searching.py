"""
Searching.
"""

from __future__ import annotations

from mailstore.errors import InvalidRequest, NoSuchFolder, StoreUnavailable
from mailstore.model import Criterion, FlagMode, NewMessage, SearchTerm, UidSet
from mailstore.testing.storecases.base import StoreCase, mail

_DAY = 86400

#: 2001-09-09, the day of second 1,000,000,000 in UTC.
_SEPTEMBER_9 = 730737

#: Messages, with the second and the zone of their arrival.
_MAILS = (
    (
        b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: =?utf-8?q?Caf=C3=A9_au_lait?=\n"
        b"Date: Sun, 9 Sep 2001 23:30:00 -0800\n\nPlain words\nwith A second LINE\n",
        1_000_000_000,
        0,
    ),
    (
        b"From: Bob <bob@example.org>\nSubject: Re: nothing\nX-Empty:\nDate: 8 Sep 2001 01:00:00 +0000\n"
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n"
        b"Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe aus K=F6ln, 100=\n% sicher\n",
        1_000_000_000 - _DAY,
        0,
    ),
    (
        b"From: carol@example.org\nSubject: base\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n"
        b"Content-Transfer-Encoding: base64\n\nPGI+aGlkZGVuIHRyZWFzdXJlPC9iPg==\n",
        # 01:46:40 UTC is the 8th to the west.
        1_000_000_000,
        -120,
    ),
    (b"no header at all\n" + b"x" * 5000, 1_000_000_000 + _DAY, 600),
)

#: A message with MIME headers of its parts, and a message within it.
_PARTS = (
    b"From: ann@example.org\nSubject: outer\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/mixed; boundary="cut"\n\npreamble\n'
    b"--cut\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n"
    b"Content-Description: =?utf-8?q?K=C3=B6der?=\n\nR3LDvMOfZSBhdXMgS8O2bG4K\n"
    b"--cut\nContent-Type: application/pdf; name=bill.pdf\n\nnot text\n"
    b"--cut\nContent-Type: message/rfc822\n\nFrom: carol@example.org\nSubject: inner\n\nsaid before\n"
    b"--cut--\nepilogue\n"
)


def _term(criterion: Criterion, text: str = "", number: int = 0, field: str = "") -> SearchTerm:
    return SearchTerm(criterion, text=text, number=number, field=field)


def _and(*terms: SearchTerm) -> SearchTerm:
    return SearchTerm(Criterion.AND, terms)


def _or(*terms: SearchTerm) -> SearchTerm:
    return SearchTerm(Criterion.OR, terms)


def _not(term: SearchTerm) -> SearchTerm:
    return SearchTerm(Criterion.NOT, (term,))


class SearchTests(StoreCase):
    """
    C{search}.
    """

    async def _searchFolder(self) -> None:
        """
        Make what these tests look at.
        """
        messages = tuple(NewMessage(content, (), date, zone) for content, date, zone in _MAILS)
        await self.store.append("alice", "INBOX", messages)
        self.folder = (await self.opened("alice", "INBOX")).folder

    async def _checkFound(self, *cases: tuple[SearchTerm, list[int]]) -> None:
        """
        Check what terms find, and that their negations find the rest.
        """
        for term, expected in cases:
            self.assertEqual(await self.found("alice", self.folder, term), expected, repr(term))
            rest = [uid for uid in (1, 2, 3, 4) if uid not in expected]
            self.assertEqual(await self.found("alice", self.folder, _not(term)), rest, repr(term))

    async def test_searchHeaders(self) -> None:
        """
        Header fields are decoded, and match without regard to case; with no text
        the field must be there.
        """
        await self._searchFolder()
        header = Criterion.HEADER
        await self._checkFound(
            (_term(header, "café AU", field="subject"), [1]),
            (_term(header, "CAFE\u0301", field="SUBJECT"), [1]),
            (_term(header, "example.org", field="From"), [1, 2, 3]),
            (_term(header, "bob", field="From"), [2]),
            (_term(header, "bob", field="To"), [1]),
            (_term(header, "bob", field="Cc"), []),
            (_term(header, "", field="x-empty"), [2]),
            (_term(header, "", field="X-Emp"), []),
            (_term(header, "", field="subject"), [1, 2, 3]),
            (_term(header, "utf-8?q", field="subject"), []),
        )

    async def test_searchBodies(self) -> None:
        """
        Bodies are decoded from their encoding and charset, and match without regard to case.
        """
        await self._searchFolder()
        body = Criterion.BODY
        await self._checkFound(
            (_term(body, "PLAIN WORDS"), [1]),
            (_term(body, "a second line"), [1]),
            (_term(body, "grüße aus köln"), [2]),
            (_term(body, "GRÜSSE"), [2]),
            (_term(body, "100% sicher"), [2]),
            (_term(body, "hidden treasure"), [3]),
            (_term(body, "PGI+aGlk"), []),
            (_term(body, "ann@example.org"), []),
        )

    async def test_searchTexts(self) -> None:
        """
        A text is looked for in header and body.
        """
        await self._searchFolder()
        text = Criterion.TEXT
        await self._checkFound(
            (_term(text, "café"), [1]),
            (_term(text, "treasure"), [3]),
            (_term(text, "BOB@"), [1, 2]),
            (_term(text, "carol@example.org"), [3]),
            (_term(text, "absent"), []),
        )

    async def test_searchParts(self) -> None:
        """
        The MIME headers of parts are found as text and not as body; a message within
        the message is body with its header (RFC 9051 section 6.4.4).  What a part is
        is decoded: neither its encoded form nor what is no text is found.
        """
        await self.store.append("alice", "INBOX", (NewMessage(_PARTS),))
        folder = (await self.opened("alice", "INBOX")).folder
        body, text, header = Criterion.BODY, Criterion.TEXT, Criterion.HEADER
        for term, found in (
            (_term(text, "köder"), True),
            (_term(text, "BILL.pdf"), True),
            (_term(text, "content-type: message/rfc822"), True),
            (_term(body, "köder"), False),
            (_term(body, "bill.pdf"), False),
            (_term(body, "message/rfc822"), False),
            (_term(header, "rfc822", field="Content-Type"), False),
            (_term(header, "", field="Content-Description"), False),
            (_term(header, "inner", field="Subject"), False),
            (_term(text, "subject: inner"), True),
            (_term(body, "subject: inner"), True),
            (_term(body, "outer"), False),
            (_term(body, "grüße aus"), True),
            (_term(text, "grüße aus"), True),
            (_term(body, "R3LDvMOf"), False),
            (_term(text, "R3LDvMOf"), False),
            (_term(body, "said before"), True),
            (_term(body, "not text"), False),
        ):
            self.assertEqual(await self.found("alice", folder, term), [1] if found else [], repr(term))

    async def test_searchDates(self) -> None:
        """
        Days are those of where the message arrived, or was sent.
        """
        await self._searchFolder()
        day, criterion = _SEPTEMBER_9, Criterion
        await self._checkFound(
            (_term(criterion.RECEIVED_ON, number=day), [1]),
            (_term(criterion.RECEIVED_ON, number=day - 1), [2, 3]),
            (_term(criterion.RECEIVED_ON, number=day + 1), [4]),
            (_term(criterion.RECEIVED_BEFORE, number=day), [2, 3]),
            (_term(criterion.RECEIVED_SINCE, number=day), [1, 4]),
            (_term(criterion.SENT_ON, number=day), [1]),
            (_term(criterion.SENT_BEFORE, number=day), [2]),
            (_term(criterion.SENT_SINCE, number=day), [1]),
            (_term(criterion.SENT_SINCE, number=day + 1), []),
        )

    async def test_searchSizes(self) -> None:
        """
        Sizes are of messages as they are served, and bounds are not included.
        """
        await self._searchFolder()
        size = len(_MAILS[3][0].replace(b"\n", b"\r\n"))
        await self._checkFound(
            (_term(Criterion.LARGER, number=size - 1), [4]),
            (_term(Criterion.LARGER, number=size), []),
            (_term(Criterion.SMALLER, number=size), [1, 2, 3]),
            (_term(Criterion.SMALLER, number=size + 1), [1, 2, 3, 4]),
        )

    async def test_searchFlags(self) -> None:
        """
        Flags and keywords are found by name in any case.
        """
        await self._searchFolder()
        await self.store.storeFlags("alice", self.folder, UidSet(((2, 3),)), FlagMode.ADD, ("\\Seen", "Word"))
        flag = Criterion.FLAG
        await self._checkFound(
            (_term(flag, "\\SEEN"), [2, 3]),
            (_term(flag, "word"), [2, 3]),
            (_term(flag, "\\Deleted"), []),
            (_term(flag, "unknown"), []),
        )

    async def test_searchUidsAndModseqs(self) -> None:
        """
        Messages are found by UID and by mod-sequence.
        """
        await self._searchFolder()
        result = await self.store.storeFlags(
            "alice", self.folder, UidSet(((3, 3),)), FlagMode.ADD, ("\\Seen",)
        )
        highest = (await self.opened("alice", "INBOX")).status.highest_modseq
        self.assertEqual(len(result.changed.uids), 4)
        await self._checkFound(
            (SearchTerm(Criterion.UID, uids=UidSet(((2, 3), (9, 9)))), [2, 3]),
            (SearchTerm(Criterion.UID, uids=UidSet()), []),
            (_term(Criterion.MODSEQ, number=highest), [3]),
            (_term(Criterion.MODSEQ, number=highest + 1), []),
            (_term(Criterion.MODSEQ, number=1), [1, 2, 3, 4]),
        )

    async def test_searchCombined(self) -> None:
        """
        Tests are combined, to any depth.
        """
        await self._searchFolder()
        ann = _term(Criterion.HEADER, "ann", field="from")
        bob = _term(Criterion.TEXT, "bob")
        large = _term(Criterion.LARGER, number=1000)
        everything = SearchTerm(Criterion.ALL)
        await self._checkFound(
            (everything, [1, 2, 3, 4]),
            (_and(), [1, 2, 3, 4]),
            (_or(), []),
            (_and(ann, bob), [1]),
            (_or(ann, large), [1, 4]),
            (_and(bob, _not(ann)), [2]),
            (_or(_and(bob, _not(ann)), _and(large, everything)), [2, 4]),
            (_not(_not(_or(ann, bob))), [1, 2]),
        )

    async def test_searchEmpty(self) -> None:
        """
        In an empty folder nothing is found.
        """
        await self._searchFolder()
        await self.store.createFolder("alice", "Empty")
        folder = (await self.opened("alice", "Empty")).folder
        self.assertEqual(await self.found("alice", folder, SearchTerm(Criterion.ALL)), [])

    async def test_searchOwnSeen(self) -> None:
        """
        In a public folder a user searches by his own C{\\Seen}.
        """
        await self._searchFolder()
        name = await self.public("P")
        folder = (await self.filled("alice", name, 3)).folder
        await self.store.storeFlags("bob", folder, UidSet(((2, 2),)), FlagMode.ADD, ("\\Seen",))
        seen = _term(Criterion.FLAG, "\\Seen")
        self.assertEqual(await self.found("bob", folder, seen), [2])
        self.assertEqual(await self.found("alice", folder, seen), [])

    async def test_searchBatches(self) -> None:
        """
        A big folder is searched in slices, some of which find nothing.
        """
        await self._searchFolder()
        await self.store.createFolder("alice", "Big")
        folder = (await self.filled("alice", "Big", 450)).folder
        for term, expected in (
            (_term(Criterion.HEADER, "number 44", field="subject"), [44, *range(440, 450)]),
            (SearchTerm(Criterion.UID, uids=UidSet(((3, 3), (449, 600)))), [3, 449, 450]),
            (SearchTerm(Criterion.ALL), list(range(1, 451))),
        ):
            batches = await self.all(self.store.search("alice", folder, term))
            self.assertGreater(len(batches), 3)
            self.assertEqual(await self.found("alice", folder, term), expected)

    async def test_searchLeftEarly(self) -> None:
        """
        A search can be left after any batch.
        """
        await self._searchFolder()
        await self.store.createFolder("alice", "Big")
        folder = (await self.filled("alice", "Big", 450)).folder
        answer = self.store.search("alice", folder, SearchTerm(Criterion.ALL))
        await answer.__anext__()
        await answer.aclose()
        self.assertEqual(len(await self.found("alice", folder, SearchTerm(Criterion.ALL))), 450)

    async def test_searchRefused(self) -> None:
        """
        What makes no sense, or is too complex, is refused.
        """
        await self._searchFolder()
        everything = SearchTerm(Criterion.ALL)
        deep = everything
        for _ in range(self.limits.max_search_depth):
            deep = _not(deep)
        for term in (
            SearchTerm(Criterion.NOT),
            SearchTerm(Criterion.NOT, (everything, everything)),
            SearchTerm(Criterion.UID),
            SearchTerm(Criterion.HEADER, text="x"),
            SearchTerm(Criterion.FLAG),
            SearchTerm(Criterion.ALL, (everything,)),
            deep,
            _and(*[everything] * self.limits.max_search_terms),
        ):
            await self.refusedAnswer(InvalidRequest, self.store.search("alice", self.folder, term))
        await self.refusedAnswer(NoSuchFolder, self.store.search("alice", 999_999, everything))
        self.assertEqual(await self.found("alice", self.folder, everything), [1, 2, 3, 4])


class CloseTests(StoreCase):
    """
    C{close}.
    """

    async def test_closed(self) -> None:
        """
        After it every request fails; closing again is nothing.
        """
        folder = (await self.filled("alice", "INBOX", 3)).folder
        tree = (await self.store.trees("alice"))[0]
        await self.store.close()
        await self.store.close()
        await self.refused(StoreUnavailable, self.store.status("alice", "INBOX"))
        await self.refused(StoreUnavailable, self.store.append("alice", "INBOX", (NewMessage(mail()),)))
        await self.refused(StoreUnavailable, self.store.upload("alice", "INBOX", 1))
        await self.refused(StoreUnavailable, self.store.credentials("alice"))
        await self.refusedAnswer(StoreUnavailable, self.store.folders("alice", tree))
        await self.refusedAnswer(
            StoreUnavailable, self.store.search("alice", folder, SearchTerm(Criterion.ALL))
        )
