"""
Looking after a store on its own machine.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Iterable
from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from mailstore.model import Credentials, Statistics


class IMaintenance(Interface):
    """
    What is for whoever looks after a store on its own machine: not to be had through a
    channel, and so no part of L{IStore}.
    """

    def setCredentials(user: str, credentials: Credentials) -> Awaitable[None]:
        """
        Change what a user is known by.  Who is signed in stays so.

        @raise NoSuchUser:
        """

    def removeUser(user: str, keep_as: str = "", delete: bool = False) -> Awaitable[int]:
        """
        Remove a user, with what is his own (subscriptions, seen flags, annotations) and
        what the rights on folders say of him: a later user of this name inherits nothing.

        @param keep_as: name of a public folder that is made for his folders, with no rights for anybody.
        @param delete: delete his folders with his mail.
        @return: how many messages he had.
        @raise NoSuchUser:
        @raise FolderInUse: he has mail, and it is not said what becomes of it.
        @raise FolderExists: there is a folder C{keep_as}.
        @raise InvalidName: C{keep_as} can be no public folder, or a name below it would be too long.
        @raise NoSuchFolder: as InvalidName.
        """

    def expect(contents: Iterable[bytes]) -> None:
        """
        Say that these messages are going to be appended, in this order: what is to be made of them may be
        begun in other processes, if the store was opened with some.  Nothing depends on it, and what is
        too much is forgotten.
        """

    def statistics() -> Awaitable[Statistics]:
        """
        How much of everything there is.  It is counted, which takes longer the more there is.
        """

    def tidyMore() -> Awaitable[bool]:
        """
        Remove a little of what is left behind: of copies that came to nothing, of what folders held that have
        gone, of contents that no message names.  To be called again and again by whoever runs the store.

        @return: there is more.
        """

    def readOriginal(folder: int, uid: int) -> AsyncGenerator[bytes, None]:
        """
        Read a message as it came, in pieces; what is served has all its line ends mended.

        @raise NoSuchFolder:
        @raise InvalidRequest: there is no such message.
        """
