"""
What must be in the store, by what a client was told.

A command that was acknowledged has happened; the one that was not answered, or with
C{NO [UNAVAILABLE]}, has happened wholly or not at all.  So there are at most two
ledgers that the store may agree with.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class Letter:
    """
    A message in a folder.

    @ivar text: its bytes, which begin with the name of the client that brought it.
    @ivar date: its INTERNALDATE, as on the wire.
    """

    text: bytes
    date: bytes
    flags: frozenset[bytes]


@attrs.define
class Folder:
    """
    A folder, or of a folder that several clients use, what one of them has in it.

    @ivar validity: its UIDVALIDITY; 0 when no one has said it yet.
    @ivar letters: by UID.
    @ivar arrived: letters whose UIDs are not known, in their order.
    """

    validity: int = 0
    letters: dict[int, Letter] = attrs.field(factory=dict)
    arrived: list[Letter] = attrs.field(factory=list)

    def copy(self) -> Folder:
        """
        One that can be changed alone.
        """
        return Folder(self.validity, dict(self.letters), list(self.arrived))


@attrs.frozen
class Found:
    """
    A folder as it was read.

    @ivar uid_next: what the next message gets.
    @ivar modseq: HIGHESTMODSEQ.
    @ivar letters: by UID.
    @ivar modseqs: by UID.
    """

    validity: int
    uid_next: int
    modseq: int
    letters: Mapping[int, Letter]
    modseqs: Mapping[int, int]


@attrs.define
class Ledger:
    """
    What a client must find.

    @ivar folders: by name.
    @ivar subscribed: names.
    """

    folders: dict[bytes, Folder] = attrs.field(factory=dict)
    subscribed: set[bytes] = attrs.field(factory=set)

    def copy(self) -> Ledger:
        """
        One that can be changed alone.
        """
        return Ledger({name: each.copy() for name, each in self.folders.items()}, set(self.subscribed))

    # --- what commands do ---

    def create(self, name: bytes) -> None:
        """
        A folder, with the parents that it lacks.
        """
        parts = name.split(b"/")
        for end in range(1, len(parts) + 1):
            self.folders.setdefault(b"/".join(parts[:end]), Folder())
        # Namespaces are no folders.
        self.folders.pop(b"Public Folders", None)

    def delete(self, name: bytes) -> None:
        """
        A folder that has none below it.
        """
        del self.folders[name]

    def rename(self, name: bytes, new_name: bytes) -> None:
        """
        A folder with all below it.
        """
        moved = {each for each in self.folders if each == name or each.startswith(name + b"/")}
        self.folders = {
            (new_name + each[len(name) :] if each in moved else each): folder
            for each, folder in self.folders.items()
        }
        self.create(new_name)

    def arrive(self, name: bytes, letters: list[Letter]) -> None:
        """
        New letters.
        """
        self.folders[name].arrived += letters

    def remove(self, name: bytes, uids: list[int]) -> None:
        """
        Letters, for good.
        """
        for uid in uids:
            del self.folders[name].letters[uid]

    def flag(self, name: bytes, uids: list[int], mode: bytes, flags: frozenset[bytes]) -> None:
        """
        Flags of letters.

        @param mode: C{+}, C{-} or nothing.
        """
        letters = self.folders[name].letters
        for uid in uids:
            had = letters[uid].flags
            now = had | flags if mode == b"+" else had - flags if mode == b"-" else flags
            letters[uid] = attrs.evolve(letters[uid], flags=now)

    def number(self, name: bytes, validity: int, uids: list[int]) -> None:
        """
        The UIDs of the letters that have just arrived.

        @raise AssertionError: they are not possible.
        """
        folder = self.folders[name]
        assert folder.validity in (0, validity), f"UIDVALIDITY {validity}, not {folder.validity}"
        assert len(uids) == len(folder.arrived), f"{len(uids)} UIDs for {len(folder.arrived)} letters"
        for uid, letter in zip(uids, folder.arrived, strict=True):
            assert uid not in folder.letters, f"UID {uid} is given a second time"
            folder.letters[uid] = letter
        folder.validity, folder.arrived = validity, []

    # --- what is there ---

    def difference(self, found: Mapping[bytes, Found], subscribed: set[bytes]) -> str:
        """
        What is otherwise than it must be; nothing if all is well.
        """
        if subscribed != self.subscribed:
            return f"subscribed to {sorted(subscribed)}, not {sorted(self.subscribed)}"
        if set(found) != set(self.folders):
            lost, extra = set(self.folders) - set(found), set(found) - set(self.folders)
            return f"folders lost: {sorted(lost)}, not to be there: {sorted(extra)}"
        for name, folder in self.folders.items():
            wrong = _differenceIn(folder, found[name])
            if wrong:
                return f"in {name.decode()}: {wrong}"
        return ""

    def adopt(self, found: Mapping[bytes, Found]) -> None:
        """
        Take over the numbers of what was found to be as it must be.
        """
        for name, each in found.items():
            self.folders[name] = Folder(each.validity, dict(each.letters))


def _differenceIn(folder: Folder, found: Found) -> str:
    if folder.validity and folder.validity != found.validity:
        return f"UIDVALIDITY {found.validity}, not {folder.validity}"
    for uid, letter in folder.letters.items():
        there = found.letters.get(uid)
        if there is None:
            return f"UID {uid} is lost: {_shown(letter)}"
        if there != letter:
            return f"UID {uid} is {_shown(there)}, not {_shown(letter)}"
    rest = [found.letters[uid] for uid in sorted(set(found.letters) - set(folder.letters))]
    if rest != folder.arrived:
        return f"came: {list(map(_shown, rest))}, not {list(map(_shown, folder.arrived))}"
    newest = max(folder.letters, default=0)
    if any(uid <= newest for uid in set(found.letters) - set(folder.letters)):
        return "a letter came with the UID of an earlier one"
    return ""


def _shown(letter: Letter) -> str:
    name = letter.text.partition(b"\r\n")[0].decode("latin-1")
    flags = b" ".join(sorted(letter.flags)).decode()
    text = f"{len(letter.text)} bytes {hash(letter.text) & 0xFFFF:04x}"
    return f"<{name}, {text}, {letter.date.decode()}, ({flags})>"


@attrs.define
class History:
    """
    What never goes back.

    @ivar newest: the greatest UIDVALIDITY of all there were.
    """

    newest: int = 0
    _folders: dict[tuple[str, int], Found] = attrs.field(factory=dict)

    def advance(self, found: Mapping[str, list[Found]], told: Mapping[tuple[str, int, int], int]) -> str:
        """
        Compare with what there was before, and remember.

        @param found: by user: each may have a C{\\Seen}, and mod-sequences, of his own.
        @param told: the mod-sequences that clients were told, by user, UIDVALIDITY and UID.
        @return: what has gone back; nothing if all is well.
        """
        before = self.newest
        for user, each in [(user, each) for user, those in found.items() for each in those]:
            old = self._folders.get((user, each.validity))
            if old is None and each.validity <= before:
                return f"a new folder has UIDVALIDITY {each.validity}, and there was {before} before"
            wrong = "" if old is None else self._backwards(old, each)
            for uid, modseq in each.modseqs.items():
                last = told.get((user, each.validity, uid), 0)
                if modseq < last:
                    wrong = f"MODSEQ {modseq} of UID {uid}, after a client was told {last}"
                if modseq > each.modseq:
                    wrong = f"MODSEQ {modseq} of UID {uid}, and HIGHESTMODSEQ {each.modseq}"
                if uid >= each.uid_next:
                    wrong = f"UID {uid}, and UIDNEXT {each.uid_next}"
            if wrong:
                return f"UIDVALIDITY {each.validity}: {wrong}"
            self.newest = max(self.newest, each.validity)
        self._folders = {(user, each.validity): each for user, those in found.items() for each in those}
        return ""

    @staticmethod
    def _backwards(old: Found, new: Found) -> str:
        if new.uid_next < old.uid_next:
            return f"UIDNEXT {new.uid_next}, after {old.uid_next}"
        if new.modseq < old.modseq:
            return f"HIGHESTMODSEQ {new.modseq}, after {old.modseq}"
        for uid, modseq in new.modseqs.items():
            if modseq < old.modseqs.get(uid, 0):
                return f"MODSEQ {modseq} of UID {uid}, after {old.modseqs[uid]}"
            if uid not in old.modseqs and uid < old.uid_next:
                return f"UID {uid} is new, after UIDNEXT {old.uid_next}"
        return ""
