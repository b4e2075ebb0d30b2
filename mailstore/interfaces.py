"""
What a mail store is, to everybody who uses one.

L{IStore} has two implementations, the engine (L{mailstore.engine}) and
L{RemoteStore<mailstore.ipc.client.RemoteStore>}, which reaches an engine through
a channel; L{StoreTestsMixin<mailstore.testing.storetests.StoreTestsMixin>} holds
both to the sentences below.

  - The store is the trust boundary: it checks the rights of C{user} in every
    request, whatever its caller has checked before.
  - A change is durable when its result arrives.  An error means that nothing
    was changed, except L{StoreUnavailable<mailstore.errors.StoreUnavailable>},
    after which it is unknown.
  - Long answers come in batches, as asynchronous iterators.  The next batch is
    made when it is asked for; who does not ask, pays nothing and holds up
    nobody.  C{aclose()} gives up the rest and is always to be called when an
    iteration is left early.
  - Every method can raise L{StoreBusy<mailstore.errors.StoreBusy>},
    L{DeadlineExpired<mailstore.errors.DeadlineExpired>},
    L{StoreUnavailable<mailstore.errors.StoreUnavailable>} and
    L{StoreFault<mailstore.errors.StoreFault>}.  What else it can raise is said
    with it, and nothing else ever comes.  An asynchronous iterator raises
    when it is iterated, not when it is made.
  - Where a folder is named by text, it is the name as C{user} sees it:
    C{"INBOX"}, C{"Sent/2026"}, C{"Public Folders/Sales"},
    C{"Other Users/bob/Drafts"}.  Where it is a number, it is
    L{OpenFolder.folder<mailstore.model.OpenFolder>}.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

from mailstore.model import RightsMode

if TYPE_CHECKING:
    from mailstore.model import (
        AppendResult,
        CopyResult,
        Credentials,
        Delivered,
        Expiry,
        FetchBatch,
        FetchSpec,
        FlagMode,
        FlagsStored,
        FolderColumns,
        FolderDelta,
        FolderStatus,
        Metadata,
        NewMessage,
        OpenFolder,
        Quota,
        Recipient,
        SearchTerm,
        Section,
        SortKey,
        Statistics,
        StatusColumns,
        ThreadAlgorithm,
        ThreadColumns,
        TreeVersion,
        UidSet,
    )


class IStoreObserver(Interface):
    """
    Who wants to know that something changed.  Told after the change is
    durable, never what changed: ask for the difference.
    """

    def folderChanged(folder: int, user: str) -> None:
        """
        Messages came, went or changed in the folder.

        @param user: the one user who can see the change, or C{""} for everybody.
        """

    def everythingChanged() -> None:
        """
        Any folder may have changed: the store was away, or was changed from outside.
        """


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


class IUsers(Interface):
    """
    The users a store knows.
    """

    def credentials(user: str) -> Awaitable[Credentials | None]:
        """
        What the user can be known by; C{None} when there is no such user.
        """

    def createUser(user: str, credentials: Credentials) -> Awaitable[None]:
        """
        Add a user, with an INBOX.  For L{SYSTEM<mailstore.model.SYSTEM>} tools
        only: not to be had through a channel.

        @raise UserExists:
        @raise InvalidName:
        """

    def enrol(user: str, iterations: int) -> Awaitable[None]:
        """
        Give a user whom somebody else vouches for, such as a directory, a place and an INBOX.  The keys
        are made up, so that no password fits them.  Changes nothing when there is such a user.

        @param iterations: rounds of PBKDF2 that the keys pretend to: as many as those of the other users
            have, so that nobody is told apart by the time that a refusal takes.
        @raise InvalidName:
        @raise InvalidRequest: so many rounds make no sense.
        @raise LimitReached: there are too many users.
        """

    def listUsers() -> Awaitable[tuple[str, ...]]:
        """
        All names in order.  For L{SYSTEM<mailstore.model.SYSTEM>} tools only:
        not to be had through a channel.
        """


class IGroups(Interface):
    """
    Groups of users, for what administrates a store on its own machine: not to be had
    through a channel, and so no part of L{IStore}.

    A group has users as its members, and no other groups.  A folder's rights name it
    by L{GROUP_PREFIX<mailstore.model.GROUP_PREFIX>} and its name.  Whoever joins or leaves has
    or lacks what it gives from their next request on, whatever they have open.
    """

    def createGroup(group: str) -> Awaitable[None]:
        """
        Make a group, without members.

        @raise GroupExists:
        @raise InvalidName:
        @raise LimitReached: there are too many groups.
        """

    def removeGroup(group: str) -> Awaitable[int]:
        """
        Remove a group, and what folders' rights say of it: a later group of this name
        inherits nothing.

        @return: how many folders' rights it changed.
        @raise NoSuchGroup:
        """

    def listGroups() -> Awaitable[tuple[str, ...]]:
        """
        All names in order.
        """

    def groupMembers(group: str) -> Awaitable[tuple[str, ...]]:
        """
        The names of a group's members in order.

        @raise NoSuchGroup:
        """

    def groupsOf(user: str) -> Awaitable[tuple[str, ...]]:
        """
        The names of the groups that a user is a member of, in order.

        @raise NoSuchUser:
        """

    def addMember(group: str, user: str) -> Awaitable[bool]:
        """
        Make a user a member of a group.

        @return: he was none before.
        @raise NoSuchGroup:
        @raise NoSuchUser:
        """

    def removeMember(group: str, user: str) -> Awaitable[bool]:
        """
        Make a user a member of a group no more.

        @return: he was one before.
        @raise NoSuchGroup:
        @raise NoSuchUser:
        """


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
        leaves it empty (RFC 9051 section 6.3.6).

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


class IExpiry(Interface):
    """
    How long messages stay in folders.  A new folder gets a copy of its parent's rule.
    """

    def expiry(user: str, name: str) -> Awaitable[Expiry]:
        """
        The rule of a folder.

        @raise NoSuchFolder:
        """

    def setExpiry(user: str, name: str, rule: Expiry) -> Awaitable[None]:
        """
        Give a folder another rule.  What it says goes is removed by and by.

        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise PermissionDenied: no right C{a}.
        @raise InvalidRequest: fewer than 1 day, fewer than 0 messages, or more of either than makes sense.
        """

    def expiries(user: str) -> AsyncGenerator[tuple[tuple[str, Expiry], ...], None]:
        """
        All folders with a rule that the user may look up, by name, in the order of their identities.
        """


class IDelivery(Interface):
    """
    Mail from outside: which folders have an address, and bringing messages to addresses.

    C{offer}, C{receive} and C{deliver} name no user: who calls them speaks for the
    mail system, as who names a user has made sure who that is.
    """

    def addresses(user: str) -> AsyncGenerator[tuple[tuple[str, str], ...], None]:
        """
        Pairs of address and name of the public folder that has it, in the order
        of the addresses; of the folders that the user may look up.
        """

    def addAddress(user: str, name: str, address: str) -> Awaitable[None]:
        """
        Give a public folder an address.  Who may post there is for its rights to say (RFC 4314: C{p}).
        The folder keeps its addresses when it is renamed; with it they go.

        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise InvalidName: that can be no address, or the folder is not a public one.
        @raise AddressInUse: a folder has it already; the message says which.
        @raise LimitReached: the folder has too many addresses.
        @raise PermissionDenied: no right C{a} on the public folders.
        """

    def removeAddress(user: str, address: str) -> Awaitable[None]:
        """
        Take an address away from the folder that has it.

        @raise NoSuchAddress: no folder has it.
        @raise PermissionDenied: no right C{a} on the public folders.
        """

    def offer(recipient: Recipient, size: int) -> Awaitable[None]:
        """
        Find out whether a message of C{size} bytes could be delivered to a recipient now.

        @raise NoSuchAddress: it is nobody's.
        @raise PermissionDenied: C{anyone} has no right C{p} on the folder.
        @raise MessageTooBig:
        @raise OverQuota:
        """

    def receive(size: int) -> Awaitable[IUpload]:
        """
        Begin to bring a message for delivery, of at most C{size} bytes; if the
        store accepts only less than that, then of so many.

        @raise LimitReached: too many uploads at once.
        """

    def deliver(recipients: tuple[Recipient, ...], content: bytes | int) -> Awaitable[tuple[Delivered, ...]]:
        """
        Deliver a message: to each recipient, or not, on its own, as one change.  Recipients who
        mean the same folder get it there once.  However many get it, its bytes are kept once.

        @param content: the message, or the L{token<IUpload.token>} of an upload begun with C{receive}, which
            is used up, also on failure.
        @return: what became of it, in the order of the recipients, with the errors that C{offer} has.
        @raise MessageTooBig: nobody gets it.
        @raise OverQuota: the store has no room left; nobody gets it.
        @raise LimitReached: too many recipients.
        @raise InvalidRequest: there is no such upload.
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
        that is all of them, it is an error.

        @raise NoSuchFolder:
        @raise PermissionDenied: none of C{s}, C{t}, C{w} as the flags would need.
        @raise LimitReached: too many keywords, or a keyword that is too long.
        """

    def copy(user: str, folder: int, uids: UidSet, target: str) -> Awaitable[CopyResult]:
        """
        Copy messages with flags and dates: all of them or none.

        @raise NoSuchFolder: of the two, the message says which.
        @raise NotSelectable:
        @raise PermissionDenied: no right C{r} here or C{i} there.
        @raise OverQuota:
        @raise LimitReached: too many keywords.
        """

    def move(user: str, folder: int, uids: UidSet, target: str) -> Awaitable[CopyResult]:
        """
        Copy messages and expunge them here, as one change.

        @raise NoSuchFolder: of the two, the message says which.
        @raise NotSelectable:
        @raise PermissionDenied: as L{copy}, and no right C{t} or C{e} here.
        @raise OverQuota:
        @raise LimitReached: too many keywords.
        """

    def expunge(user: str, folder: int, uids: UidSet | None) -> Awaitable[UidSet]:
        """
        Remove the messages with C{\\Deleted}; if C{uids} is given, only of those.

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


