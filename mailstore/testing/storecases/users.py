"""
Users.
"""

from __future__ import annotations

from mailstore.errors import InvalidName, UserExists
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
