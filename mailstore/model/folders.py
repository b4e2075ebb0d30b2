"""
Folders: their trees, their counts, a folder that is open and what changed in it.
"""

from __future__ import annotations

import attrs

from mailstore.model.flags import FlagColumns
from mailstore.model.uidset import UidSet

#: In place of a folder's identity, where changes are told: which folders there are, who may look them up,
#: and who subscribes to them.
HIERARCHY = 0


@attrs.frozen
class TreeVersion:
    """
    A part of the hierarchy at one moment, as seen with one set of rights.

    Two equal values always mean the same list of folders, whoever asks: this
    is what lets a thousand users share one enumeration.
    """

    #: C{"personal"}, C{"others"} or C{"public"}.
    tree: str
    #: Opaque; changes when the folders in it, or which of them are visible, change.
    version: str


@attrs.frozen
class FolderColumns:
    """
    Some folders of a tree, in the order of their names' code points, as columns.
    """

    #: Names as the user sees them (C{"Public Folders/Real"}, C{"Sent"}).
    names: tuple[str, ...]
    #: Packed L{uint64s}: the folders' identities; 0 for a node that is no folder.
    ids: bytes
    #: Per folder a special use with its backslash (RFC 6154), or C{""}.
    special_uses: tuple[str, ...]
    #: Packed bytes, one per folder: 1 if it can be opened, 0 if it only has children.
    selectable: bytes


@attrs.frozen
class FolderStatus:
    """
    Counts of a folder, as one user sees it.
    """

    #: Its identity, as in L{OpenFolder.folder}.
    folder: int
    messages: int
    recent: int
    unseen: int
    deleted: int
    #: Bytes of all its messages as they are served.
    size: int
    uid_next: int
    uid_validity: int
    highest_modseq: int
    #: Letters, digits, C{-} and C{_}: stays the same when the folder is renamed,
    #: and no other folder of any store ever has it (RFC 8474 section 4).
    mailbox_id: str = ""


@attrs.frozen
class StatusColumns:
    """
    Counts of some folders, as one user sees them, as columns in the order in
    which the folders were asked for.  All that are C{bytes} are packed
    L{uint64s}; each is told at its namesake in L{FolderStatus}.
    """

    folders: bytes
    messages: bytes
    recent: bytes
    unseen: bytes
    deleted: bytes
    size: bytes
    uid_next: bytes
    uid_validity: bytes
    highest_modseq: bytes
    mailbox_ids: tuple[str, ...]
    #: What the user may do in each, in the order of L{ALL_RIGHTS}.
    rights: tuple[str, ...]
    #: Of those asked for that the user may look up but not read: packed L{uint64s} of identities.
    unread: bytes = b""
    #: What the user may do with each of these, in the order of L{ALL_RIGHTS}.
    unread_rights: tuple[str, ...] = ()


@attrs.frozen
class OpenFolder:
    """
    A folder at the moment when a user opened it.
    """

    #: The identity that all requests about its messages name.  Never used again
    #: for another folder, and not changed by renaming.
    folder: int
    name: str
    #: What the user may do here, in the order of L{ALL_RIGHTS}.
    rights: str
    status: FolderStatus
    #: Names of its keywords by bit; grows, and never changes otherwise.
    keywords: tuple[str, ...]
    #: The UIDs of its messages.
    uids: UidSet
    #: UIDs from this one on are recent to this opening; 0 when none are.
    first_recent: int
    #: UID of the first message without C{\Seen}; 0 when there is none.
    first_unseen: int


@attrs.frozen
class FolderDelta:
    """
    A batch of what changed in a folder since a mod-sequence.  Applying all
    batches of an answer in order brings a view up to date; applying one twice
    changes nothing.
    """

    #: The mod-sequence that is reached when the last batch has been applied.
    highest_modseq: int
    #: Expunged messages; may name some that the asker never knew.
    vanished: UidSet
    #: New and changed messages.
    changed: FlagColumns
    #: The keywords, as in L{OpenFolder.keywords}.
    keywords: tuple[str, ...]
    #: UIDs from this one on are recent to the asker, if it claimed them; 0 when none are.
    first_recent: int = 0


#: Those who can be asked for together what is new to them.
MAX_WATCHERS = 256


@attrs.frozen
class Watcher:
    """
    Somebody who looks at a folder.
    """

    user: str
    #: The mod-sequence up to which he knows everything.
    since: int
    #: Whether new messages are to be recent to him and to nobody after him.
    claim_recent: bool


@attrs.frozen
class News:
    """
    What is new to some who look at a folder.
    """

    #: Their places, counted from 0, in what was asked.
    watchers: tuple[int, ...]
    #: All of it.
    delta: FolderDelta