class IMaintenance(Interface):
    """
    What is for whoever looks after a store on its own machine: not to be had through a
    channel, and so no part of L{IStore}.
    """

    def setCredentials(user: str, credentials: Credentials) -> Awaitable[None]:
        """
        Change what a user is known by.  Who is signed in stays so.

        @raise NoSuchUser:
        """

    def removeUser(user: str, keep_as: str = "", delete: bool = False) -> Awaitable[int]:
        """
        Remove a user, with what is his own (subscriptions, seen flags, annotations) and
        what the rights on folders say of him: a later user of this name inherits nothing.

        @param keep_as: name of a public folder that is made for his folders, with no rights for anybody.
        @param delete: delete his folders with his mail.
        @return: how many messages he had.
        @raise NoSuchUser:
        @raise FolderInUse: he has mail, and it is not said what becomes of it.
        @raise FolderExists: there is a folder C{keep_as}.
        @raise InvalidName: C{keep_as} can be no public folder, or a name below it would be too long.
        @raise NoSuchFolder: as InvalidName.
        """

    def statistics() -> Awaitable[Statistics]:
        """
        How much of everything there is.  It is counted, which takes longer the more there is.
        """

    def readOriginal(folder: int, uid: int) -> AsyncGenerator[bytes, None]:
        """
        Read a message as it came, in pieces; what is served has all its line ends mended.

        @raise NoSuchFolder:
        @raise InvalidRequest: there is no such message.
        """


