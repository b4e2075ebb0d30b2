"""
Mail from outside.
"""

from __future__ import annotations

from mailstore.errors import (
    AddressInUse,
    InvalidName,
    InvalidRequest,
    LimitReached,
    MessageTooBig,
    NoSuchAddress,
    NoSuchFolder,
    NotSelectable,
    OverQuota,
    PermissionDenied,
)
from mailstore.model import ALL_RIGHTS, ANYONE, MESSAGE, STORAGE, SYSTEM, Delivered, FetchSpec, Recipient
from mailstore.testing.storecases.base import CREDENTIALS, EVERY, Recorder, StoreCase, mail

_ADDRESS = "news@example.org"


def _to(user: str, folder: str = "") -> Recipient:
    """
    A user's mailbox.
    """
    return Recipient(f"{user}@example.org", user, folder)


class AddressTests(StoreCase):
    """
    C{addresses}, C{addAddress}, C{removeAddress}.
    """

    async def _addressesSeen(self, user: str) -> list[tuple[str, str]]:
        """
        The addresses that a user sees, with their folders.
        """
        return [pair for batch in await self.all(self.store.addresses(user)) for pair in batch]

    async def test_addressAdded(self) -> None:
        """
        Addresses are listed in their order, in their one spelling, to those who may look up their folders.
        """
        self.assertEqual(await self._addressesSeen("alice"), [])
        news, other = await self.public("News"), await self.public("Other")
        await self.store.addAddress("alice", news, "News@Example.ORG")
        await self.store.addAddress("alice", other, "a@example.org")
        await self.store.addAddress("alice", news, "été@example.org")
        pairs = [("a@example.org", other), (_ADDRESS, news), ("été@example.org", news)]
        self.assertEqual(await self._addressesSeen("bob"), pairs)
        await self.store.setRights("alice", other, "authenticated", "")
        self.assertEqual(await self._addressesSeen("bob"), pairs[1:])
        await self.store.removeAddress("alice", "NEWS@example.org")
        self.assertEqual(await self._addressesSeen("alice"), [pairs[0], pairs[2]])

    async def test_addressesMany(self) -> None:
        """
        More addresses than one batch has are listed once each.
        """
        expected = []
        for part in range(50):
            name = await self.public(f"F{part:02}")
            for number in range(5):
                address = f"{number}-{part:02}@example.org"
                await self.store.addAddress("alice", name, address)
                expected.append((address, name))
        self.assertEqual(await self._addressesSeen("alice"), sorted(expected))

    async def test_addressUnique(self) -> None:
        """
        An address belongs to one folder, however it is spelt.
        """
        news, other = await self.public("News"), await self.public("Other")
        await self.store.addAddress("alice", news, _ADDRESS)
        for name in (news, other):
            text = await self.refused(AddressInUse, self.store.addAddress("alice", name, _ADDRESS.upper()))
            self.assertIn(news, text)

    async def test_addressFollowsFolder(self) -> None:
        """
        A folder keeps its address when it is renamed; with it the address goes.
        """
        news = await self.public("News")
        await self.store.addAddress("alice", news, _ADDRESS)
        await self.store.renameFolder("alice", news, "Public Folders/A/B")
        self.assertEqual(await self._addressesSeen("alice"), [(_ADDRESS, "Public Folders/A/B")])
        await self.store.deleteFolder("alice", "Public Folders/A/B")
        self.assertEqual(await self._addressesSeen("alice"), [])
        await self.store.addAddress("alice", await self.public("New"), _ADDRESS)

    async def test_addressRefused(self) -> None:
        """
        What can be no address, or no folder with an address.
        """
        news = await self.public("News")
        for address in ("", "news", "@example.org", "news@", "a b@example.org", "a@b@c", "<a@b>", "a\0@b"):
            await self.refused(InvalidName, self.store.addAddress("alice", news, address))
        await self.refused(InvalidName, self.store.addAddress("alice", news, "a@" + "x" * 253))
        await self.store.addAddress("alice", news, "a@" + "x" * 252)
        await self.refused(InvalidName, self.store.addAddress("alice", "INBOX", _ADDRESS))
        await self.refused(NoSuchFolder, self.store.addAddress("alice", "Public Folders/none", _ADDRESS))
        await self.refused(NotSelectable, self.store.addAddress("alice", "Public Folders", _ADDRESS))
        for address in (_ADDRESS, ""):
            await self.refused(NoSuchAddress, self.store.removeAddress("alice", address))

    async def test_addressesBounded(self) -> None:
        """
        A folder has as many addresses as it may have.
        """
        news = await self.public("News")
        for number in range(self.limits.max_addresses):
            await self.store.addAddress("alice", news, f"{number}@example.org")
        await self.refused(LimitReached, self.store.addAddress("alice", news, _ADDRESS))

    async def test_addressRights(self) -> None:
        """
        Addresses are given by who administrates the public folders as a whole.
        """
        news = await self.public("News")
        await self.store.setRights("alice", news, "bob", ALL_RIGHTS)
        await self.refused(PermissionDenied, self.store.addAddress("bob", news, _ADDRESS))
        await self.store.addAddress("alice", news, _ADDRESS)
        await self.refused(PermissionDenied, self.store.removeAddress("bob", _ADDRESS))
        await self.store.setRights("alice", news, "bob", "")
        await self.store.setRights("alice", news, "authenticated", "")
        await self.refused(NoSuchFolder, self.store.addAddress("bob", news, "b@example.org"))


