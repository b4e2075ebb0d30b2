"""
What is in a server, for the tests that it serves: putting something in, and looking what is there.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from mailstore.admin.importing import Importer
from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.auth.saslprep import prepare
from mailstore.config import Config
from mailstore.errors import NoSuchFolder
from mailstore.interfaces import IStore
from mailstore.lmtp.commands import Path
from mailstore.lmtp.courier import Addressing
from mailstore.model import ANYONE, OTHERS_ROOT, SEPARATOR, SYSTEM, NewMessage, folderName
from mailstore.testing.stored import Mail, Watch, readMails

T = TypeVar("T")

#: Seconds between two looks for a folder that is not there yet, which nobody tells of.
_PAUSE = 0.05


def several(texts: Iterable[str]) -> tuple[str, ...]:
    """
    @raise TypeError: it is one text, which would be taken for its letters.
    """
    if isinstance(texts, str):
        raise TypeError(f"a list of texts is wanted, not {texts!r}")
    return tuple(texts)


class NotLoaded(Exception):
    """
    What was to be loaded into a server is no mail; the message names it.
    """


class NotDelivered(Exception):
    """
    A message did not reach some of its recipients; the message says which, and why.
    """


class NotArrived(AssertionError):
    """
    The messages that were waited for did not come in time; the message says what is there.
    """


class Contents(ABC):
    """
    The part of a L{MailServer<mailstore.testing.MailServer>} that is about users, folders and messages.

    Folders are named in full, C{"Public Folders/News"} or C{"Other Users/alice/INBOX"}; where there is an
    C{owner}, a folder of his is named as he sees it, C{"INBOX"}.
    """

    _config: Config

    @abstractmethod
    def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """
        Run an C{async} function in the server's thread, and wait for it.
        """

    @property
    @abstractmethod
    def running(self) -> bool:
        """
        Whether it has been started and not stopped.
        """

    @property
    @abstractmethod
    def store(self) -> IStore:
        """
        The store itself, to be used through L{call}.

        @raise RuntimeError: it does not run.
        """

    # --- filling it ----------------------------------------------------------

    def addUser(self, name: str, password: str) -> None:
        """
        Add a user, with an INBOX.

        @raise StoreError: there is one of that name, or it can be no name.
        @raise ValueError: the password is empty, or has a character that none can have.
        """
        prepare(password)
        self.call(lambda: self.store.createUser(name, makeCredentials(password, QUICK_ITERATIONS)))

    def createFolder(self, folder: str, owner: str | None = None) -> None:
        """
        Make a folder, and the parents that it lacks.

        @raise StoreError: it is there already, or it can be no name.
        """
        self.call(lambda: self.store.createFolder(SYSTEM, self._name(folder, owner)))

    def addAddress(self, folder: str, address: str) -> None:
        """
        Give a public folder an address, so that mail can be delivered there; C{anyone} gets the right to
        post.

        @raise StoreError: a folder has it already, or it is no address.
        """

        async def add() -> None:
            await self.store.addAddress(SYSTEM, folder, address)
            rights = dict(await self.store.acl(SYSTEM, folder)).get(ANYONE, "")
            await self.store.setRights(SYSTEM, folder, ANYONE, rights + "p")

        self.call(add)

    def deliver(self, message: bytes, *recipients: str) -> None:
        """
        Deliver a message as a mail server would, to users' INBOXes and public folders, each by name or
        address.

        @param recipients: such as C{"alice"}, C{"alice@example.org"} or the address of a folder.
        @raise NotDelivered: some did not get it.
        """
        if not isinstance(message, bytes) or not recipients:
            raise TypeError("a message is bytes, and is for somebody")
        addressing = Addressing(self._config.lmtp_domains, self._config.lmtp_detail)
        whom = tuple(addressing.recipient(_path(each)) for each in recipients)
        results = self.call(lambda: self.store.deliver(whom, message))
        failed = [f"{name}: {each.text}" for name, each in zip(recipients, results, strict=True) if each.code]
        if failed:
            raise NotDelivered("; ".join(failed))

    def load(self, path: str, folder: str, owner: str | None = None) -> int:
        """
        Import mail, as C{mailstore import} does: an mbox, a Maildir, an .eml
        file or a directory of them.

        @param folder: its full name, or its name in C{owner}'s mailbox.
        @return: the number of messages.
        @raise NotLoaded: something was no mail, or cannot be read.
        """
        limits = self._config.store_limits
        importer = Importer(self.store, self._name(folder, owner), limits.max_message, limits.max_append)

        async def load() -> int:
            await importer.run(importer.plan(path))
            for each in importer.report.problems:
                raise NotLoaded(f"{each.path}: {each.reason}")
            return importer.report.messages

        return self.call(load)

    def append(self, message: bytes, folder: str, flags: Iterable[str] = (), owner: str | None = None) -> int:
        """
        Store one message.

        @param folder: its full name, or its name in C{owner}'s mailbox.
        @return: its UID.
        """
        if not isinstance(message, bytes):
            raise TypeError("a message is bytes")
        new = NewMessage(message, several(flags))

        async def append() -> int:
            result = await self.store.append(SYSTEM, self._name(folder, owner), (new,))
            return result.uids[0]

        return self.call(append)

    def setRights(self, folder: str, identifier: str, rights: str) -> None:
        """
        Give a user, C{"authenticated"} or C{"anyone"} exactly these rights (RFC 4314).
        """

        async def setRights() -> None:
            await self.store.setRights(SYSTEM, folder, identifier, rights)

        self.call(setRights)

    @staticmethod
    def _name(folder: str, owner: str | None) -> str:
        return folder if owner is None else SEPARATOR.join((OTHERS_ROOT, owner, folderName(folder)))

    # --- what is there -----------------------------------------------------------

    def messages(self, folder: str, owner: str | None = None, *, viewer: str = SYSTEM) -> tuple[Mail, ...]:
        """
        The messages in a folder, the oldest first.  Looking sets no flag.

        @param viewer: the user with whose own C{\\Seen} a public folder is looked at; by default nobody's.
        @raise StoreError: there is no such folder, or the viewer may not read it.
        """
        name = self._name(folder, owner)
        return self.call(lambda: readMails(self.store, viewer, name))

    def waitFor(
        self,
        folder: str,
        owner: str | None = None,
        *,
        count: int = 1,
        match: Callable[[Mail], bool] | None = None,
        timeout: float = 5.0,
    ) -> tuple[Mail, ...]:
        """
        Wait until there are messages in a folder, which need not be there yet.

        @param count: how many.
        @param match: which of them count; by default all.
        @param timeout: seconds to wait.
        @return: those that count, the oldest first.
        @raise NotArrived: there are fewer; it is an C{AssertionError}.
        """
        end = time.monotonic() + timeout
        watch = Watch()
        self.call(lambda: self._observe(watch))
        try:
            while True:
                watch.changed.clear()
                pause = _PAUSE
                there: tuple[Mail, ...] = ()
                try:
                    there = self.messages(folder, owner)
                    pause = timeout
                except NoSuchFolder:
                    pass
                found = tuple(each for each in there if match is None or match(each))
                if len(found) >= count:
                    return found
                left = end - time.monotonic()
                if left <= 0:
                    subjects = ", ".join(repr(each.subject) for each in there) or "none"
                    counted = f"{len(found)} of {count} messages in {folder} after {timeout:g} s"
                    raise NotArrived(f"{counted}; there are: {subjects}")
                watch.changed.wait(min(left, pause))
        finally:
            if self.running:
                self.call(lambda: self._unobserve(watch))

    async def _observe(self, watch: Watch) -> None:
        self.store.observe(watch)

    async def _unobserve(self, watch: Watch) -> None:
        self.store.unobserve(watch)


def _path(recipient: str) -> Path:
    local, at, domain = recipient.rpartition("@")
    return Path(local, domain, recipient) if at else Path(recipient, "", recipient)
