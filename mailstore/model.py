"""
The values that a store and its users exchange: immutable, checked when made,
without a word of IMAP or SQL.

Bulk data travels as columns (C{bytes} holding a packed machine-order array),
so that ten thousand rows cost ten thousand machine words and not ten thousand
objects; L{uint32s} and L{uint64s} turn them into arrays and back.
"""

from __future__ import annotations

import enum
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice

import attrs

from mailstore.errors import InvalidName

# --- folder names -----------------------------------------------------------

#: Between the parts of a folder's name, in every namespace.
SEPARATOR = "/"

#: Where the public folders are.
PUBLIC_ROOT = "Public Folders"

#: Where other users' folders are, each below its owner's name.
OTHERS_ROOT = "Other Users"

#: The folder that every user has; its name is the same in any case.
INBOX = "INBOX"

#: Bytes (UTF-8) that one part of a folder's name may have.
MAX_PART = 255

#: Bytes (UTF-8) that a whole folder name may have.
MAX_NAME = 1000

#: Parts that a folder name may have.
MAX_DEPTH = 32

# --- identifiers ------------------------------------------------------------

#: The principal of administrative tools on the store's own machine: may do
#: everything.  It is never accepted from an IPC channel.
SYSTEM = "#system"

#: ACL identifier that means everybody, signed in or not (RFC 4314 section 2).
ANYONE = "anyone"

#: ACL identifier that means every user who has signed in.
AUTHENTICATED = "authenticated"

#: What the ACL identifier of a group begins with; the group's name follows.  RFC 4314 leaves
#: the names of groups to servers; this is how Cyrus writes them.
GROUP_PREFIX = "group:"

#: Every right, in the order in which they are written (RFC 4314 section 2.1).
ALL_RIGHTS = "lrswipkxtea"

#: Characters that an address may have (RFC 5321 section 4.5.3.1.3, without the brackets).
MAX_ADDRESS = 254

#: What C{authenticated} may do in a public folder unless somebody says
#: otherwise: look it up, read it and keep their own seen flags.
DEFAULT_PUBLIC_RIGHTS = "lrs"


def folderName(name: str) -> str:
    """
    Check a folder's name as its user sees it, and give its one spelling.

    C{INBOX} is the same in any case (also as the first part of a longer name);
    everything else is kept as it is, in Unicode normalization form C.

    @raise InvalidName: it is empty or too long, a part is empty, C{.} or
        C{..}, or there is a character that is no text.
    """
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise InvalidName("a folder name cannot be empty")
    parts = name.split(SEPARATOR)
    if len(parts) > MAX_DEPTH:
        raise InvalidName(f"a folder name can have at most {MAX_DEPTH} parts")
    for part in parts:
        if not part:
            raise InvalidName(f"a folder name cannot have an empty part between {SEPARATOR!r}: {name!r}")
        if part in (".", ".."):
            raise InvalidName(f"a part of a folder name cannot be {part!r}")
        if len(part.encode("utf-8", "surrogatepass")) > MAX_PART:
            raise InvalidName(f"a part of a folder name can have at most {MAX_PART} bytes")
    if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in name):
        raise InvalidName(f"a folder name cannot hold control characters: {name!r}")
    if len(name.encode()) > MAX_NAME:
        raise InvalidName(f"a folder name can have at most {MAX_NAME} bytes")
    if parts[0].upper() == INBOX:
        parts[0] = INBOX
    return SEPARATOR.join(parts)


def userName(name: str) -> str:
    """
    Check a user's name and give its one spelling.

    @raise InvalidName: it is empty, longer than 64 characters, is an ACL
        identifier with a meaning of its own, or holds a character that
        folder names, patterns or logs could not carry.
    """
    name = _identifierName(name, "user")
    if name.lower().startswith(GROUP_PREFIX):
        raise InvalidName(f"{name!r} cannot be a user name: it would be a group's")
    return name


def groupName(name: str) -> str:
    """
    Check a group's name (without L{GROUP_PREFIX}) and give its one spelling.

    @raise InvalidName: as L{userName}.
    """
    return _identifierName(name, "group")


def _identifierName(name: str, kind: str) -> str:
    name = unicodedata.normalize("NFC", name)
    if not 0 < len(name) <= 64:
        raise InvalidName(f"a {kind} name has 1 to 64 characters")
    if name.lower() in (ANYONE, AUTHENTICATED) or name[0] in "#-." or name != name.strip():
        raise InvalidName(f"{name!r} cannot be a {kind} name")
    if any(each in '/%*"\\(){}' or unicodedata.category(each)[0] in "CZ" for each in name):
        raise InvalidName(
            f'a {kind} name cannot hold spaces, control characters or any of /%*"\\(){{}}: {name!r}'
        )
    return name