class IStore(IUsers, IHierarchy, IExpiry, IDelivery, IMessages):
    """
    A mail store.
    """

    def observe(observer: IStoreObserver) -> None:
        """
        Tell C{observer} of changes from now on.
        """

    def unobserve(observer: IStoreObserver) -> None:
        """
        Tell it no more.  Unknown observers are ignored.
        """

    def close() -> Awaitable[None]:
        """
        Give everything back.  Requests under way fail with
        L{StoreUnavailable<mailstore.errors.StoreUnavailable>}.  Idempotent.
        """


class IAuthenticator(Interface):
    """
    Who decides whether somebody is who they say.
    """

    def authenticate(user: str, password: str) -> Awaitable[str]:
        """
        Check a name and a password.

        @return: the one spelling of the user's name, to be used from now on.
        @raise SignInRefused: no such user, or not this password: which of the
            two, is not to be told by the answer or by its time.
        @raise StoreError: as every method of L{IStore}: it could not be found out.
        """


class IMechanisms(IAuthenticator):
    """
    An authenticator that can do more than look at a password.
    """

    mechanisms: tuple[str, ...] = Attribute(
        "Names of SASL mechanisms (RFC 4422 section 3.1) beside C{PLAIN}, the best first; they work now."
    )

    def converse(
        mechanism: str, first: bytes | None, ask: Callable[[bytes], Awaitable[bytes]]
    ) -> Awaitable[str]:
        """
        Lead a client through a mechanism.

        @param mechanism: one of L{mechanisms}.
        @param first: the client's first words, if it has sent them already.
        @param ask: sends a challenge and gives the client's answer, both
            without any encoding.  What it raises is let through.
        @return: as L{authenticate}; the client has been told and agreed.
        @raise SignInRefused: as L{authenticate}.
        @raise SignInGarbled: the client does not follow the mechanism.
        @raise StoreError: as L{authenticate}.
        """


class ILocalStore(IStore, IGroups, IMaintenance):
    """
    A store in this process.
    """
