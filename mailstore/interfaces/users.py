"""
Users and groups, as a store knows them.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from mailstore.model import Credentials


class IUsers(Interface):
    """
    The users a store knows.
    """

    def credentials(user: str) -> Awaitable[Credentials | None]:
        """
        What the user can be known by; C{None} when there is no such user.
        """

    def createUser(user: str, credentials: Credentials) -> Awaitable[None]:
        """
        Add a user, with an INBOX.  For L{SYSTEM<mailstore.model.SYSTEM>} tools
        only: not to be had through a channel.

        @raise UserExists:
        @raise InvalidName:
        """

    def enrol(user: str, iterations: int) -> Awaitable[None]:
        """
        Give a user whom somebody else vouches for, such as a directory, a place and an INBOX.  The keys
        are made up, so that no password fits them.  Changes nothing when there is such a user.

        @param iterations: rounds of PBKDF2 that the keys pretend to: as many as those of the other users
            have, so that nobody is told apart by the time that a refusal takes.
        @raise InvalidName:
        @raise InvalidRequest: so many rounds make no sense.
        @raise LimitReached: there are too many users.
        """

    def listUsers() -> Awaitable[tuple[str, ...]]:
        """
        All names in order.  For L{SYSTEM<mailstore.model.SYSTEM>} tools only:
        not to be had through a channel.
        """


class IGroups(Interface):
    """
    Groups of users, for what administrates a store on its own machine: not to be had
    through a channel, and so no part of L{IStore}.

    A group has users as its members, and no other groups.  A folder's rights name it
    by L{GROUP_PREFIX<mailstore.model.GROUP_PREFIX>} and its name.  Whoever joins or leaves has
    or lacks what it gives from their next request on, whatever they have open.
    """

    def createGroup(group: str) -> Awaitable[None]:
        """
        Make a group, without members.

        @raise GroupExists:
        @raise InvalidName:
        @raise LimitReached: there are too many groups.
        """

    def removeGroup(group: str) -> Awaitable[int]:
        """
        Remove a group, and what folders' rights say of it: a later group of this name
        inherits nothing.

        @return: how many folders' rights it changed.
        @raise NoSuchGroup:
        """

    def listGroups() -> Awaitable[tuple[str, ...]]:
        """
        All names in order.
        """

    def groupMembers(group: str) -> Awaitable[tuple[str, ...]]:
        """
        The names of a group's members in order.

        @raise NoSuchGroup:
        """

    def groupsOf(user: str) -> Awaitable[tuple[str, ...]]:
        """
        The names of the groups that a user is a member of, in order.

        @raise NoSuchUser:
        """

    def addMember(group: str, user: str) -> Awaitable[bool]:
        """
        Make a user a member of a group.

        @return: he was none before.
        @raise NoSuchGroup:
        @raise NoSuchUser:
        """

    def removeMember(group: str, user: str) -> Awaitable[bool]:
        """
        Make a user a member of a group no more.

        @return: he was one before.
        @raise NoSuchGroup:
        @raise NoSuchUser:
        """
