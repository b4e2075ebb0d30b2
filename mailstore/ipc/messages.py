"""
What is said on the channel, as typed values.

A message has a kind, the number of the call it belongs to (0 for none) and a
body; the body is one of the values below in MessagePack, or for an answer
the value that the called method gives.

::

    front end                                       store
    Hello            ------------------------->
                     <-------------------------     Welcome
    Request, call n  ------------------------->
                     <-------------------------     Batch, call n   (a stream: any number)
    Control          ------------------------->                     (credit, cancellations)
                     <-------------------------     Result | End | Failed, call n
                     <-------------------------     Changed         (at any time)

Exactly one C{RESULT}, C{END} or C{FAILED} ends each call, a cancelled one
too; only then may its place be used again.
"""

from __future__ import annotations

import enum
from typing import Annotated

from msgspec import Meta, Struct

from mailstore.model import (
    Credentials,
    Expiry,
    FetchSpec,
    FlagMode,
    NewMessage,
    Recipient,
    RightsMode,
    SearchTerm,
    Section,
    SortKey,
    ThreadAlgorithm,
    TreeVersion,
    UidSet,
    Watcher,
)

#: The protocol spoken here.  Both ends must speak the same.
PROTOCOL_VERSION = 8

#: First field of a L{Hello}, so that a stranger is recognized as one.
MAGIC = "mailstore"


#: What front ends speak.
PROTOCOLS = ("imap", "lmtp")


class Kind(enum.IntEnum):
    """
    The kinds of messages.
    """

    HELLO = 1
    WELCOME = 2
    REQUEST = 3
    CONTROL = 4
    RESULT = 5
    BATCH = 6
    END = 7
    FAILED = 8
    CHANGED = 9


_Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
_Positive = Annotated[int, Meta(ge=1, le=(1 << 32) - 1)]
_CallId = Annotated[int, Meta(ge=1, le=(1 << 32) - 1)]


class Terms(Struct, frozen=True, array_like=True):
    """
    What must be the same at both ends; see
    L{IpcLimits<mailstore.ipc.limits.IpcLimits>} for each.
    """

    window: _Positive
    max_calls: _Positive
    max_held: _Count
    max_request: _Count
    max_reply: _Count


class Hello(Struct, frozen=True, array_like=True):
    """
    The first message of a front end: who it is and what it would like.
    """

    magic: str
    version: _Count
    terms: Terms
    #: What the front end speaks with its clients, one of L{PROTOCOLS}; for counting only.
    protocol: str = "imap"


class Welcome(Struct, frozen=True, array_like=True):
    """
    The store's answer: what holds on this channel.  When its C{version} is
    another one than the front end's, the store closes the channel next.
    """

    version: _Count
    terms: Terms


class Control(Struct, frozen=True, array_like=True):
    """
    Word of a front end about calls and uploads under way.  Saying it of one
    that has ended meanwhile is no mistake.
    """

    #: Pairs of call and batches that were consumed.
    credits: tuple[tuple[_CallId, _Positive], ...] = ()
    #: Calls whose answer nobody waits for.
    cancelled: tuple[_CallId, ...] = ()
    #: Uploads to be thrown away.
    discarded: tuple[_Count, ...] = ()


class Failed(Struct, frozen=True, array_like=True):
    """
    The end of a call that came to nothing.
    """

    #: L{StoreError.code<mailstore.errors.StoreError>}.
    code: str
    message: str


class Changed(Struct, frozen=True, array_like=True):
    """
    Folders that changed.
    """

    #: Any folder may have changed.
    everything: bool
    #: Pairs of folder and user, as in L{IStoreObserver<mailstore.interfaces.IStoreObserver>}.
    folders: tuple[tuple[_Count, str], ...] = ()


class _Asked(Struct, frozen=True, array_like=True):
    """
    Base of the requests: one per method of the store, with its arguments.
    What they make sense of is the store's to say, whatever a client made up.
    """


class GetCredentials(_Asked, tag="credentials", frozen=True):
    user: str


class CreateUser(_Asked, tag="createUser", frozen=True):
    user: str
    credentials: Credentials


class Enrol(_Asked, tag="enrol", frozen=True):
    user: str
    iterations: int


class ListUsers(_Asked, tag="listUsers", frozen=True):
    pass


class Trees(_Asked, tag="trees", frozen=True):
    user: str


class Folders(_Asked, tag="folders", frozen=True):
    user: str
    tree: TreeVersion


class CreateFolder(_Asked, tag="createFolder", frozen=True):
    user: str
    name: str
    special_use: str


class DeleteFolder(_Asked, tag="deleteFolder", frozen=True):
    user: str
    name: str


class RenameFolder(_Asked, tag="renameFolder", frozen=True):
    user: str
    name: str
    new_name: str


class Status(_Asked, tag="status", frozen=True):
    user: str
    name: str


class Statuses(_Asked, tag="statuses", frozen=True):
    user: str
    folders: bytes


class Subscriptions(_Asked, tag="subscriptions", frozen=True):
    user: str


class Subscribe(_Asked, tag="subscribe", frozen=True):
    user: str
    name: str


class Unsubscribe(_Asked, tag="unsubscribe", frozen=True):
    user: str
    name: str


class Rights(_Asked, tag="rights", frozen=True):
    user: str
    name: str


class GetAcl(_Asked, tag="acl", frozen=True):
    user: str
    name: str


class SetRights(_Asked, tag="setRights", frozen=True):
    user: str
    name: str
    identifier: str
    letters: str
    mode: RightsMode


