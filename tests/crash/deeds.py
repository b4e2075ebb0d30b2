"""
The commands that a client gives, with what each does to its ledger.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import attrs

from tests.crash.ledger import Folder, Ledger, Letter

#: Where all clients put letters.
SHARED = b"Public Folders/Shared"

#: Letters that a client has at most before it begins to remove some.
_MANY = 40

#: Folders of its own that a client has at most.
_MAX_FOLDERS = 12

_FLAGS = (b"\\Seen", b"\\Flagged", b"\\Answered", b"\\Draft", b"work", b"$Done")
_NAMES = (b"a", b"b", b"c", b"&AOQ-", b"a long name")
_TOLD = re.compile(rb"\[(?:APPENDUID (\d+)|COPYUID (\d+) \S+) ([0-9:,]+)\]")


@attrs.frozen
class Deed:
    """
    A command.

    @ivar line: with its literals, without its tag and end.
    @ivar change: what it does to a ledger.
    @ivar folder: what must be selected.
    @ivar target: where letters arrive by it.
    @ivar reselect: the selected folder may be another one afterwards.
    @ivar parts: what it may have done to a ledger if it was not acknowledged, between nothing and all: what
        is about many messages is done in slices.
    """

    line: bytes
    change: Callable[[Ledger], None]
    folder: bytes = b""
    target: bytes = b""
    reselect: bool = False
    parts: tuple[Callable[[Ledger], None], ...] = ()

    def acknowledged(self, ledger: Ledger, responses: Sequence[bytes]) -> bool:
        """
        It was answered OK.

        @return: whether all was told that belongs to it: where letters are, which the store can
            be dead for when it is asked after the change.
        @raise AssertionError: what was told cannot be.
        """
        self.change(ledger)
        if not self.target or not ledger.folders[self.target].arrived:
            return True
        for response in responses:
            told = _TOLD.search(response)
            if told is not None:
                ledger.number(self.target, int(told[1] or told[2]), expanded(told[3]))
                return True
        return False


def expanded(uids: bytes) -> list[int]:
    """
    The numbers of a set, in its order.
    """
    found: list[int] = []
    for part in uids.split(b","):
        low, _, high = part.partition(b":")
        found += range(int(low), int(high or low) + 1)
    return found


class Chooser:
    """
    Thinks of commands.  What it chooses depends on its seed and on what it is shown only.
    """

    def __init__(self, name: str, roots: Sequence[bytes], chance: random.Random) -> None:
        """
        @param name: what its letters begin with.
        @param roots: folders of its own, below which it makes others.
        """
        self._name = name.encode()
        self._roots = tuple(roots)
        self._chance = chance
        self._count = 0

    def choose(self, ledger: Ledger) -> Deed:
        """
        A command that makes sense.
        """
        makers = (
            (self._append, 8),
            (self._store, 6),
            (self._copy, 3),
            (self._move, 4),
            (self._expunge, 3),
            (self._create, 3),
            (self._rename, 3),
            (self._delete, 2),
            (self._subscribe, 2),
        )
        if sum(len(each.letters) for each in ledger.folders.values()) > _MANY:
            # It has enough: the oldest go.
            return self._remove(ledger)
        while True:
            (make,) = self._chance.choices([each for each, _ in makers], [weight for _, weight in makers])
            deed = make(ledger)
            if deed is not None:
                return deed

    # --- what to do it with ---

    def _own(self, ledger: Ledger) -> list[bytes]:
        return sorted(name for name in ledger.folders if name.startswith(self._roots))

    def _made(self, ledger: Ledger) -> list[bytes]:
        return [name for name in self._own(ledger) if name not in self._roots]

    def _filled(self, ledger: Ledger) -> bytes | None:
        filled = sorted(name for name, each in ledger.folders.items() if each.letters)
        return self._chance.choice(filled) if filled else None

    def _some(self, folder: Folder) -> list[int]:
        uids = sorted(folder.letters)
        return sorted(self._chance.sample(uids, self._chance.randint(1, min(6, len(uids)))))

    def _letter(self) -> Letter:
        self._count += 1
        size = self._chance.choice((20, 200, 1000, 5000, 5000, 100_000))
        text = b"Subject: %s.%d\r\n\r\n" % (self._name, self._count)
        text += b"%x\r\n" % self._chance.getrandbits(4 * size)
        day, hour = self._chance.randint(1, 28), self._chance.randint(0, 23)
        date = b"%2d-Feb-2024 %02d:30:00 %s" % (day, hour, self._chance.choice((b"+0000", b"-0330")))
        return Letter(text, date, self._flags())

    def _flags(self) -> frozenset[bytes]:
        return frozenset(self._chance.sample(_FLAGS, self._chance.choice((0, 1, 1, 2, 3))))

    def _newName(self, ledger: Ledger, root: bytes = b"") -> bytes:
        root = root or self._chance.choice(self._roots)
        while True:
            parts = [self._chance.choice(_NAMES) for _ in range(self._chance.choice((1, 1, 2, 3)))]
            name = b"/".join((root, *parts))
            if name not in ledger.folders:
                return name

    # --- messages ---

    def _append(self, ledger: Ledger) -> Deed:
        name = self._chance.choice(sorted(ledger.folders))
        letters = [self._letter() for _ in range(self._chance.choice((1, 1, 1, 2, 4)))]
        line = b'APPEND "%s"' % name
        for each in letters:
            flags = b" ".join(sorted(each.flags))
            line += b' (%s) "%s" {%d+}\r\n%s' % (flags, each.date, len(each.text), each.text)
        return Deed(line, lambda after: after.arrive(name, letters), target=name)

    def _store(self, ledger: Ledger) -> Deed | None:
        name = self._filled(ledger)
        if name is None:
            return None
        uids, mode = self._some(ledger.folders[name]), self._chance.choice((b"+", b"-", b""))
        flags = self._flags() | ({b"\\Deleted"} if self._chance.random() < 0.3 else set())
        line = b"UID STORE %s %sFLAGS (%s)" % (_set(uids), mode, b" ".join(sorted(flags)))
        return _inSlices(line, uids, lambda after, some: after.flag(name, some, mode, flags), name)

    def _copy(self, ledger: Ledger) -> Deed | None:
        return self._transfer(ledger, b"COPY")

    def _move(self, ledger: Ledger) -> Deed | None:
        return self._transfer(ledger, b"MOVE")

    def _transfer(self, ledger: Ledger, command: bytes) -> Deed | None:
        name = self._filled(ledger)
        if name is None:
            return None
        uids, target = self._some(ledger.folders[name]), self._chance.choice(sorted(ledger.folders))
        letters = ledger.folders[name].letters
        line = b'UID %s %s "%s"' % (command, _set(uids), target)

        def copy(after: Ledger, some: list[int]) -> None:
            after.arrive(target, [letters[uid] for uid in some])

        def move(after: Ledger, some: list[int]) -> None:
            copy(after, some)
            after.remove(name, some)

        if command == b"MOVE":
            return _inSlices(line, uids, move, name, target)
        return Deed(line, lambda after: copy(after, uids), folder=name, target=target)

    def _expunge(self, ledger: Ledger) -> Deed | None:
        name = self._filled(ledger)
        if name is None:
            return None
        gone = [uid for uid, each in ledger.folders[name].letters.items() if b"\\Deleted" in each.flags]
        if not gone:
            return None
        # In folders that others use too, only what is one's own.
        alone = name.startswith(self._roots) and self._chance.random() < 0.5
        line = b"EXPUNGE" if alone else b"UID EXPUNGE " + _set(sorted(ledger.folders[name].letters))
        return _inSlices(line, gone, lambda after, some: after.remove(name, some), name)

    def _remove(self, ledger: Ledger) -> Deed:
        """
        Away with many: first the flag, then the letters that have it.
        """
        name = max(sorted(ledger.folders), key=lambda each: len(ledger.folders[each].letters))
        letters = ledger.folders[name].letters
        gone = [uid for uid, each in letters.items() if b"\\Deleted" in each.flags]
        if len(gone) >= len(letters) // 2:
            line = b"UID EXPUNGE " + _set(sorted(gone))
            return _inSlices(line, gone, lambda after, some: after.remove(name, some), name)
        uids, flags = sorted(letters)[: -(-len(letters) // 2)], frozenset((b"\\Deleted",))
        line = b"UID STORE %s +FLAGS (\\Deleted)" % _set(uids)
        return _inSlices(line, uids, lambda after, some: after.flag(name, some, b"+", flags), name)

    # --- folders ---

    def _create(self, ledger: Ledger) -> Deed | None:
        if len(self._made(ledger)) >= _MAX_FOLDERS:
            return None
        name = self._newName(ledger)
        return Deed(b'CREATE "%s"' % name, lambda after: after.create(name))

    def _rename(self, ledger: Ledger) -> Deed | None:
        made = self._made(ledger)
        if not made:
            return None
        name = self._chance.choice(made)
        root = next(each for each in self._roots if name.startswith(each))
        new_name = self._newName(ledger, root)
        if new_name.startswith(name + b"/"):
            return None
        line = b'RENAME "%s" "%s"' % (name, new_name)
        return Deed(line, lambda after: after.rename(name, new_name), reselect=True)

    def _delete(self, ledger: Ledger) -> Deed | None:
        made = self._made(ledger)
        leaves = [name for name in made if not any(each.startswith(name + b"/") for each in made)]
        if not leaves:
            return None
        name = self._chance.choice(leaves)
        return Deed(b'DELETE "%s"' % name, lambda after: after.delete(name), reselect=True)

    def _subscribe(self, ledger: Ledger) -> Deed:
        name = self._chance.choice(self._own(ledger))
        if name in ledger.subscribed:
            return Deed(b'UNSUBSCRIBE "%s"' % name, lambda after: after.subscribed.discard(name))
        return Deed(b'SUBSCRIBE "%s"' % name, lambda after: after.subscribed.add(name))


def _inSlices(
    line: bytes,
    uids: list[int],
    change: Callable[[Ledger, list[int]], None],
    folder: bytes,
    target: bytes = b"",
) -> Deed:
    """
    A command about some messages, which may have been done to the first of them only.
    """
    uids = sorted(uids)

    def done(count: int) -> Callable[[Ledger], None]:
        return lambda after: change(after, uids[:count])

    return Deed(line, done(len(uids)), folder, target, parts=tuple(map(done, range(1, len(uids)))))


def _set(uids: Sequence[int]) -> bytes:
    return b",".join(b"%d" % uid for uid in uids)
