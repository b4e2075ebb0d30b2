"""
The messages in folders, and bringing one in.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from mailstore.model import (
        AppendResult,
        CopyResult,
        FetchBatch,
        FetchSpec,
        FlagMode,
        FlagsStored,
        FolderDelta,
        NewMessage,
        News,
        OpenFolder,
        SearchTerm,
        Section,
        SortKey,
        ThreadAlgorithm,
        ThreadColumns,
        UidSet,
        Watcher,
    )


class IUpload(Interface):
    """
    A message on its way into the store, in pieces.
    """

    token: int = Attribute("What L{NewMessage.content<mailstore.model.NewMessage>} names it by.")

    def write(data: bytes) -> Awaitable[None]:
        """
        Add a piece of any length.  One at a time: wait for the result before
        the next.

        @raise MessageTooBig: more bytes than were announced, or than the store accepts.
        @raise OverQuota: no room to hold it.
        """

    def discard() -> None:
        """
        Throw it away, if it has not been stored.  Idempotent, never fails.
        """


class IMessages(Interface):
    """
    The messages in folders.
    """

    def openFolder(user: str, name: str, claim_recent: bool) -> Awaitable[OpenFolder]:
        """
        Look at a folder as a whole.

        @param claim_recent: make its recent messages recent to this opening
            and to no later one.
        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise PermissionDenied: no right C{r}.
        """

    def changes(user: str, folder: int, since: int, claim_recent: bool) -> AsyncGenerator[FolderDelta, None]:
        """
        What changed after the mod-sequence C{since}.  At least one batch.

        @raise NoSuchFolder: it was deleted.
        @raise PermissionDenied: the right C{r} was taken away.
        """

    def news(folder: int, watchers: tuple[Watcher, ...]) -> Awaitable[tuple[News, ...]]:
        """
        What L{changes} would give each of several, asked for at once: many are told the same of a change.

        @return: each watcher in one of them at most.  Who is in none asks for himself: there is more than is
            told here, or something is in the way, such as that he may not read the folder any more.
        @raise InvalidRequest: more than L{MAX_WATCHERS<mailstore.model.MAX_WATCHERS>}.
        """

    def fetch(user: str, folder: int, uids: UidSet, spec: FetchSpec) -> AsyncGenerator[FetchBatch, None]:
        """
        Read messages, in ascending order of UID.  Sets no flag.

        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}.
        @raise InvalidRequest: there is no such rendition.
        @raise UnknownEncoding: a part cannot be decoded that was asked for so.
        """

    def readSection(user: str, folder: int, uid: int, section: Section) -> AsyncGenerator[bytes, None]:
        """
        Read one section in pieces.  Once the first piece has been given the
        rest can be had even if the message is expunged meanwhile.  The pieces
        together have as many bytes as L{FetchBatch.sections<mailstore.model.FetchBatch>} said.

        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}.
        @raise InvalidRequest: no such message or no such part.
        @raise UnknownEncoding: it was asked for decoded and cannot be.
        """

    def largestMessage() -> Awaitable[int]:
        """
        Bytes that a message may have, to be stored here.
        """

    def upload(user: str, name: str, size: int | None) -> Awaitable[IUpload]:
        """
        Begin to bring a message of C{size} bytes into the named folder; C{None} if that will be
        known when it ends.

        Whether the folder takes it is checked in L{append} again.  When it took
        one of the user's only moments ago, a store may leave it to that.

        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise PermissionDenied: no right C{i}.
        @raise MessageTooBig:
        @raise OverQuota: there would be no room for it.
        @raise LimitReached: too many uploads at once.
        """

    def append(
        user: str, name: str, messages: tuple[NewMessage, ...], replaces: tuple[int, int] | None = None
    ) -> Awaitable[AppendResult]:
        """
        Store messages: all of them or none.  Flags the user has no right to
        set are left out (RFC 4314 section 4).  Uploads named are used up, also on failure.

        @param replaces: a message, by its folder's identity and its UID, that is removed in the same change
            (RFC 8508); room is looked for after that.
        @return: with no UIDs if the message to be replaced is not there: then nothing was stored.
        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise PermissionDenied: no right C{i}, or no right C{t} or C{e} where a message is replaced.
        @raise MessageTooBig:
        @raise OverQuota:
        @raise LimitReached: too many keywords.
        @raise InvalidRequest: no such upload, or an incomplete one.
        """

    def storeFlags(
        user: str,
        folder: int,
        uids: UidSet,
        mode: FlagMode,
        flags: tuple[str, ...],
        unchanged_since: int | None = None,
    ) -> Awaitable[FlagsStored]:
        """
        Change flags.  Those the user has no right to change stay as they are; if
        that is all of them, it is an error.  Very many messages are changed one part after the other, between
        which others are answered; if that ends with an error, some may have been changed.

        @raise NoSuchFolder:
        @raise PermissionDenied: none of C{s}, C{t}, C{w} as the flags would need.
        @raise LimitReached: too many keywords, or a keyword that is too long.
        """

    def copy(user: str, folder: int, uids: UidSet, target: str) -> Awaitable[CopyResult]:
        """
        Copy messages with flags and dates: all of them or none.  While very many are copied nobody sees
        any of them; others are answered, but who wants to add something to the same folder waits.

        @raise NoSuchFolder: of the two, the message says which.
        @raise NotSelectable:
        @raise PermissionDenied: no right C{r} here or C{i} there.
        @raise OverQuota:
        @raise LimitReached: too many keywords.
        """

    def move(user: str, folder: int, uids: UidSet, target: str) -> Awaitable[CopyResult]:
        """
        Copy messages and expunge them here, each as one change.  Very many are moved one part after the
        other, between which others are answered; if that ends with an error, some may have been moved.

        @raise NoSuchFolder: of the two, the message says which.
        @raise NotSelectable:
        @raise PermissionDenied: as L{copy}, and no right C{t} or C{e} here.
        @raise OverQuota:
        @raise LimitReached: too many keywords.
        """

    def expunge(user: str, folder: int, uids: UidSet | None) -> Awaitable[UidSet]:
        """
        Remove the messages with C{\\Deleted}; if C{uids} is given, only of those.  Very many are removed one
        part after the other, between which others are answered; if that ends with an error, some may be gone.

        @return: what was removed.
        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{e}.
        """

    def search(user: str, folder: int, term: SearchTerm) -> AsyncGenerator[bytes, None]:
        """
        Find messages.

        @return: packed L{uint32s<mailstore.model.uint32s>} of UIDs, ascending over all batches.  A
            batch may be empty: the store has looked and goes on.
        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}.
        @raise InvalidRequest: the term makes no sense.
        """

    def sort(
        user: str, folder: int, term: SearchTerm, keys: tuple[SortKey, ...]
    ) -> AsyncGenerator[bytes, None]:
        """
        Find messages, and put them in order (RFC 5256).  What is equal by all keys is in order of arrival.

        @return: packed L{uint32s<mailstore.model.uint32s>} of UIDs, sorted over all batches.
            A batch may be empty: the store has looked and goes on.
        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}.
        @raise InvalidRequest: the term makes no sense, or there are no keys or too many.
        @raise LimitReached: too many messages were found to be put in order.
        """

    def threads(
        user: str, folder: int, term: SearchTerm, algorithm: ThreadAlgorithm
    ) -> AsyncGenerator[ThreadColumns, None]:
        """
        Find messages, and put together what belongs together (RFC 5256).
        A batch may be empty: the store has looked and goes on.

        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}.
        @raise InvalidRequest: the term makes no sense.
        @raise LimitReached: too many messages were found to be put in order.
        """
