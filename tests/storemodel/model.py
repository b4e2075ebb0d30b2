"""
What a store must do, in dictionaries: folders, rights, messages, flags, subscriptions, quotas.

Each request gives the errors that it may be refused with (none: it must succeed), and, when it
succeeds, does to the dictionaries what the store does to its database.
"""

from __future__ import annotations

import attrs

from mailstore.errors import (
    FolderExists,
    FolderInUse,
    InvalidName,
    NoSuchFolder,
    NotSelectable,
    OverQuota,
    PermissionDenied,
    StoreError,
)
from mailstore.model import ALL_RIGHTS, OTHERS_ROOT, PUBLIC_ROOT, FlagMode

#: The owner of the public tree.
PUBLIC = ""

Errors = set[type[StoreError]]

#: A folder's place: whose tree, and the path in it.
Place = tuple[str, str]

_SYSTEM = {"\\Seen": "s", "\\Deleted": "t"}


@attrs.define
class Message:
    """
    A message in a folder.

    @ivar flags: those that all can see.
    @ivar seen: in a public folder, who has seen it.
    """

    text: bytes
    flags: frozenset[str]
    seen: frozenset[str] = frozenset()


@attrs.define
class Folder:
    """
    A folder, or with C{selectable} false a node.

    @ivar identity: the number that requests name it by; 0 while it has not been told.
    @ivar acl: letters by identifier.
    """

    acl: dict[str, str]
    selectable: bool = True
    identity: int = 0
    validity: int = 0
    uid_next: int = 1
    messages: dict[int, Message] = attrs.field(factory=dict)


