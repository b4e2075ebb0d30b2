"""
Users.
"""

from __future__ import annotations

from mailstore.errors import InvalidName, InvalidRequest, LimitReached, UserExists
from mailstore.testing.storecases.base import CREDENTIALS, StoreCase


class UserTests(StoreCase):
    """
    L{IUsers<mailstore.interfaces.IUsers>}.
    """

    async def test_usersCredentials(self) -> None:
        """
        What a user was created with can be had; for an unknown one there is nothing.
        """
        self.assertEqual(await self.store.credentials("alice"), CREDENTIALS)
        self.assertIsNone(await self.store.credentials("nobody"))
        self.assertIsNone(await self.store.credentials(""))

    async def test_usersCreateUser(self) -> None:
        """
        A new user has an INBOX and nothing else of his own.
        """
        await self.admin.createUser("zoë", CREDENTIALS)
        self.assertEqual(await self.names("zoë"), ["INBOX", "Public Folders"])
        self.assertEqual(await self.admin.listUsers(), ("alice", "bob", "carol", "zoë"))

    async def test_usersCreateUserAgain(self) -> None:
        """
        A name can be used once.
        """
        await self.refused(UserExists, self.admin.createUser("bob", CREDENTIALS))

    async def test_usersCreateUserInvalid(self) -> None:
        """
        Names that mean something else, or cannot be part of a folder's name, are refused.
        """
        for name in ("", "anyone", "Authenticated", "#system", "a/b", "-bob", "x y", "x" * 65):
            await self.refused(InvalidName, self.admin.createUser(name, CREDENTIALS))

    async def test_usersEnrol(self) -> None:
        """
        Somebody whom others vouch for gets an INBOX, keys of the usual form that are nobody else's, and
        keeps both when enrolled again; those whom the store knows are left alone.
        """
        await self.store.enrol("dora", 4096)
        self.assertEqual(await self.names("dora"), ["INBOX", "Public Folders"])
        keys = await self.store.credentials("dora")
        assert keys is not None
        self.assertEqual((keys.iterations, len(keys.salt), len(keys.stored_key)), (4096, 16, 32))
        await self.store.enrol("dora", 10)
        await self.store.enrol("alice", 10)
        self.assertEqual(await self.store.credentials("dora"), keys)
        self.assertEqual(await self.store.credentials("alice"), CREDENTIALS)
        await self.store.enrol("emil", 4096)
        emils = await self.store.credentials("emil")
        assert emils is not None
        self.assertFalse({emils.salt, emils.stored_key} & {keys.salt, keys.stored_key})

    async def test_usersEnrolRefused(self) -> None:
        """
        Names that no user can have, rounds that make no sense and one user too many are refused.
        """
        for name in ("", "anyone", "a/b", "x" * 65):
            await self.refused(InvalidName, self.store.enrol(name, 4096))
        for iterations in (0, -1, 1 << 40):
            await self.refused(InvalidRequest, self.store.enrol("dora", iterations))
        for number in range(self.limits.max_users - len(await self.admin.listUsers())):
            await self.store.enrol(f"user{number}", 4096)
        await self.refused(LimitReached, self.store.enrol("dora", 4096))
        await self.store.enrol("user0", 4096)

    async def test_usersUnknownUser(self) -> None:
        """
        Somebody the store does not know has no folders, and of public ones
        sees those that everybody may, signed in or not.
        """
        open_one = await self.public("Open")
        await self.public("Closed")
        self.assertEqual(await self.names("nobody"), ["Public Folders"])
        await self.store.setRights("alice", open_one, "anyone", "lr")
        self.assertEqual(await self.names("nobody"), ["Public Folders", open_one])
        self.assertEqual(await self.store.rights("nobody", open_one), "lr")