class Grantable(_Asked, tag="grantable", frozen=True):
    user: str
    name: str
    identifier: str


class QuotaRoots(_Asked, tag="quotaRoots", frozen=True):
    user: str
    name: str


class GetQuota(_Asked, tag="quota", frozen=True):
    user: str
    root: str


class SetQuota(_Asked, tag="setQuota", frozen=True):
    user: str
    root: str
    limits: tuple[tuple[str, int], ...]


class GetMetadata(_Asked, tag="metadata", frozen=True):
    user: str
    name: str
    entries: tuple[str, ...]
    depth: int | None
    max_size: int | None


class Annotations(_Asked, tag="annotations", frozen=True):
    user: str
    folders: bytes
    entries: tuple[str, ...]


class SetMetadata(_Asked, tag="setMetadata", frozen=True):
    user: str
    name: str
    values: dict[str, bytes | None]


class GetExpiry(_Asked, tag="expiry", frozen=True):
    user: str
    name: str


class SetExpiry(_Asked, tag="setExpiry", frozen=True):
    user: str
    name: str
    rule: Expiry


class Expiries(_Asked, tag="expiries", frozen=True):
    user: str


class Addresses(_Asked, tag="addresses", frozen=True):
    user: str


class AddAddress(_Asked, tag="addAddress", frozen=True):
    user: str
    name: str
    address: str


class RemoveAddress(_Asked, tag="removeAddress", frozen=True):
    user: str
    address: str


class Offer(_Asked, tag="offer", frozen=True):
    recipient: Recipient
    size: int


class OpenReceipt(_Asked, tag="receive", frozen=True):
    """
    Begin the upload of a message for delivery.
    """

    size: int


class Deliver(_Asked, tag="deliver", frozen=True):
    recipients: tuple[Recipient, ...]
    content: bytes | int


class Open(_Asked, tag="openFolder", frozen=True):
    user: str
    name: str
    claim_recent: bool


class Changes(_Asked, tag="changes", frozen=True):
    user: str
    folder: int
    since: int
    claim_recent: bool


class AskNews(_Asked, tag="news", frozen=True):
    folder: int
    watchers: tuple[Watcher, ...]


class Fetch(_Asked, tag="fetch", frozen=True):
    user: str
    folder: int
    uids: UidSet
    spec: FetchSpec


class ReadSection(_Asked, tag="readSection", frozen=True):
    user: str
    folder: int
    uid: int
    section: Section


class LargestMessage(_Asked, tag="largestMessage", frozen=True):
    pass


class OpenUpload(_Asked, tag="upload", frozen=True):
    """
    Begin an upload; or, if it is a C{trial}, only find out whether one could begin.
    """

    user: str
    name: str
    size: int | None
    trial: bool


class WriteUpload(_Asked, tag="upload.write", frozen=True):
    """
    Add a piece to an upload begun on this channel.
    """

    token: int
    data: bytes


class Append(_Asked, tag="append", frozen=True):
    user: str
    name: str
    messages: tuple[NewMessage, ...]
    replaces: tuple[int, int] | None


class StoreFlags(_Asked, tag="storeFlags", frozen=True):
    user: str
    folder: int
    uids: UidSet
    mode: FlagMode
    flags: tuple[str, ...]
    unchanged_since: int | None


class Copy(_Asked, tag="copy", frozen=True):
    user: str
    folder: int
    uids: UidSet
    target: str


class Move(_Asked, tag="move", frozen=True):
    user: str
    folder: int
    uids: UidSet
    target: str


class Expunge(_Asked, tag="expunge", frozen=True):
    user: str
    folder: int
    uids: UidSet | None


class Search(_Asked, tag="search", frozen=True):
    user: str
    folder: int
    term: SearchTerm


class Sort(_Asked, tag="sort", frozen=True):
    user: str
    folder: int
    term: SearchTerm
    keys: tuple[SortKey, ...]


class Threads(_Asked, tag="threads", frozen=True):
    user: str
    folder: int
    term: SearchTerm
    algorithm: ThreadAlgorithm


#: Every request there is.
AnyRequest = (
    GetCredentials
    | CreateUser
    | Enrol
    | ListUsers
    | Trees
    | Folders
    | CreateFolder
    | DeleteFolder
    | RenameFolder
    | Status
    | Statuses
    | Subscriptions
    | Subscribe
    | Unsubscribe
    | Rights
    | GetAcl
    | SetRights
    | Grantable
    | QuotaRoots
    | GetQuota
    | SetQuota
    | GetMetadata
    | Annotations
    | SetMetadata
    | GetExpiry
    | SetExpiry
    | Expiries
    | Addresses
    | AddAddress
    | RemoveAddress
    | Offer
    | OpenReceipt
    | Deliver
    | Open
    | Changes
    | AskNews
    | Fetch
    | ReadSection
    | LargestMessage
    | OpenUpload
    | WriteUpload
    | Append
    | StoreFlags
    | Copy
    | Move
    | Expunge
    | Search
    | Sort
    | Threads
)


class Asked(Struct, frozen=True, array_like=True):
    """
    A request, how long it is of any use, and how much of the answer may come unasked.
    """

    #: Seconds the store has to begin it, from its arrival.
    deadline: Annotated[float, Meta(ge=0, le=1e6)]
    request: AnyRequest
    #: Batches that it may have in flight, if that is fewer than was agreed.
    window: Annotated[int, Meta(ge=1, le=1024)] = 1024
