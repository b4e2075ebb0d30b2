"""
Rules for how long messages stay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mailstore.errors import InvalidRequest, NoSuchFolder, NotSelectable, PermissionDenied
from mailstore.model import ALL_RIGHTS, SYSTEM, Expiry
from mailstore.testing.storecases.base import StoreCase

_MONTH = Expiry(days=30)


class ExpiryTests(StoreCase):
    """
    C{expiry}, C{setExpiry}, C{expiries}.  That messages go is the engine's to test, which has the clock.
    """

    async def _rulesSeen(self, user: str) -> dict[str, Expiry]:
        """
        The rules that a user sees.
        """
        return {name: rule for batch in await self.all(self.store.expiries(user)) for name, rule in batch}

    async def test_expirySet(self) -> None:
        """
        A folder has the rule that it was given last.
        """
        name = await self.public("News")
        self.assertEqual(await self.store.expiry("bob", name), Expiry())
        for rule in (_MONTH, Expiry(1, 0), Expiry(None, 5), Expiry(), Expiry(36_500, 0xFFFFFFFF)):
            await self.store.setExpiry("alice", name, rule)
            self.assertEqual(await self.store.expiry("bob", name), rule)
            self.assertEqual(await self._rulesSeen("bob"), {} if rule == Expiry() else {name: rule})

    async def test_expiryInherited(self) -> None:
        """
        A new folder gets a copy of the rule of the folder above it, with those made on the way to it.
        """
        name = await self.public("News")
        await self.store.setExpiry("alice", name, _MONTH)
        await self.store.createFolder("alice", f"{name}/a/b")
        await self.store.createFolder("alice", "Public Folders/Other/x")
        rules = {name: _MONTH, f"{name}/a": _MONTH, f"{name}/a/b": _MONTH}
        self.assertEqual(await self._rulesSeen("bob"), rules)
        await self.store.setExpiry("alice", name, Expiry())
        self.assertEqual(await self.store.expiry("bob", f"{name}/a"), _MONTH)

    async def test_expiryFollowsFolder(self) -> None:
        """
        A folder keeps its rule when it is renamed, and has none when it is deleted and made again.
        """
        name = await self.public("News")
        await self.store.setExpiry("alice", name, _MONTH)
        await self.store.renameFolder("alice", name, "Public Folders/A")
        self.assertEqual(await self._rulesSeen("bob"), {"Public Folders/A": _MONTH})
        await self.store.deleteFolder("alice", "Public Folders/A")
        self.assertEqual(await self._rulesSeen("bob"), {})
        self.assertEqual(await self.store.expiry("bob", await self.public("A")), Expiry())

    async def test_expiryListed(self) -> None:
        """
        Everybody sees the rules of the folders that he may look up, by the names that he sees.
        """
        public = await self.public("News")
        await self.store.createFolder("bob", "Box")
        await self.store.setExpiry("alice", public, _MONTH)
        await self.store.setExpiry("bob", "Box", Expiry(2))
        self.assertEqual(await self._rulesSeen("bob"), {public: _MONTH, "Box": Expiry(2)})
        self.assertEqual(await self._rulesSeen("alice"), {public: _MONTH})
        await self.store.setRights("bob", "Box", "alice", "l")
        self.assertEqual((await self._rulesSeen("alice"))["Other Users/bob/Box"], Expiry(2))
        await self.store.setRights("alice", public, "authenticated", "")
        self.assertEqual(await self._rulesSeen("carol"), {})
        seen = [name for batch in await self.all(self.admin.expiries(SYSTEM)) for name, _ in batch]
        self.assertEqual(seen, [public, "Other Users/bob/Box"])

    async def test_expiryRefused(self) -> None:
        """
        What makes no sense, and folders that hold no messages.
        """
        name = await self.public("News")
        for rule in (Expiry(0), Expiry(-1), Expiry(36_501), Expiry(None, -1), Expiry(1, 1 << 32)):
            await self.refused(InvalidRequest, self.store.setExpiry("alice", name, rule))
        self.assertEqual(await self.store.expiry("alice", name), Expiry())
        await self.refused(NotSelectable, self.store.setExpiry("alice", "Public Folders", _MONTH))
        await self.refused(NoSuchFolder, self.store.setExpiry("alice", "Public Folders/x", _MONTH))
        await self.refused(NoSuchFolder, self.store.expiry("alice", "none"))

    async def test_expiryRights(self) -> None:
        """
        Looking at a rule needs C{l}, changing it C{a}.
        """
        name = await self.public("News")
        await self.store.setRights("alice", name, "authenticated", "")
        requests: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: self.store.expiry("bob", name),
            lambda: self.store.setExpiry("bob", name, _MONTH),
        )
        for request in requests:
            await self.refused(NoSuchFolder, request())
        given = "".join(each for each in ALL_RIGHTS if each != "a")
        await self.store.setRights("alice", name, "bob", given)
        await self.refused(PermissionDenied, self.store.setExpiry("bob", name, _MONTH))
        await self.store.setRights("alice", name, "bob", "la")
        await self.store.setExpiry("bob", name, _MONTH)
        self.assertEqual(await self.store.expiry("bob", name), _MONTH)