def foldedAddress(address: str) -> str:
    """
    An address as it is compared: Unicode normalization form C, without a
    difference between upper and lower case.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", address).casefold())


def mailAddress(address: str) -> str:
    """
    Check an address (C{news@example.org}) and give its one spelling.

    @raise InvalidName: it is too long, lacks one of its two parts, or has a character that
        none can have without quotes.
    """
    address = foldedAddress(address)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain):
        raise InvalidName(f"{address[:MAX_ADDRESS]!r} is no address like 'news@example.org'")
    if len(address.encode("utf-8", "surrogatepass")) > MAX_ADDRESS:
        raise InvalidName(f"an address can have at most {MAX_ADDRESS} bytes")
    if any(each in '@<>()[]\\,;:"' or unicodedata.category(each)[0] in "CZ" for each in local + domain):
        raise InvalidName(f"{address!r} holds a character that is no part of an address")
    return address


def rightsOf(letters: str) -> str:
    """
    Check a set of rights and give it in the order of L{ALL_RIGHTS}, each once.
    The obsolete C{c} stands for C{kx}, C{d} for C{xte} (RFC 4314 section 2.1.1).

    @raise InvalidName: a letter names no right.
    """
    letters = letters.replace("c", "kx").replace("d", "xte")
    for each in letters:
        if each not in ALL_RIGHTS:
            raise InvalidName(f"{each!r} is no right; the rights are {ALL_RIGHTS}")
    return "".join(each for each in ALL_RIGHTS if each in letters)


# --- columns ----------------------------------------------------------------


def uint32s(data: bytes | Iterable[int] = b"") -> array[int]:
    """
    An array of unsigned 32-bit numbers (UIDs, sizes of small things) from its
    packed bytes or from numbers.
    """
    return array("I", data)


def uint64s(data: bytes | Iterable[int] = b"") -> array[int]:
    """
    An array of unsigned 64-bit numbers (flag masks, mod-sequences) from its
    packed bytes or from numbers.
    """
    return array("Q", data)


# --- sets of UIDs -----------------------------------------------------------


def _checkRanges(instance: UidSet, attribute: object, value: tuple[tuple[int, int], ...]) -> None:
    last = 0
    for low, high in value:
        if not last < low <= high <= 0xFFFFFFFF:
            raise ValueError(f"not a sorted, disjoint set of UID ranges: {value!r}")
        last = high


@attrs.frozen
class UidSet:
    """
    A set of UIDs (1 to 2**32 - 1) as sorted, disjoint, inclusive ranges.
    """

    ranges: tuple[tuple[int, int], ...] = attrs.field(default=(), validator=_checkRanges)

    @classmethod
    def of(cls, uids: Iterable[int]) -> UidSet:
        """
        The set of these UIDs, in any order, repeated or not.
        """
        ranges: list[tuple[int, int]] = []
        low = high = 0
        for uid in sorted(uids):
            if uid <= high and low:
                continue
            if low and uid == high + 1:
                high = uid
                continue
            if low:
                ranges.append((low, high))
            low = high = uid
        if low:
            ranges.append((low, high))
        return cls(tuple(ranges))

    @classmethod
    def ofSorted(cls, uids: array[int]) -> UidSet:
        """
        The set of these UIDs, which ascend.  Where none are missing it takes no time.
        """
        ranges: list[tuple[int, int]] = []
        waiting = [(0, len(uids))] if uids else []
        while waiting:
            start, end = waiting.pop()
            low, high = uids[start], uids[end - 1]
            if high - low == end - 1 - start:
                if ranges and ranges[-1][1] + 1 == low:
                    ranges[-1] = (ranges[-1][0], high)
                else:
                    ranges.append((low, high))
            else:
                middle = (start + end) // 2
                waiting += ((middle, end), (start, middle))
        return cls(tuple(ranges))

    @classmethod
    def ofRanges(cls, ranges: Iterable[tuple[int, int]]) -> UidSet:
        """
        The set of all UIDs in these ranges, which may overlap, touch, stand
        in any order or be written from high to low.
        """
        merged: list[tuple[int, int]] = []
        for low, high in sorted((min(pair), max(pair)) for pair in ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, int):
            return False
        at = bisect_left(self.ranges, uid, key=lambda pair: pair[1])
        return at < len(self.ranges) and self.ranges[at][0] <= uid

    def among(self, uids: array[int]) -> array[int]:
        """
        Those of C{uids} (sorted) that are in this set, without walking ranges
        that hold nothing.
        """
        if not uids:
            return uint32s()
        found = uint32s()
        first = bisect_left(self.ranges, uids[0], key=lambda pair: pair[1])
        for low, high in islice(self.ranges, first, None):
            if low > uids[-1]:
                break
            start = bisect_left(uids, low)
            found.extend(uids[start : bisect_left(uids, high + 1, start)])
        return found


# --- flags ------------------------------------------------------------------

#: Flags that every folder has, each at its bit: bit 0 is C{\Seen} and so on.
SYSTEM_FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")

SEEN, ANSWERED, FLAGGED, DELETED, DRAFT = (1 << each for each in range(5))

#: The bit of a folder's first keyword; keyword number C{n} is C{KEYWORD_BIT + n}.
KEYWORD_BIT = 8

#: Keywords that one folder can know.
MAX_KEYWORDS = 50

#: Characters that a keyword may have.
MAX_KEYWORD = 64


def flagNames(mask: int, keywords: tuple[str, ...]) -> tuple[str, ...]:
    """
    The names of the flags in C{mask}, in a folder whose keywords are C{keywords}.
    """
    names = [name for bit, name in enumerate(SYSTEM_FLAGS) if mask >> bit & 1]
    names += [name for bit, name in enumerate(keywords) if mask >> (KEYWORD_BIT + bit) & 1]
    return tuple(names)


class FlagMode(enum.Enum):
    """
    How a set of flags changes the flags of a message.
    """

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


# --- users ------------------------------------------------------------------


@attrs.frozen
class Credentials:
    """
    What a store keeps to know a user by: never a password, only the keys of
    SCRAM-SHA-256 made from it (RFC 5802 section 3, RFC 7677).
    """

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes = attrs.field(repr=False)


# --- folders ----------------------------------------------------------------


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


class RightsMode(enum.Enum):
    """
    How a set of rights changes the rights of an identifier.
    """

    #: It has these and no others.
    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


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
class FlagColumns:
    """
    Flags of some messages in ascending order of UID, as columns.
    """

    #: Packed L{uint32s}.
    uids: bytes = b""
    #: Packed L{uint64s}: flag masks, with this user's own C{\Seen}.
    flags: bytes = b""
    #: Packed L{uint64s}: mod-sequences (RFC 7162), as this user must see them.
    modseqs: bytes = b""


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


@attrs.frozen
class NewMessage:
    """
    A message to be stored.
    """

    #: The message, or the C{token} of a finished L{IUpload<mailstore.interfaces.IUpload>}.
    content: bytes | int
    #: Names of flags.
    flags: tuple[str, ...] = ()
    #: When it arrived, seconds since 1970 UTC; C{None} for now.
    internal_date: int | None = None
    #: Minutes that the arrival's local time was ahead of UTC.
    zone: int = 0


@attrs.frozen
class AppendResult:
    """
    Where new messages went.
    """

    uid_validity: int
    #: In the order of the messages given.
    uids: tuple[int, ...]


@attrs.frozen
class CopyResult:
    """
    Which messages went where.
    """

    uid_validity: int
    #: Packed L{uint32s}: the messages copied, ascending.
    sources: bytes
    #: Packed L{uint32s}: their UIDs in the target, in the same order.
    targets: bytes


# --- reading messages -------------------------------------------------------


class SectionKind(enum.Enum):
    """
    Which bytes of a message or of one of its parts.
    """

    #: All of it: a part's body, or the whole message when no part is named.
    ALL = "all"
    #: The header of the message, or of the message that the part holds.
    HEADER = "header"
    #: Its header, these fields only, and the empty line.
    FIELDS = "fields"
    #: Its header, without these fields.
    FIELDS_NOT = "fields-not"
    #: What follows the header of the message, or of the message that the part holds.
    TEXT = "text"
    #: The MIME header of the part itself.
    MIME = "mime"
    #: As L{ALL}, decoded from its transfer encoding (RFC 3516 section 4.2).
    BINARY = "binary"


@attrs.frozen
class Section:
    """
    Some bytes of a message, by its MIME structure (RFC 9051 section 6.4.5.1).
    """

    kind: SectionKind = SectionKind.ALL
    #: Numbers of the part, from the outside in; empty for the message itself.
    part: tuple[int, ...] = ()
    #: Names of header fields, for the two kinds that take them.
    fields: tuple[str, ...] = ()
    #: First byte wanted, and how many at most; C{None} for all.
    partial: tuple[int, int] | None = None
    #: Only the number of its bytes is wanted, whatever C{partial} says.
    size_only: bool = False


@attrs.frozen
class FetchSpec:
    """
    What is wanted of each message.
    """

    flags: bool = False
    modseq: bool = False
    internal_date: bool = False
    size: bool = False
    #: Names of renditions made at delivery, such as C{"envelope"}.
    renditions: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    email_id: bool = False
    thread_id: bool = False
    save_date: bool = False


@attrs.frozen
class FetchBatch:
    """
    Some messages in ascending order of UID, as columns.  A column that was not
    asked for is empty.  Messages that no longer exist are left out.
    """

    #: Packed L{uint32s}.
    uids: bytes
    #: Packed L{uint64s}: flag masks.
    flags: bytes = b""
    #: Packed L{uint64s}.
    modseqs: bytes = b""
    #: Packed L{uint64s}: seconds since 1970 UTC.
    internal_dates: bytes = b""
    #: Packed signed 16-bit numbers (C{array('h')}): minutes ahead of UTC.
    zones: bytes = b""
    #: Packed L{uint64s}: bytes as served.
    sizes: bytes = b""
    #: For each rendition asked for, one value per message.
    renditions: tuple[tuple[bytes, ...], ...] = ()
    #: For each section asked for, one value per message: its bytes, C{None} if
    #: the message has no such part, or the number of its bytes if only that was asked for or they are
    #: too many for a batch and must be read with
    #: L{IStore.readSection<mailstore.interfaces.IStore.readSection>}.
    sections: tuple[tuple[bytes | int | None, ...], ...] = ()
    #: The keywords, when flags were asked for.
    keywords: tuple[str, ...] = ()
    #: Made of letters and digits: the same for messages with the same bytes, wherever they are (RFC 8474).
    email_ids: tuple[str, ...] = ()
    #: Made of letters and digits: the same for messages whose header fields say that they
    #: belong together; C{None} when they say nothing.
    thread_ids: tuple[str | None, ...] = ()
    #: Packed L{uint64s}: when it came into this folder (RFC 8514), in seconds since 1970 UTC; of
    #: messages from before the store kept that, the internal date.
    save_dates: bytes = b""


# --- changing messages ------------------------------------------------------


@attrs.frozen
class FlagsStored:
    """
    What a change of flags did.
    """

    #: Every message named that exists, with its flags now.
    changed: FlagColumns
    #: Messages left alone because they had changed since (RFC 7162 section 3.1.3).
    unchanged_since_failed: UidSet
    keywords: tuple[str, ...]


# --- searching --------------------------------------------------------------


class Criterion(enum.Enum):
    """
    The tests that a search is made of, each with the operands it uses.
    """

    ALL = "all"
    #: C{terms}: all of them.
    AND = "and"
    #: C{terms}: any of them.
    OR = "or"
    #: C{terms}: its one term does not hold.
    NOT = "not"
    #: C{uids}.
    UID = "uid"
    #: C{text}: name of the flag, in any case.
    FLAG = "flag"
    #: C{number}: more bytes than this.
    LARGER = "larger"
    #: C{number}: fewer bytes than this.
    SMALLER = "smaller"
    #: C{number}: day (proleptic ordinal) of the internal date, without regard to zone.
    RECEIVED_BEFORE = "received-before"
    RECEIVED_ON = "received-on"
    RECEIVED_SINCE = "received-since"
    #: C{number}: day of the Date header field, without regard to zone.
    SENT_BEFORE = "sent-before"
    SENT_ON = "sent-on"
    SENT_SINCE = "sent-since"
    #: C{field} has C{text} somewhere in its decoded value; with empty text, C{field} is there.
    HEADER = "header"
    #: C{text} is somewhere in the decoded text of the body.
    BODY = "body"
    #: C{text} is somewhere in the decoded header or body, or in the MIME header of a part.
    TEXT = "text"
    #: C{number}: mod-sequence is at least this (RFC 7162).
    MODSEQ = "modseq"
    #: C{number}: the internal date is before this moment, in seconds since 1970 UTC (RFC 5032: OLDER).
    ARRIVED_BEFORE = "arrived-before"
    #: C{number}: the internal date is this moment or later (RFC 5032: YOUNGER).
    ARRIVED_SINCE = "arrived-since"
    #: C{number}: day (proleptic ordinal, UTC) of L{FetchBatch.save_dates} (RFC 8514).
    SAVED_BEFORE = "saved-before"
    SAVED_ON = "saved-on"
    SAVED_SINCE = "saved-since"
    #: C{text}: the whole L{FetchBatch.email_ids} of the message.
    EMAIL_ID = "email-id"
    #: C{text}: the whole L{FetchBatch.thread_ids} of the message.
    THREAD_ID = "thread-id"


@attrs.frozen
class SearchTerm:
    """
    A test that a message passes or not.  Texts match without regard to case.
    """

    criterion: Criterion
    terms: tuple[SearchTerm, ...] = ()
    uids: UidSet | None = None
    text: str = ""
    field: str = ""
    number: int = 0


# --- sorting and threading --------------------------------------------------


class SortField(enum.Enum):
    """
    What messages can be sorted by (RFC 5256 section 3).
    """

    #: The internal date.
    ARRIVAL = "arrival"
    #: The mailbox (without its domain) of the first address in Cc.
    CC = "cc"
    #: The moment in the Date field, or if that makes no sense the internal date.
    DATE = "date"
    #: The mailbox of the first address in From.
    FROM = "from"
    SIZE = "size"
    #: The base subject (RFC 5256 section 2.1).
    SUBJECT = "subject"
    #: The mailbox of the first address in To.
    TO = "to"


@attrs.frozen
class SortKey:
    """
    One of the things to sort by.  Texts are compared as RFC 5051 says.
    """

    field: SortField
    reverse: bool = False


class ThreadAlgorithm(enum.Enum):
    """
    How messages are put together (RFC 5256 section 3).
    """

    #: By subject and date alone: one level of answers.
    ORDEREDSUBJECT = "orderedsubject"
    #: By References, In-Reply-To and subject: trees.
    REFERENCES = "references"


@attrs.frozen
class ThreadColumns:
    """
    A piece of the trees of messages, in preorder, as columns.  A tree may go on in the next batch.
    """

    #: Packed L{uint32s}; 0 stands for a message that is not there and has answers that are.
    uids: bytes
    #: Packed L{uint32s}: how many messages are above it; 0 begins a new tree.
    depths: bytes


# --- quota ------------------------------------------------------------------

#: A resource of a quota (RFC 9208 section 5.1): KiB of all messages, as they are served.
STORAGE = "STORAGE"

#: A resource of a quota (RFC 9208 section 5.2): the number of messages.
MESSAGE = "MESSAGE"

#: The quota root of the public folders.
PUBLIC_QUOTA = "#public"

#: What the quota root of a user's own folders begins with; his name follows.
USER_QUOTA = "#user/"


@attrs.frozen
class Quota:
    """
    How much some folders together hold, and may hold.
    """

    root: str
    #: For each resource its name, how much is used, and the limit if there is one.
    resources: tuple[tuple[str, int, int | None], ...]


# --- annotations ------------------------------------------------------------


@attrs.frozen
class Metadata:
    """
    Annotations of a folder or of the server (RFC 5464).
    """

    #: Names, in lower case and in order, with their values.
    entries: tuple[tuple[str, bytes], ...]
    #: Bytes of the longest value that was left out because it is longer than was asked for; 0 for none.
    longest: int = 0


# --- delivery ---------------------------------------------------------------


@attrs.frozen
class Recipient:
    """
    Whom a message is for that somebody hands in for delivery.

    A folder that has the address is meant before any user.
    """

    #: The whole address, such as C{"news@example.org"}.
    address: str
    #: Whose mailbox it is if no folder has the address; C{""} for nobody's.
    user: str = ""
    #: The folder of this user's that is meant; INBOX, if it is C{""} or there is none of this name.
    folder: str = ""


@attrs.frozen
class Delivered:
    """
    What became of a message for one recipient.
    """

    #: L{StoreError.code<mailstore.errors.StoreError>}; C{""} when it was stored.
    code: str = ""
    #: Why it was not, for a person.
    text: str = ""


@attrs.frozen
class Expiry:
    """
    How long messages stay in a folder: what either of the two says goes.
    """

    #: Days since a message came into the folder after which it goes; C{None} for never.
    days: int | None = None
    #: How many stay, the newest; C{None} for all.
    messages: int | None = None


# --- looking after a store --------------------------------------------------


@attrs.frozen(kw_only=True)
class Statistics:
    """
    How much of everything a store holds.
    """

    users: int
    public_folders: int
    #: Of all users together.
    personal_folders: int
    messages: int
    #: Bytes of all messages as they are served.
    message_bytes: int
    #: Distinct messages: each is kept once, however many folders it is in.
    contents: int
    #: Bytes of these as they came.
    content_bytes: int
    #: Of these, how many are not in the search index yet.
    unindexed: int
    #: Bytes of the database, and of those the bytes that are free.
    database_bytes: int
    free_bytes: int