class DeliveryTests(StoreCase):
    """
    C{offer}, C{receive} and C{deliver}.
    """

    async def _posting(self, name: str = "News", address: str = _ADDRESS) -> str:
        """
        A public folder with an address where everybody may post.
        """
        folder = await self.public(name)
        await self.admin.addAddress(SYSTEM, folder, address)
        await self.admin.setRights(SYSTEM, folder, ANYONE, "p")
        return folder

    async def _bodies(self, user: str, name: str) -> list[bytes]:
        """
        The messages in a folder.
        """
        opened = await self.opened(user, name)
        return [await self.content(user, opened.folder, uid) for uid in opened.uids]

    async def test_deliverToUsers(self) -> None:
        """
        A message comes into the INBOX of each user, unseen, and observers hear of it.
        """
        recorder = Recorder()
        opened = await self.opened("bob", "INBOX")
        self.store.observe(recorder)
        outcomes = await self.store.deliver((_to("alice"), _to("bob")), mail())
        self.assertEqual(outcomes, (Delivered(), Delivered()))
        await recorder.wait(opened.folder)
        for user in ("alice", "bob"):
            self.assertEqual(await self._bodies(user, "INBOX"), [mail()])
            self.assertEqual((await self.store.status(user, "INBOX")).unseen, 1)

    async def test_deliverToFolder(self) -> None:
        """
        A message comes into the folder that has the address, in any case, before a user of that name.
        """
        news = await self._posting()
        to = Recipient("NEWS@example.org", "bob")
        await self.store.offer(to, 100)
        self.assertEqual(await self.store.deliver((to,), mail()), (Delivered(),))
        self.assertEqual(await self._bodies("bob", news), [mail()])
        self.assertEqual((await self.store.status("bob", news)).unseen, 1)
        self.assertEqual((await self.store.status("bob", "INBOX")).messages, 0)

    async def test_deliverRightToPost(self) -> None:
        """
        Delivering to a public folder needs C{anyone p}: what others have does not count, and what is
        taken from anyone does.
        """
        news = await self._posting()
        to = Recipient(_ADDRESS)

        async def refused() -> None:
            text = await self.refused(PermissionDenied, self.store.offer(to, 1))
            expected = (Delivered(PermissionDenied.code, text),)
            self.assertEqual(await self.store.deliver((to,), mail()), expected)

        await self.store.setRights("alice", news, "-anyone", "p")
        await refused()
        await self.store.setRights("alice", news, "-anyone", "")
        self.assertEqual(await self.store.deliver((to,), mail()), (Delivered(),))
        await self.store.setRights("alice", news, ANYONE, "lrswikxtea")
        await self.store.setRights("alice", news, "authenticated", ALL_RIGHTS)
        await refused()
        self.assertEqual(len(await self._bodies("alice", news)), 1)

    async def test_deliverToNobody(self) -> None:
        """
        An address that nobody has; a node or a system user is nobody either.
        """
        for to in (
            Recipient("none@example.org"),
            Recipient("none@example.org", "none"),
            Recipient("", ""),
            Recipient("x@example.org", SYSTEM),
        ):
            await self.refused(NoSuchAddress, self.store.offer(to, 1))
            (outcome,) = await self.store.deliver((to,), mail())
            self.assertEqual(outcome.code, NoSuchAddress.code)
            self.assertTrue(outcome.text)
        self.assertEqual(await self.store.deliver((), mail()), ())

    async def test_deliverInAnyCase(self) -> None:
        """
        A user of exactly this name, else one whose name is in lower case.
        """
        await self.admin.createUser("Bob", CREDENTIALS)
        for name in ("Bob", "BOB", "bob"):
            self.assertEqual(await self.store.deliver((_to(name),), mail()), (Delivered(),))
        self.assertEqual((await self.store.status("Bob", "INBOX")).messages, 1)
        self.assertEqual((await self.store.status("bob", "INBOX")).messages, 2)

    async def test_deliverToDetail(self) -> None:
        """
        A folder of the user's, if there is one; else INBOX.
        """
        await self.store.createFolder("bob", "Lists/a")
        await self.store.deleteFolder("bob", "Lists")
        for number, folder in enumerate(("Lists/a", "none", "Lists", "inbox", "Public Folders", "a//b"), 1):
            self.assertEqual(await self.store.deliver((_to("bob", folder),), mail(number)), (Delivered(),))
        self.assertEqual(await self._bodies("bob", "Lists/a"), [mail(1)])
        self.assertEqual(await self._bodies("bob", "INBOX"), [mail(each) for each in range(2, 7)])

    async def test_deliverEachOnItsOwn(self) -> None:
        """
        Who has no room gets nothing, and the others get theirs; the message is one and the same.
        """
        await self.admin.setQuota(SYSTEM, "#user/bob", ((MESSAGE, 0),))
        news = await self._posting()
        people = (_to("bob"), _to("alice"), Recipient("none@example.org"), Recipient(_ADDRESS), _to("carol"))
        text = await self.refused(OverQuota, self.store.offer(_to("bob"), 1))
        outcomes = await self.store.deliver(people, mail())
        codes = [each.code for each in outcomes]
        self.assertEqual(codes, ["over-quota", "", "no-such-address", "", ""])
        self.assertEqual(outcomes[0].text, text)
        ids = set()
        for user, name in (("alice", "INBOX"), ("alice", news), ("carol", "INBOX")):
            opened = await self.opened(user, name)
            rows = await self.fetched(user, opened.folder, EVERY, FetchSpec(email_id=True))
            ids |= {row.email_ids[0] for row in rows.values()}
        self.assertEqual(len(ids), 1)
        self.assertEqual((await self.store.status("bob", "INBOX")).messages, 0)
        self.assertEqual((await self.store.quota("bob", "#user/bob")).resources[0][1], 0)

    async def test_deliverTwiceToOne(self) -> None:
        """
        Recipients who mean the same folder get one message, or none, together.
        """
        await self._posting()
        people = (_to("bob"), Recipient("b@example.org", "bob"), Recipient(_ADDRESS), Recipient(_ADDRESS))
        self.assertEqual(await self.store.deliver(people, mail()), (Delivered(),) * 4)
        self.assertEqual(await self._bodies("bob", "INBOX"), [mail()])
        await self.admin.setQuota(SYSTEM, "#user/bob", ((MESSAGE, 1),))
        codes = [each.code for each in await self.store.deliver(people[:2], mail(2))]
        self.assertEqual(codes, ["over-quota"] * 2)

    async def test_offerSize(self) -> None:
        """
        What is too big for the store, or for what is left of the quota, is known before it comes.
        """
        await self.store.offer(_to("bob"), self.limits.max_message)
        await self.refused(MessageTooBig, self.store.offer(_to("bob"), self.limits.max_message + 1))
        await self.admin.setQuota(SYSTEM, "#user/bob", ((STORAGE, 2),))
        await self.store.offer(_to("bob"), 2048)
        await self.refused(OverQuota, self.store.offer(_to("bob"), 2049))

    async def test_deliverBig(self) -> None:
        """
        A message handed in piece by piece, shorter than it could have been.
        """
        body = mail(body="0123456789abcde\n" * 20_000)
        upload = await self.store.receive(1 << 40)
        for start in range(0, len(body), 50_000):
            await upload.write(body[start : start + 50_000])
        self.assertEqual(
            await self.store.deliver((_to("bob"), _to("carol")), upload.token), (Delivered(),) * 2
        )
        rows = await self.fetched(
            "bob", (await self.opened("bob", "INBOX")).folder, EVERY, FetchSpec(size=True)
        )
        self.assertEqual(len(rows), 1)
        await self.refused(InvalidRequest, self.store.deliver((_to("bob"),), upload.token))

    async def test_deliverBigAtOnce(self) -> None:
        """
        A message too long for one request is delivered all the same.
        """
        body = mail(body="x" * 6_000_000)
        self.assertEqual(await self.store.deliver((_to("bob"),), body), (Delivered(),))
        self.assertEqual((await self.store.status("bob", "INBOX")).size, len(body))

    async def test_receiveRefused(self) -> None:
        """
        An upload for delivery is nobody else's, takes no more than was said, and can be thrown away.
        """
        upload = await self.store.receive(10)
        await self.refused(MessageTooBig, upload.write(b"x" * 11))
        upload.discard()
        await self.refused(InvalidRequest, self.store.deliver((_to("bob"),), upload.token))
        own = await self.store.upload("bob", "INBOX", 10_000)
        await own.write(b"x" * 10_000)
        await self.refused(InvalidRequest, self.store.deliver((_to("bob"),), own.token))
        own.discard()
        uploads = [await self.store.receive(10_000) for _ in range(self.limits.max_uploads)]
        await self.refused(LimitReached, self.store.receive(10_000))
        for each in uploads:
            each.discard()
        self.assertEqual((await self.store.status("bob", "INBOX")).messages, 0)

    async def test_deliverToMany(self) -> None:
        """
        As many recipients as there may be, and no more.
        """
        people = (_to("bob"),) * self.limits.max_recipients
        await self.refused(LimitReached, self.store.deliver((*people, _to("carol")), mail()))
        self.assertEqual(set(await self.store.deliver(people, mail())), {Delivered()})
        self.assertEqual((await self.store.status("bob", "INBOX")).messages, 1)

    async def test_deliverTooBig(self) -> None:
        """
        What is too big for the store is delivered to nobody.
        """
        body = b"x" * (self.limits.max_message + 1)
        await self.refused(MessageTooBig, self.store.deliver((_to("bob"),), body))
