"""
The engine as a store.
"""

from __future__ import annotations

from zope.interface import implementer

from mailstore.engine.requests.arriving import ArrivingRequests
from mailstore.engine.requests.finding import FindingRequests
from mailstore.engine.requests.hierarchy import HierarchyRequests
from mailstore.engine.requests.messages import MessageRequests
from mailstore.engine.requests.people import PeopleRequests
from mailstore.engine.requests.properties import PropertyRequests
from mailstore.engine.requests.upkeep import UpkeepRequests
from mailstore.interfaces import ILocalStore, IStoreObserver


@implementer(ILocalStore)
class Store(
    PeopleRequests,
    HierarchyRequests,
    PropertyRequests,
    ArrivingRequests,
    MessageRequests,
    FindingRequests,
    UpkeepRequests,
):
    """
    A mail store in a database.

    It belongs to one thread.  Its methods do their work when they are awaited, and
    wait only for the committer.
    """

    @property
    def read_only(self) -> bool:
        """
        Whether it is on a file system that cannot be written.
        """
        return self._database.read_only

    def observe(self, observer: IStoreObserver) -> None:
        if observer not in self._observers:
            self._observers.append(observer)

    def unobserve(self, observer: IStoreObserver) -> None:
        if observer in self._observers:
            self._observers.remove(observer)

    async def close(self) -> None:
        if self._writer.closed:
            return
        self._observers.clear()
        self._uploads.close()
        self._workshop.close()
        await self._writer.close()
        self._database.close()
