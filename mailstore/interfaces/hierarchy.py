"""
The folders, and what is said of each.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING

from zope.interface import Interface

from mailstore.model import RightsMode

if TYPE_CHECKING:
    from mailstore.model import (
        Annotated,
        FolderColumns,
        FolderStatus,
        Metadata,
        Quota,
        StatusColumns,
        TreeVersion,
    )


class IHierarchy(Interface):
    """
    The folders, their rights, and who subscribes to them.
    """

    def trees(user: str) -> Awaitable[tuple[TreeVersion, ...]]:
        """
        The versions of the user's personal tree, of the part of other users'
        trees the user may look up, and of the part of the public tree the
        user may look up, in this order.  Cheap.
        """

    def folders(user: str, tree: TreeVersion) -> AsyncGenerator[FolderColumns, None]:
        """
        All folders of a tree.  The public tree begins with the public root,
        which cannot be opened.

        @raise StaleListing: the version is no longer the user's.
        """

    def createFolder(user: str, name: str, special_use: str = "") -> Awaitable[int]:
        """
        Create a folder, and the parents it lacks.  It gets a copy of its
        parent's rights.

        @return: its identity.
        @raise FolderExists:
        @raise InvalidName:
        @raise NoSuchFolder: the parent cannot be looked up.
        @raise PermissionDenied: no right C{k} on the parent.
        @raise LimitReached: there are too many folders.
        """

    def deleteFolder(user: str, name: str) -> Awaitable[None]:
        """
        Delete a folder with its messages.  If it has children, the name stays
        as a node that cannot be opened.

        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{x}.
        @raise FolderInUse: it always exists (INBOX, a root), or it is a node
            without messages that has children.
        """

    def renameFolder(user: str, name: str, new_name: str) -> Awaitable[None]:
        """
        Give a folder, with all below it, a new name, creating the parents that
        lacks.  Renaming INBOX moves its messages into a new folder and
        leaves it empty (RFC 9051 section 6.3.6), as L{move<mailstore.interfaces.IMessages.move>} does.

        @raise NoSuchFolder:
        @raise FolderExists:
        @raise InvalidName: also when it would be moved into itself or into another
            namespace than the one it is in.
        @raise PermissionDenied: no right C{x} on it, or no C{k} on the new parent.
        @raise FolderInUse: it is a root.
        """

    def status(user: str, name: str) -> Awaitable[FolderStatus]:
        """
        The counts of a folder.  Maintained, so it costs the same for any size.

        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise PermissionDenied: no right C{r}.
        """

    def statuses(user: str, folders: bytes) -> AsyncGenerator[StatusColumns, None]:
        """
        The counts of many folders, in one scan.  Those that do not exist any
        more, and those that the user may not look up, are left out; of those that he
        may look up and not read, only his rights are told.

        @param folders: packed L{uint64s<mailstore.model.uint64s>} of identities.
        @raise InvalidRequest: that is no such column.
        """

    def subscriptions(user: str) -> Awaitable[tuple[str, ...]]:
        """
        The names the user subscribes to, in order; they need not exist.  A store may
        subscribe users to new public folders on its own.
        """

    def subscribe(user: str, name: str) -> Awaitable[None]:
        """
        Add a name.  Adding it again changes nothing.

        @raise InvalidName:
        @raise LimitReached: too many subscriptions.
        """

    def unsubscribe(user: str, name: str) -> Awaitable[None]:
        """
        Take a name away.  Taking away one that is not there changes nothing.

        @raise LimitReached: the store subscribed the user on its own, and has been told
            of too many that he does not want.
        """

    def rights(user: str, name: str) -> Awaitable[str]:
        """
        What the user may do with a folder.

        @raise NoSuchFolder: also when he has none of C{lrikxa}.
        """

    def acl(user: str, name: str) -> Awaitable[tuple[tuple[str, str], ...]]:
        """
        The rights on a folder: pairs of identifier and letters, in the order
        of the identifiers.

        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{a}.
        """

    def setRights(
        user: str, name: str, identifier: str, letters: str, mode: RightsMode = RightsMode.REPLACE
    ) -> Awaitable[int]:
        """
        Change the rights of an identifier: replace them by these (none: remove
        it), give it these as well, or take these from it, in one step.  On a
        namespace's root (C{"Public Folders"}) it holds for every folder below
        as well; elsewhere for the one folder.

        An identifier is a user's name, L{ANYONE<mailstore.model.ANYONE>},
        L{AUTHENTICATED<mailstore.model.AUTHENTICATED>}, or
        L{GROUP_PREFIX<mailstore.model.GROUP_PREFIX>} with a group's name; with C{-} in front it
        takes rights from these that another identifier gives (RFC 4314 section 2).  An
        entry of somebody who is no more can only be removed.

        @return: how many folders it changed.
        @raise NoSuchFolder:
        @raise NoSuchUser: the identifier names no user.
        @raise NoSuchGroup: the identifier names no group.
        @raise InvalidName: a letter names no right.
        @raise LimitReached: the rights on the folder would name too many identifiers.
        @raise PermissionDenied: no right C{a}; or nobody would have it any more, neither on the
            folder nor on the root of the public ones.  L{SYSTEM<mailstore.model.SYSTEM>} may do that.
        """

    def grantable(user: str, name: str, identifier: str) -> Awaitable[tuple[str, str]]:
        """
        What L{setRights} can do for an identifier on a folder.

        @return: the rights that it has always; and those that it can be given and lose,
            each on its own.
        @raise NoSuchFolder:
        @raise NoSuchUser: as L{setRights}.
        @raise NoSuchGroup: as L{setRights}.
        @raise PermissionDenied: no right C{a}.
        """

    def quotaRoots(user: str, name: str) -> Awaitable[tuple[str, ...]]:
        """
        The quota roots that hold for a folder.

        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}.
        """

    def quota(user: str, root: str) -> Awaitable[Quota]:
        """
        What a quota root holds and may hold.  Maintained, so it costs the same for any size.

        @raise NoSuchFolder: there is no such root, or the user may read no folder of it.
        """

    def setQuota(user: str, root: str, limits: tuple[tuple[str, int], ...]) -> Awaitable[Quota]:
        """
        Limit what a quota root may hold, in place of all limits there are.  For
        L{SYSTEM<mailstore.model.SYSTEM>}, and for who administrates the public folders.

        @param limits: resources and how much of each.
        @return: the quota now.
        @raise NoSuchFolder: there is no such root, or the user may read no folder of it.
        @raise InvalidRequest: there is no such resource, or a limit that makes no sense.
        @raise PermissionDenied: no right C{a} on the public folders.
        """

    def metadata(
        user: str, name: str, entries: tuple[str, ...], depth: int | None, max_size: int | None
    ) -> Awaitable[Metadata]:
        """
        Annotations of a folder.  Those below C{/private} are each user's own.

        @param name: C{""} for the server.
        @param entries: names, in any case.
        @param depth: of what is below these: 0 for nothing, 1 for one level, C{None} for all.
        @param max_size: leave out what is longer.
        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}.
        @raise InvalidName: a name that no annotation has.
        """

    def annotations(
        user: str, folders: bytes, entries: tuple[str, ...]
    ) -> AsyncGenerator[tuple[Annotated, ...], None]:
        """
        Annotations of many folders, in one scan and in the order in which they were asked for, each once.
        Those that do not exist any more or cannot be selected, and those of which L{metadata}
        would tell the user nothing, are left out; those that have no value are not.

        @param folders: packed L{uint64s<mailstore.model.uint64s>} of identities.
        @param entries: names, in any case.
        @raise InvalidRequest: that is no such column.
        @raise InvalidName: a name that no annotation has.
        """

    def setMetadata(user: str, name: str, values: dict[str, bytes | None]) -> Awaitable[None]:
        """
        Change annotations of a folder: all of these or none.

        @param name: C{""} for the server.
        @param values: values by names, in any case; C{None} removes one.
        @raise NoSuchFolder:
        @raise PermissionDenied: no right C{r}, or for one below C{/shared} no right
            C{w}; on the server no right C{a} on the public folders.
        @raise InvalidName: a name that no annotation can have.
        @raise MessageTooBig: a value is too long.
        @raise LimitReached: too many annotations.
        """
