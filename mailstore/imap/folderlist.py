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

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import attrs

from mailstore.errors import StaleListing, StoreError, StoreFault
from mailstore.imap.patterns import Pattern
from mailstore.imap.wire import writer
from mailstore.model import SEPARATOR, TreeVersion, uint64s

if TYPE_CHECKING:
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.waiting import IRuntime
    from mailstore.interfaces import IStore

#: L{TreeVersion.tree} of the public folders.
PUBLIC_TREE = "public"

#: Bytes that a name costs beside its characters: the object and its places in tables.
_NAME_COST = 128

#: Bytes that a row of L{Rows} costs beside what is written in it.
_ROW_COST = 110

#: How often a tree that changes while it is read is asked for again.
_TRIES = 5

#: Names looked at in one go, before others may run.
_SLICE = 2000


@attrs.frozen
class Rows:
    """
    Folders with a LIST response for each, as columns.
    """

    names: tuple[str, ...] = ()
    #: The responses, as they are sent.
    lines: tuple[bytes, ...] = ()
    #: The names, as they are sent.
    written: tuple[bytes, ...] = ()
    #: Identities in the store; 0 for what cannot be opened.
    ids: array[int] = attrs.field(factory=uint64s)

    def __len__(self) -> int:
        return len(self.names)

    def part(self, start: int, end: int) -> Rows:
        """
        Some of them.
        """
        return Rows(
            self.names[start:end], self.lines[start:end], self.written[start:end], self.ids[start:end]
        )


#: What is remembered of an answer: one that is only copied is there in pieces for writing.
_Answer = tuple[bytes, ...] | Rows

#: The pattern, whether names are in UTF-8, and whether rows are wanted.
_Key = tuple[str, bool, bool]


class FolderTree:
    """
    All folders of a tree that may be seen with one set of rights, with the parents they
    need.  Immutable but for the answers it remembers.
    """

    def __init__(
        self, names: list[str], attributes: dict[str, bytes], ids: array[int], uses: dict[str, str]
    ) -> None:
        """
        @param names: sorted by code points, parents included.
        @param attributes: of each name, what stands between the parentheses in LIST.
        @param ids: the identities, in the order of the names; 0 for what cannot be opened.
        @param uses: special uses, of the names that have one.
        """
        self.names = names
        self.attributes = attributes
        self.ids = ids
        self.uses = uses
        self.answers: OrderedDict[_Key, _Answer] = OrderedDict()
        self.cost = sum(len(name) + _NAME_COST for name in names)

    def candidates(self, pattern: Pattern) -> range:
        """
        Where the names are that begin as the pattern does.
        """
        return range(bisect_left(self.names, pattern.prefix), bisect_left(self.names, pattern.end))

    def identity(self, name: str) -> int:
        """
        The identity of a folder; 0 if it is none, or cannot be opened.
        """
        return self.ids[bisect_left(self.names, name)] if name in self.attributes else 0


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
        self.answer: _Answer | None = None
        self.failed = False


class _Maker(Protocol):
    """
    Puts an answer together.
    """

    def add(self, name: str, line: bytes, written: bytes, identity: int) -> None: ...

    def answer(self) -> _Answer: ...


class _PieceMaker:
    """
    Makes pieces of about the bytes that one write has.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._pieces: list[bytes] = []
        self._lines: list[bytes] = []

    def add(self, name: str, line: bytes, written: bytes, identity: int) -> None:
        self._lines.append(line)
        self._left -= len(line)
        if self._left <= 0:
            self._cut()

    def _cut(self) -> None:
        self._pieces.append(b"".join(self._lines))
        self._lines.clear()
        self._left = self._size

    def answer(self) -> tuple[bytes, ...]:
        if self._lines:
            self._cut()
        return tuple(self._pieces)


class _RowMaker:
    """
    Makes rows.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._lines: list[bytes] = []
        self._written: list[bytes] = []
        self._ids = uint64s()

    def add(self, name: str, line: bytes, written: bytes, identity: int) -> None:
        self._names.append(name)
        self._lines.append(line)
        self._written.append(written)
        self._ids.append(identity)

    def answer(self) -> Rows:
        return Rows(tuple(self._names), tuple(self._lines), tuple(self._written), self._ids)