class Model:
    """
    A store with alice, who administrates the public folders, and bob.
    """

    def __init__(self, users: tuple[str, ...]) -> None:
        everybody = {"authenticated": "lrs", users[0]: ALL_RIGHTS}
        self.users = users
        self.folders: dict[Place, Folder] = {(PUBLIC, ""): Folder(everybody, selectable=False)}
        for user in users:
            self.folders[user, "INBOX"] = Folder({})
        self.subscriptions: dict[str, set[str]] = {user: set() for user in users}
        self.quotas: dict[str, int] = {}

    # --- finding ---

    def place(self, user: str, name: str) -> Place:
        """
        Where a name leads a user.
        """
        first, _, rest = name.partition("/")
        if first == PUBLIC_ROOT:
            return PUBLIC, rest
        if first == OTHERS_ROOT:
            owner, _, path = rest.partition("/")
            return owner, path
        return user, name

    def shown(self, user: str, place: Place) -> str:
        """
        The name by which a user sees a place.
        """
        owner, path = place
        if owner == user:
            return path
        root = PUBLIC_ROOT if owner == PUBLIC else f"{OTHERS_ROOT}/{owner}"
        return f"{root}/{path}" if path else root

    def rights(self, user: str, place: Place) -> str:
        """
        What a user may do there.
        """
        if place[0] == user:
            return ALL_RIGHTS
        folder = self.folders.get(place)
        return "" if folder is None else self._of(user, folder.acl)

    @staticmethod
    def _of(user: str, acl: dict[str, str]) -> str:
        given = acl.get("authenticated", "") + acl.get(user, "")
        taken = acl.get("-authenticated", "") + acl.get("-" + user, "")
        return "".join(each for each in ALL_RIGHTS if each in given and each not in taken)

    def below(self, place: Place) -> list[Place]:
        """
        All places below one.
        """
        owner, path = place
        return [each for each in self.folders if each[0] == owner and each[1].startswith(path + "/")]

    def held(self, owner: str) -> int:
        """
        Messages in a tree.
        """
        return sum(len(each.messages) for place, each in self.folders.items() if place[0] == owner)

    def _lacking(self, user: str, place: Place, needed: str) -> Errors:
        """
        Why a user may not do what needs these rights on a folder that is there.
        """
        if place not in self.folders:
            return {NoSuchFolder}
        rights = self.rights(user, place)
        if all(each in rights for each in needed or "l"):
            return set()
        return {PermissionDenied} if "l" in rights else {NoSuchFolder}

    def mailbox(self, user: str, place: Place, needed: str) -> Errors:
        """
        As L{_lacking}, and it must hold messages.
        """
        folder = self.folders.get(place)
        if folder is not None and not folder.selectable:
            return {NotSelectable, NoSuchFolder}
        return self._lacking(user, place, needed)

    # --- folders ---

    def _parent(self, place: Place) -> Place | None:
        """
        The nearest one above that is there.
        """
        owner, path = place
        while path:
            path = path.rpartition("/")[0]
            if (owner, path) in self.folders:
                return owner, path
        return None

    def _mayCreate(self, user: str, place: Place) -> Errors:
        parent = self._parent(place)
        rights = ALL_RIGHTS if place[0] == user else "" if parent is None else self.rights(user, parent)
        if "k" in rights:
            return set()
        return {PermissionDenied} if "l" in rights else {NoSuchFolder}

    def _insert(self, place: Place) -> None:
        """
        Make a folder with the parents it lacks.
        """
        owner, path = place
        parent = self._parent(place)
        acl = {} if parent is None else self.folders[parent].acl
        parts = path.split("/")
        for end in range(1, len(parts)):
            self.folders.setdefault((owner, "/".join(parts[:end])), Folder(dict(acl)))
        self.folders[place] = Folder(dict(acl))

    def _prune(self, place: Place) -> None:
        """
        Remove the nodes above that have nothing below them any more.
        """
        owner, path = place
        while path := path.rpartition("/")[0]:
            folder = self.folders.get((owner, path))
            if folder is None or folder.selectable or self.below((owner, path)):
                return
            del self.folders[owner, path]

    def create(self, user: str, name: str) -> Errors:
        """
        See L{IHierarchy.createFolder}.
        """
        place = self.place(user, name)
        there = self.folders.get(place)
        if there is not None and there.selectable:
            return {FolderExists, *self._mayCreate(user, place)}
        errors = self._mayCreate(user, place)
        if not errors:
            self._insert(place)
        return errors

    def delete(self, user: str, name: str) -> Errors:
        """
        See L{IHierarchy.deleteFolder}.
        """
        place = self.place(user, name)
        errors = self._lacking(user, place, "x")
        if errors:
            return errors
        folder = self.folders[place]
        if place[1] == "INBOX" or not folder.selectable:
            return {FolderInUse}
        if self.below(place):
            self.folders[place] = Folder(folder.acl, selectable=False)
        else:
            del self.folders[place]
            self._prune(place)
        return set()

    def rename(self, user: str, name: str, new_name: str) -> Errors:
        """
        See L{IHierarchy.renameFolder}.
        """
        old, new = self.place(user, name), self.place(user, new_name)
        errors = self._lacking(user, old, "x")
        if errors:
            return errors
        if old[0] != new[0]:
            return {InvalidName}
        is_inbox = old[1] == "INBOX"
        if new[1].startswith(old[1] + "/") and not is_inbox:
            return {InvalidName}
        if new in self.folders:
            return {FolderExists, *self._mayCreate(user, new)}
        errors = self._mayCreate(user, new)
        if errors:
            return errors
        if is_inbox:
            self._insert(new)
            inbox = self.folders[old]
            self._arrive(new, [inbox.messages[uid] for uid in sorted(inbox.messages)])
            inbox.messages = {}
            return set()
        parent = self._parent(new)
        above = new[1].rpartition("/")[0]
        if above and (new[0], above) not in self.folders:
            self._insert((new[0], above))
        del parent
        for each in [old, *self.below(old)]:
            self.folders[new[0], new[1] + each[1][len(old[1]) :]] = self.folders.pop(each)
        self._prune(old)
        return set()

    def setRights(self, user: str, name: str, identifier: str, letters: str) -> Errors:
        """
        See L{IHierarchy.setRights}, in place of those there are, on one folder.
        """
        place = self.place(user, name)
        errors = self._lacking(user, place, "a")
        if errors:
            return errors
        if place[0] == identifier.lstrip("-"):
            return {PermissionDenied}
        self.folders[place].acl.pop(identifier, None)
        if letters:
            self.folders[place].acl[identifier] = letters
        return set()

    # --- messages ---

    def allowed(self, user: str, place: Place, flag: str) -> bool:
        """
        Whether a user may change a flag there.
        """
        return _SYSTEM.get(flag, "w") in self.rights(user, place)

    def seenBy(self, user: str, place: Place, message: Message) -> frozenset[str]:
        """
        The flags of a message as a user sees them.
        """
        if place[0] == PUBLIC and user in message.seen:
            return message.flags | {"\\Seen"}
        return message.flags

    def made(self, user: str, place: Place, text: bytes, flags: frozenset[str]) -> Message:
        """
        A message that a user brings into a folder, with the flags that he may set there.
        """
        kept = frozenset(each for each in flags if self.allowed(user, place, each))
        if place[0] == PUBLIC and "\\Seen" in kept:
            return Message(text, kept - {"\\Seen"}, frozenset((user,)))
        return Message(text, kept)

    def _arrive(self, place: Place, messages: list[Message]) -> tuple[int, ...]:
        folder = self.folders[place]
        uids = tuple(range(folder.uid_next, folder.uid_next + len(messages)))
        folder.messages |= dict(zip(uids, messages, strict=True))
        folder.uid_next += len(messages)
        return uids

    def _overQuota(self, place: Place, more: int) -> bool:
        limit = self.quotas.get(place[0])
        return limit is not None and more > 0 and self.held(place[0]) + more > limit

    def append(
        self, user: str, name: str, texts: list[bytes], flags: frozenset[str]
    ) -> tuple[Errors, tuple[int, ...]]:
        """
        See L{IMessages.append}.

        @return: also the UIDs.
        """
        place = self.place(user, name)
        errors = self.mailbox(user, place, "i")
        if not errors and self._overQuota(place, len(texts)):
            errors = {OverQuota}
        if errors:
            return errors, ()
        return set(), self._arrive(place, [self.made(user, place, text, flags) for text in texts])

    def store(
        self, user: str, place: Place, uids: list[int], mode: FlagMode, flags: frozenset[str]
    ) -> Errors:
        """
        See L{IMessages.storeFlags}.
        """
        rights = self.rights(user, place)
        if not any(each in rights for each in "stw"):
            return {PermissionDenied, NoSuchFolder}
        usable = frozenset(each for each in flags if self.allowed(user, place, each))
        if mode is not FlagMode.REPLACE and flags and not usable:
            return {PermissionDenied, NoSuchFolder}
        folder = self.folders[place]
        for uid in uids:
            message = folder.messages.get(uid)
            if message is None:
                continue
            old = self.seenBy(user, place, message)
            if mode is FlagMode.ADD:
                new = old | usable
            elif mode is FlagMode.REMOVE:
                new = old - usable
            else:
                new = frozenset(each for each in old if not self.allowed(user, place, each)) | usable
            if place[0] == PUBLIC:
                seen = message.seen - {user} | ({user} if "\\Seen" in new else set())
                folder.messages[uid] = Message(message.text, new - {"\\Seen"}, seen)
            else:
                folder.messages[uid] = Message(message.text, new)
        return set()

    def transfer(
        self, user: str, place: Place, uids: list[int], target: str, move: bool
    ) -> tuple[Errors, list[int], tuple[int, ...]]:
        """
        See L{IMessages.copy} and L{IMessages.move}.

        @return: also the UIDs here and there.
        """
        there = self.place(user, target)
        errors = self._lacking(user, place, "rte" if move else "r") | self.mailbox(user, there, "i")
        if errors:
            return errors, [], ()
        folder = self.folders[place]
        found = [uid for uid in uids if uid in folder.messages]
        if (not move or place[0] != there[0]) and self._overQuota(there, len(found)):
            return {OverQuota}, [], ()
        letters = [folder.messages[uid] for uid in found]
        copies = [self.made(user, there, each.text, self.seenBy(user, place, each)) for each in letters]
        targets = self._arrive(there, copies)
        if move:
            for uid in found:
                del folder.messages[uid]
        return set(), found, targets

    def expunge(self, user: str, place: Place, uids: list[int] | None) -> tuple[Errors, list[int]]:
        """
        See L{IMessages.expunge}.

        @return: also what was removed.
        """
        errors = self._lacking(user, place, "e")
        if errors:
            return errors, []
        folder = self.folders[place]
        gone = [
            uid
            for uid, each in folder.messages.items()
            if "\\Deleted" in each.flags and (uids is None or uid in uids)
        ]
        for uid in gone:
            del folder.messages[uid]
        return set(), gone
