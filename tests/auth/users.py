"""
The users of a store, for tests of sign-in.
"""

from __future__ import annotations

from zope.interface import implementer

from mailstore.auth.keys import decoy, makeCredentials
from mailstore.errors import UserExists
from mailstore.interfaces import IUsers
from mailstore.model import Credentials


@implementer(IUsers)
class Users:
    """
    A store that knows alice and josé, and says what it was asked.

    @ivar asked: the names asked for.
    @ivar error: what asking raises.
    @ivar known: the users.
    """

    def __init__(self, iterations: int = 10) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.known = {
            "alice": makeCredentials("secret", iterations),
            "jos\u00e9": makeCredentials("p\u00e4ss", iterations),
        }

    async def credentials(self, user: str) -> Credentials | None:
        """
        See L{IUsers.credentials}.
        """
        self.asked.append(user)
        if self.error is not None:
            raise self.error
        return self.known.get(user)

    async def createUser(self, user: str, credentials: Credentials) -> None:
        """
        See L{IUsers.createUser}.
        """
        if user in self.known:
            raise UserExists(user)
        self.known[user] = credentials

    async def enrol(self, user: str, iterations: int) -> None:
        """
        See L{IUsers.enrol}.
        """
        self.known.setdefault(user, decoy(user, b"made up", iterations))

    async def listUsers(self) -> tuple[str, ...]:
        """
        See L{IUsers.listUsers}.
        """
        return tuple(self.known)
