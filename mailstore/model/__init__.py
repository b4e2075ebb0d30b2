"""
The values that a store and its users exchange: immutable, checked when made,
without a word of IMAP or SQL.

Bulk data travels as columns (C{bytes} holding a packed machine-order array),
so that ten thousand rows cost ten thousand machine words and not ten thousand
objects; L{uint32s} and L{uint64s} turn them into arrays and back.
"""

from __future__ import annotations

from mailstore.model.annotations import Annotated, Metadata
from mailstore.model.columns import uint32s, uint64s
from mailstore.model.delivery import MAX_ADDRESS, Delivered, Recipient, foldedAddress, mailAddress
from mailstore.model.fetching import FetchBatch, FetchSpec, Section, SectionKind
from mailstore.model.flags import (
    ANSWERED,
    DELETED,
    DRAFT,
    FLAGGED,
    KEYWORD_BIT,
    MAX_KEYWORD,
    MAX_KEYWORDS,
    SEEN,
    SYSTEM_FLAGS,
    FlagColumns,
    FlagMode,
    FlagsStored,
    flagNames,
)
from mailstore.model.foldernames import (
    INBOX,
    MAX_DEPTH,
    MAX_NAME,
    MAX_PART,
    OTHERS_ROOT,
    PUBLIC_ROOT,
    SEPARATOR,
    folderName,
)
from mailstore.model.folders import (
    HIERARCHY,
    MAX_WATCHERS,
    FolderColumns,
    FolderDelta,
    FolderStatus,
    News,
    OpenFolder,
    StatusColumns,
    TreeVersion,
    Watcher,
)
from mailstore.model.identities import (
    ANYONE,
    AUTHENTICATED,
    GROUP_PREFIX,
    SYSTEM,
    Credentials,
    groupName,
    userName,
)
from mailstore.model.messages import AppendResult, CopyResult, NewMessage
from mailstore.model.ordering import SortField, SortKey, ThreadAlgorithm, ThreadColumns
from mailstore.model.quotas import MESSAGE, PUBLIC_QUOTA, STORAGE, USER_QUOTA, Quota
from mailstore.model.rights import ALL_RIGHTS, DEFAULT_PUBLIC_RIGHTS, RightsMode, rightsOf
from mailstore.model.searching import Criterion, SearchTerm
from mailstore.model.uidset import UidSet
from mailstore.model.upkeep import Expiry, Statistics

__all__ = [
    "ALL_RIGHTS",
    "ANSWERED",
    "ANYONE",
    "AUTHENTICATED",
    "DEFAULT_PUBLIC_RIGHTS",
    "DELETED",
    "DRAFT",
    "FLAGGED",
    "GROUP_PREFIX",
    "HIERARCHY",
    "INBOX",
    "KEYWORD_BIT",
    "MAX_ADDRESS",
    "MAX_DEPTH",
    "MAX_KEYWORD",
    "MAX_KEYWORDS",
    "MAX_NAME",
    "MAX_PART",
    "MAX_WATCHERS",
    "MESSAGE",
    "OTHERS_ROOT",
    "PUBLIC_QUOTA",
    "PUBLIC_ROOT",
    "SEEN",
    "SEPARATOR",
    "STORAGE",
    "SYSTEM",
    "SYSTEM_FLAGS",
    "USER_QUOTA",
    "Annotated",
    "AppendResult",
    "CopyResult",
    "Credentials",
    "Criterion",
    "Delivered",
    "Expiry",
    "FetchBatch",
    "FetchSpec",
    "FlagColumns",
    "FlagMode",
    "FlagsStored",
    "FolderColumns",
    "FolderDelta",
    "FolderStatus",
    "Metadata",
    "NewMessage",
    "News",
    "OpenFolder",
    "Quota",
    "Recipient",
    "RightsMode",
    "SearchTerm",
    "Section",
    "SectionKind",
    "SortField",
    "SortKey",
    "Statistics",
    "StatusColumns",
    "ThreadAlgorithm",
    "ThreadColumns",
    "TreeVersion",
    "UidSet",
    "Watcher",
    "flagNames",
    "foldedAddress",
    "folderName",
    "groupName",
    "mailAddress",
    "rightsOf",
    "uint32s",
    "uint64s",
    "userName",
]