class _Builder:
    """
    Puts the batches of an enumeration together.
    """

    def __init__(self) -> None:
        self._selectable: dict[str, bool] = {}
        self._ids: dict[str, int] = {}
        self._uses: dict[str, str] = {}

    def add(self, names: tuple[str, ...], ids: bytes, uses: tuple[str, ...], selectable: bytes) -> None:
        for name, folder, use, can in zip(names, uint64s(ids), uses, selectable, strict=True):
            self._selectable[name] = bool(can)
            self._ids[name] = folder
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
                if not self._ids.get(name):
                    words.append("\\NonExistent")
                words.append("\\Noselect")
            words.append("\\HasChildren" if name in parents else "\\HasNoChildren")
            if name in self._uses:
                words.append(self._uses[name])
            text = " ".join(words).encode("ascii")
            attributes[name] = shared.setdefault(text, text)
        ids = uint64s(self._ids[name] if self._selectable.get(name) else 0 for name in names)
        return FolderTree(names, attributes, ids, self._uses)


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
        self._renderings: dict[tuple[TreeVersion, _Key], _Rendering] = {}
        self._cost = 0
        self.enumerations = 0

    @property
    def cost(self) -> int:
        """
        Bytes that all that is kept has, by estimate.
        """
        return self._cost

    async def answer(
        self, user: str, pattern: Pattern, utf8: bool, lists_public: bool = True
    ) -> Iterator[bytes]:
        """
        The LIST responses for the folders that C{pattern} means, in pieces of about
        C{limits.max_write}.

        @param utf8: whether names are in UTF-8 and not in modified UTF-7.
        @param lists_public: whether public folders are told of also when they are not asked for by name.
        @raise StaleListing: the hierarchy changes faster than it can be read.
        """
        trees = await self._current(user, lists_public or pattern.namesPublic)
        answers = [await self._answer(version, tree, pattern, utf8, False) for version, tree in trees]
        return (piece for answer in answers if isinstance(answer, tuple) for piece in answer)

    async def rows(
        self, user: str, patterns: Sequence[Pattern], utf8: bool, lists_public: bool = True
    ) -> list[Rows]:
        """
        The folders that any of C{patterns} means, one by one, in each tree for each pattern.

        @param lists_public: as for L{answer}.
        @raise StaleListing: as L{answer}.
        """
        public = lists_public or any(pattern.namesPublic for pattern in patterns)
        answers = [
            await self._answer(version, tree, pattern, utf8, True)
            for version, tree in await self._current(user, public)
            for pattern in patterns
            if lists_public or pattern.namesPublic or version.tree != PUBLIC_TREE
        ]
        return [answer for answer in answers if isinstance(answer, Rows)]

    async def trees(self, user: str) -> list[FolderTree]:
        """
        The trees that a user sees: his own, the other users', the public one.

        @raise StaleListing: as L{answer}.
        """
        return [tree for _, tree in await self._current(user)]

    async def _current(self, user: str, public: bool = True) -> list[tuple[TreeVersion, FolderTree]]:
        for tries_left in reversed(range(_TRIES)):
            versions = [each for each in await self._store.trees(user) if public or each.tree != PUBLIC_TREE]
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
        self, version: TreeVersion, tree: FolderTree, pattern: Pattern, utf8: bool, rows: bool
    ) -> _Answer:
        key = (pattern.text, utf8, rows)
        answer = tree.answers.get(key)
        if answer is not None:
            tree.answers.move_to_end(key)
            return answer
        flight = self._renderings.get((version, key))
        if flight is None:
            flight = self._renderings[version, key] = _Rendering(self._runtime)
            self._runtime.start(self._render(version, tree, pattern, key, flight))
        while flight.answer is None and not flight.failed:
            await flight.signal.wait()
        if flight.answer is None:
            raise StoreFault("the list of folders was not finished")
        return flight.answer

    async def _render(
        self, version: TreeVersion, tree: FolderTree, pattern: Pattern, key: _Key, flight: _Rendering
    ) -> None:
        """
        Render an answer, in slices, for all who wait for it.
        """
        _, utf8, rows = key
        maker: _Maker = _RowMaker() if rows else _PieceMaker(self._limits.max_write)
        names, attributes, ids = tree.names, tree.attributes, tree.ids
        matches = pattern.matches
        try:
            for looked_at, at in enumerate(tree.candidates(pattern), 1):
                name = names[at]
                if matches(name):
                    written = writer.mailbox(name, utf8)
                    maker.add(name, b'* LIST (%s) "/" %s\r\n' % (attributes[name], written), written, ids[at])
                if not looked_at % _SLICE:
                    await self._runtime.sleep(0)
            flight.answer = maker.answer()
            self._remember(version, tree, key, flight.answer)
        finally:
            flight.failed = flight.answer is None
            del self._renderings[version, key]
            flight.signal.fire()

    def _remember(self, version: TreeVersion, tree: FolderTree, key: _Key, answer: _Answer) -> None:
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


def _costOf(key: _Key, answer: _Answer) -> int:
    if isinstance(answer, Rows):
        bulk = sum(map(len, answer.lines)) + sum(map(len, answer.written)) + _ROW_COST * len(answer)
    else:
        bulk = sum(map(len, answer))
    return len(key[0]) + _NAME_COST + bulk
