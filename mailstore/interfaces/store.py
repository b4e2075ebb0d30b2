"""
A store as a whole.
"""

from __future__ import annotations

from collections.abc import Awaitable

from zope.interface import Interface

from mailstore.interfaces.delivery import IDelivery, IExpiry
from mailstore.interfaces.hierarchy import IHierarchy
from mailstore.interfaces.maintenance import IMaintenance
from mailstore.interfaces.messages import IMessages
from mailstore.interfaces.users import IGroups, IUsers


class IStoreObserver(Interface):
    """
    Who wants to know that something changed.  Told after the change is
    durable, never what changed: ask for the difference.
    """

    def folderChanged(folder: int, user: str) -> None:
        """
        Messages came, went or changed in the folder.

        @param folder: its identity; or L{HIERARCHY<mailstore.model.HIERARCHY>} when folders were made,
            deleted or renamed, when who may look them up may have changed, or who subscribes to them.
        @param user: the one user who can see the change, or C{""} for everybody.
        """

    def everythingChanged() -> None:
        """
        Any folder may have changed: the store was away, or was changed from outside.
        """


class IStore(IUsers, IHierarchy, IExpiry, IDelivery, IMessages):
    """
    A mail store.
    """

    def observe(observer: IStoreObserver) -> None:
        """
        Tell C{observer} of changes from now on.
        """

    def unobserve(observer: IStoreObserver) -> None:
        """
        Tell it no more.  Unknown observers are ignored.
        """

    def close() -> Awaitable[None]:
        """
        Give everything back.  Requests under way fail with
        L{StoreUnavailable<mailstore.errors.StoreUnavailable>}.  Idempotent.
        """


class ILocalStore(IStore, IGroups, IMaintenance):
    """
    A store in this process.
    """
