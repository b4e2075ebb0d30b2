"""
Searching, sorting and threading.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from mailstore.engine.requests.base import Requests
from mailstore.engine.search import Search
from mailstore.engine.sorting import Gatherer, Sorting
from mailstore.engine.threads import threading
from mailstore.model import SearchTerm, SortKey, ThreadAlgorithm, ThreadColumns


class FindingRequests(Requests):
    """
    Searching, sorting and threading.
    """

    async def search(self, user: str, folder: int, term: SearchTerm) -> AsyncGenerator[bytes, None]:
        search: Search | None = None
        while True:
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                row = self._places.byId(db, viewer, folder, "r")
                if search is None:
                    search = Search(self._views, self._limits, self._index, self._memory, term)
                batch = search.batch(db, row, viewer)
            if batch is None:
                return
            yield batch

    async def sort(
        self, user: str, folder: int, term: SearchTerm, keys: tuple[SortKey, ...]
    ) -> AsyncGenerator[bytes, None]:
        sorting = Sorting(self._limits, self._room, keys)
        try:
            async for batch in self._gathered(user, folder, term, sorting):
                yield batch
            for batch in sorting.batches():
                self._writer.requireOpen()
                yield batch
        finally:
            sorting.close()

    async def threads(
        self, user: str, folder: int, term: SearchTerm, algorithm: ThreadAlgorithm
    ) -> AsyncGenerator[ThreadColumns, None]:
        threads = threading(self._limits, self._room, algorithm)
        try:
            async for _ in self._gathered(user, folder, term, threads):
                yield ThreadColumns(b"", b"")
            for batch in threads.batches():
                self._writer.requireOpen()
                yield batch
        finally:
            threads.close()

    async def _gathered(
        self, user: str, folder: int, term: SearchTerm, gatherer: Gatherer
    ) -> AsyncGenerator[bytes, None]:
        """
        Hand what a search finds to a gatherer; gives an empty batch for each slice.
        """
        search: Search | None = None
        while True:
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                row = self._places.byId(db, viewer, folder, "r")
                if search is None:
                    search = Search(self._views, self._limits, self._index, self._memory, term)
                found = search.batch(db, row, viewer)
                if found is not None:
                    gatherer.add(db, row, found)
            if found is None:
                return
            yield b""
