"""
How much of everything an engine holds and gives at once.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailstore.message.structure import DEEPEST, MAX_DEPTH, MAX_PARTS, MOST_PARTS

_KIB = 1024
_MIB = 1024 * 1024


def _upTo(most: int) -> Any:
    return attrs.validators.and_(attrs.validators.ge(1), attrs.validators.le(most))


@attrs.frozen(kw_only=True)
class EngineLimits:
    """
    Bounds of a L{Store<mailstore.engine.store.Store>}.  Reaching one is an
    answer (L{LimitReached<mailstore.errors.LimitReached>} and its like), never a fault.
    """

    #: Bytes of one message, as it is handed in.
    max_message: int = attrs.field(default=64 * _MIB, validator=attrs.validators.ge(1))
    #: Folders in one tree: the public one, or one user's own.
    max_folders: int = attrs.field(default=200_000, validator=attrs.validators.ge(1))
    #: Users, beyond which none is added that others only vouch for.
    max_users: int = attrs.field(default=1_000_000, validator=attrs.validators.ge(1))
    #: Names that one user subscribes to.
    max_subscriptions: int = attrs.field(default=10_000, validator=attrs.validators.ge(1))
    #: Uploads under way at once, of all users together.
    max_uploads: int = attrs.field(default=256, validator=attrs.validators.ge(1))
    #: Identifiers that one folder's ACL may name.
    max_acl_entries: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    #: Groups of users.
    max_groups: int = attrs.field(default=10_000, validator=attrs.validators.ge(0))
    #: Messages that one append may bring.
    max_append: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    #: Recipients that one message may be delivered to at once.
    max_recipients: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    #: Addresses that one folder may have.
    max_addresses: int = attrs.field(default=100, validator=attrs.validators.ge(1))
    #: Messages that are removed in one go because they are too old or too many.
    expire_rows: int = attrs.field(default=200, validator=attrs.validators.ge(1))
    #: Terms in one search, of all levels together.
    max_search_terms: int = attrs.field(default=2000, validator=attrs.validators.ge(1))
    #: Levels that the terms of a search may be nested.
    max_search_depth: int = attrs.field(default=100, validator=attrs.validators.ge(1))
    #: Multiparts and messages of one message that are opened within one another.  When this or the next is
    #: changed, what is kept of all messages is made again.
    max_mime_depth: int = attrs.field(default=MAX_DEPTH, validator=_upTo(DEEPEST))
    #: Parts that one message is taken apart into; the last one holds all the rest.
    max_mime_parts: int = attrs.field(default=MAX_PARTS, validator=_upTo(MOST_PARTS))
    #: Bytes of a section that are given in a batch; longer ones are read on their own.
    inline_section: int = attrs.field(default=64 * _KIB, validator=attrs.validators.ge(0))
    #: Bytes of values in one batch of an answer.  A batch holds at least one row, whatever its size.
    batch_bytes: int = attrs.field(default=64 * _KIB, validator=attrs.validators.ge(1))
    #: Rows in one batch of an answer.
    batch_rows: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    #: Messages that are changed, copied or removed in one slice.
    slice_rows: int = attrs.field(default=250, validator=attrs.validators.ge(1))
    #: Bytes of messages that are taken apart or written in one slice; a larger one is taken apart beside
    #: everything else.
    slice_bytes: int = attrs.field(default=_MIB, validator=attrs.validators.ge(1))
    #: Messages that a search looks at in one slice, when their texts need not be read.
    search_rows: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    #: Messages that a search looks at in one slice, when their texts must be read.
    search_texts: int = attrs.field(default=50, validator=attrs.validators.ge(1))
    #: Bytes of an upload that stay in memory; more go to a temporary file.
    upload_memory: int = attrs.field(default=64 * _KIB, validator=attrs.validators.ge(0))
    #: Bytes of pages of the database that each of the two connections, the one that reads and the one that
    #: writes, keeps.
    page_cache: int = attrs.field(default=16 * _MIB, validator=attrs.validators.ge(64 * _KIB))
    #: Rows of folders, users and their own flags, half a KiB each, that are kept while nothing changes.
    lookup_cache: int = attrs.field(default=50_000, validator=attrs.validators.ge(0))
    #: Bytes of snapshots of folders that are kept for the next who asks.
    snapshot_cache: int = attrs.field(default=64 * _MIB, validator=attrs.validators.ge(0))
    #: Bytes of what searches for texts have found out, kept for the next who looks for the same.
    search_cache: int = attrs.field(default=32 * _MIB, validator=attrs.validators.ge(0))
    #: Bytes of places in large messages, from which somebody who reads them in pieces goes on.
    landmark_cache: int = attrs.field(default=2 * _MIB, validator=attrs.validators.ge(0))
    #: Enumerations of trees that are kept for the next who asks.
    tree_cache: int = attrs.field(default=16, validator=attrs.validators.ge(1))
    #: Ranges of expunged UIDs that are remembered for one folder.
    max_tombstones: int = attrs.field(default=1000, validator=attrs.validators.ge(2))
    #: Bytes of what is gathered of messages that requests put in order, all of them together.
    max_gathered: int = attrs.field(default=256 * _MIB, validator=attrs.validators.ge(1))
    #: Annotations of one folder, or of the server, that all share, and that each user has of his own.
    max_annotations: int = attrs.field(default=100, validator=attrs.validators.ge(0))
    #: Bytes of one annotation.
    max_annotation: int = attrs.field(default=16 * _KIB, validator=attrs.validators.ge(0))
    #: Seconds to wait for another process that is writing.
    busy_wait: float = attrs.field(default=2.0, validator=attrs.validators.ge(0))
    #: Bytes that the database may have; C{None} for as many as there is room for.
    max_database: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(1))
    )
