"""
The folder lists that LIST answers from, shared by all sessions of a front end.

  - A tree is enumerated once per L{TreeVersion}, however many sessions ask at
    the same time: the first starts it, the others wait for the same result, and who
    goes away meanwhile stops it for nobody.
  - A list never changes once it is made; its answer to a pattern is rendered once,
    for all who wait for it, and then copied.
  - Lists and rendered answers are kept while they fit the bounds; what was
    used longest ago goes first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailstore.errors import StaleListing, StoreError, StoreFault
from mailstore.imap.patterns import Pattern
from mailstore.imap.wire import writer
from mailstore.model import SEPARATOR, TreeVersion, uint64s

if TYPE_CHECKING:
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.waiting import IRuntime
    from mailstore.interfaces import IStore

#: Bytes that a name costs beside its characters: the object and its places in tables.
_NAME_COST = 120

#: How often a tree that changes while it is read is asked for again.
_TRIES = 5

#: Names looked at in one go, before others may run.
_SLICE = 2000


class FolderTree:
    """
    All folders of a tree that may be seen with one set of rights, with the parents they
    need.  Immutable but for the answers it remembers.
    """

    def __init__(self, names: list[str], attributes: dict[str, bytes]) -> None:
        """
        @param names: sorted by code points, parents included.
        @param attributes: of each name, what stands between the parentheses in LIST.
        """
        self.names = names
        self.attributes = attributes
        self.answers: OrderedDict[tuple[str, bool], tuple[bytes, ...]] = OrderedDict()
        self.cost = sum(len(name) + _NAME_COST for name in names)

    def candidates(self, pattern: Pattern) -> Iterator[str]:
        """
        The names that begin as the pattern does.
        """
        at = bisect_left(self.names, pattern.prefix)
        end = bisect_left(self.names, pattern.end)
        while at < end:
            yield self.names[at]
            at += 1


class _Flight:
    """
    An enumeration under way.
    """

    def __init__(self, runtime: IRuntime) -> None:
        self.signal = runtime.signal()
        self.tree: FolderTree | None = None
        self.error: StoreError | None = None


class _Rendering:
    """
    An answer under way.
    """

    def __init__(self, runtime: IRuntime) -> None:
        self.signal = runtime.signal()
        self.answer: tuple[bytes, ...] | None = None
        self.failed = False


class _Builder:
    """
    Puts the batches of an enumeration together.
    """

    def __init__(self) -> None:
        self._selectable: dict[str, bool] = {}
        self._exists: dict[str, bool] = {}
        self._uses: dict[str, str] = {}

    def add(self, names: tuple[str, ...], ids: bytes, uses: tuple[str, ...], selectable: bytes) -> None:
        for name, folder, use, can in zip(names, uint64s(ids), uses, selectable, strict=True):
            self._selectable[name] = bool(can)
            self._exists[name] = bool(folder)
            if use:
                self._uses[name] = use

    def tree(self) -> FolderTree:
        parents: set[str] = set()
        for name in self._selectable:
            parent = name.rpartition(SEPARATOR)[0]
            while parent and parent not in parents:
                parents.add(parent)
                parent = parent.rpartition(SEPARATOR)[0]
        # RFC 9051 section 7.3.1: a parent that is no folder is still a level of the hierarchy.
        names = sorted(parents.union(self._selectable))
        attributes: dict[str, bytes] = {}
        shared: dict[bytes, bytes] = {}
        for name in names:
            words = []
            if not self._selectable.get(name, False):
                if not self._exists.get(name, False):
                    words.append("\\NonExistent")
                words.append("\\Noselect")
            words.append("\\HasChildren" if name in parents else "\\HasNoChildren")
            if name in self._uses:
                words.append(self._uses[name])
            text = " ".join(words).encode("ascii")
            attributes[name] = shared.setdefault(text, text)
        return FolderTree(names, attributes)


class FolderLists:
    """
    The lists of one front end.

    @ivar enumerations: how many times a tree was read from the store.
    """

    def __init__(self, store: IStore, runtime: IRuntime, limits: ImapLimits) -> None:
        self._store = store
        self._runtime = runtime
        self._limits = limits
        self._trees: OrderedDict[TreeVersion, FolderTree] = OrderedDict()
        self._flights: dict[TreeVersion, _Flight] = {}
        self._renderings: dict[tuple[TreeVersion, tuple[str, bool]], _Rendering] = {}
        self._cost = 0
        self.enumerations = 0

    @property
    def cost(self) -> int:
        """
        Bytes that all that is kept has, by estimate.
        """
        return self._cost

    async def answer(self, user: str, pattern: Pattern, utf8: bool) -> Iterator[bytes]:
        """
        The LIST responses for the folders that C{pattern} means, in pieces of about
        C{limits.max_write}.

        @param utf8: whether names are in UTF-8 and not in modified UTF-7.
        @raise StaleListing: the hierarchy changes faster than it can be read.
        """
        trees = await self._current(user)
        answers = [await self._answer(version, tree, pattern, utf8) for version, tree in trees]
        return (piece for answer in answers for piece in answer)

    async def _current(self, user: str) -> list[tuple[TreeVersion, FolderTree]]:
        for tries_left in reversed(range(_TRIES)):
            versions = await self._store.trees(user)
            try:
                return [(version, await self._tree(user, version)) for version in versions]
            except StaleListing:
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    async def _tree(self, user: str, version: TreeVersion) -> FolderTree:
        tree = self._trees.get(version)
        if tree is not None:
            self._trees.move_to_end(version)
            return tree
        flight = self._flights.get(version)
        if flight is None:
            flight = self._flights[version] = _Flight(self._runtime)
            self._runtime.start(self._enumerate(user, version, flight))
        while flight.tree is None and flight.error is None:
            await flight.signal.wait()
        if flight.tree is None:
            assert flight.error is not None
            raise type(flight.error)(*flight.error.args)
        return flight.tree

    async def _enumerate(self, user: str, version: TreeVersion, flight: _Flight) -> None:
        self.enumerations += 1
        builder = _Builder()
        try:
            batches = self._store.folders(user, version)
            try:
                async for batch in batches:
                    builder.add(batch.names, batch.ids, batch.special_uses, batch.selectable)
            finally:
                await batches.aclose()
            flight.tree = builder.tree()
            self._keep(version, flight.tree)
        except StoreError as error:
            flight.error = error
        except Exception:
            flight.error = StoreFault("the list of folders could not be made")
            raise
        finally:
            if flight.tree is None and flight.error is None:
                flight.error = StoreFault("the list of folders was not finished")
            del self._flights[version]
            flight.signal.fire()

    def _keep(self, version: TreeVersion, tree: FolderTree) -> None:
        self._trees[version] = tree
        self._cost += tree.cost
        self._trim()

    def _trim(self) -> None:
        """
        Keep within the bounds: answers of a list go with it.
        """
        while self._trees and (
            self._cost > self._limits.max_folder_list_bytes
            or len(self._trees) > self._limits.max_folder_lists
        ):
            _, tree = self._trees.popitem(last=False)
            self._cost -= tree.cost

    async def _answer(
        self, version: TreeVersion, tree: FolderTree, pattern: Pattern, utf8: bool
    ) -> tuple[bytes, ...]:
        key = (pattern.text, utf8)
        answer = tree.answers.get(key)
        if answer is not None:
            tree.answers.move_to_end(key)
            return answer
        flight = self._renderings.get((version, key))
        if flight is None:
            flight = self._renderings[version, key] = _Rendering(self._runtime)
            self._runtime.start(self._render(version, tree, pattern, utf8, flight))
        while flight.answer is None and not flight.failed:
            await flight.signal.wait()
        if flight.answer is None:
            raise StoreFault("the list of folders was not finished")
        return flight.answer

    async def _render(
        self, version: TreeVersion, tree: FolderTree, pattern: Pattern, utf8: bool, flight: _Rendering
    ) -> None:
        """
        Render an answer, in slices, for all who wait for it.
        """
        key = (pattern.text, utf8)
        pieces: list[bytes] = []
        lines: list[bytes] = []
        size = 0
        attributes = tree.attributes
        matches = pattern.matches
        try:
            for looked_at, name in enumerate(tree.candidates(pattern), 1):
                if matches(name):
                    line = b'* LIST (%s) "/" %s\r\n' % (attributes[name], writer.mailbox(name, utf8))
                    lines.append(line)
                    size += len(line)
                    if size >= self._limits.max_write:
                        pieces.append(b"".join(lines))
                        lines.clear()
                        size = 0
                if not looked_at % _SLICE:
                    await self._runtime.sleep(0)
            if lines:
                pieces.append(b"".join(lines))
            flight.answer = tuple(pieces)
            self._remember(version, tree, key, flight.answer)
        finally:
            flight.failed = flight.answer is None
            del self._renderings[version, key]
            flight.signal.fire()

    def _remember(
        self, version: TreeVersion, tree: FolderTree, key: tuple[str, bool], answer: tuple[bytes, ...]
    ) -> None:
        if self._trees.get(version) is not tree or key in tree.answers:
            return
        tree.answers[key] = answer
        added = _costOf(key, answer)
        while len(tree.answers) > self._limits.max_answers:
            oldest = tree.answers.popitem(last=False)
            added -= _costOf(*oldest)
        tree.cost += added
        self._cost += added
        self._trim()


def _costOf(key: tuple[str, bool], answer: tuple[bytes, ...]) -> int:
    return len(key[0]) + _NAME_COST + sum(map(len, answer))
