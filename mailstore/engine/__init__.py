"""
The store itself, on SQLite.

Invariants:

  - Whatever a request changes is changed in one savepoint of one write
    transaction: all of it or nothing, and its result leaves after the commit.  What is
    of very many messages is done in slices, each of which is such a change
    (L{mailstore.engine.moving}); a COPY is there with the last one only (L{mailstore.engine.copying}).
  - Rights are checked where rows are found (L{mailstore.engine.places}), in the
    transaction that reads or changes them, in every request and every batch.
  - The write connection is used between C{begin} and C{commit} only; the
    read connection sees what is committed, of one moment at a time.
  - Every cache is keyed by a number that grows with what it depends on and is read
    from the database in the same moment.  So no cache is ever told of
    a change, and what another process changes is seen by the next request.
  - Identities of folders, ids of ACLs and UIDs are never used again.  A folder's
    UIDVALIDITY is greater than all that were given out before.
  - A folder's C{modseq} grows with every change.  A message has the one of its last
    change that all can see; a user's own C{\\Seen} has one beside it.  C{changed}
    is the last one that all can see: it is what a folder's snapshot is of.
  - Counts (messages, unseen, deleted, recent, bytes) are columns of the
    folder, changed together with its messages and never counted.
  - A content is kept once, as it came, however many messages are copies
    of it; C{refs} says how many.  With C{refs} 0, when that is committed, it goes, unless it is being read.
  - Messages from a folder's C{uid_next} on, with a mod-sequence above its C{changed}, are there for nobody.
  - What is made of a message (structure, renditions, texts for searching) is
    made when it is delivered, before the write transaction is entered.
  - The search index may name too many contents for a text and never too few: it is asked who may
    hold it, and the texts of those are read.  It comes after the deliveries
    (L{Store.indexMore<mailstore.engine.store.Store.indexMore>}), and says how far it has come.
  - What a tree holds (messages, bytes) is kept with it, and no change that adds to it ends above
    its quota.
  - Nothing here knows of Twisted or of IMAP.  Coroutines wait for the
    committer (L{mailstore.engine.commit}) and for nothing else.

The schema (C{mailstore/engine/migrations/}), with one line per row that names another::

    users --< trees          one per tree: generation, counts, limits (owner 0: public)
      |
      +--< subscriptions
      |
      +--< folders >-- acls  path below the tree's root; counts, UID and modseq counters, keywords
             |
             +--< messages >-- contents      flags, modseq, dates; by (folder, uid)
             |                    +--< chunks        as it came, 128 KiB each
             |                    +--< renditions    by (content, kind)
             |                    +--- texts         headers and body, folded
             |                    |      +--- text_index   by pieces of three characters
             |                    +--- sortings      what is sorted and threaded by
             +--< tombstones                 ranges of expunged UIDs, by modseq
             +--< seen --< seen_marks        a user's low-water mark and exceptions
             +--< metadata                   annotations, each user's own and shared ones
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from mailstore.engine.commit import ICommitter, ImmediateCommitter
from mailstore.engine.database import Database
from mailstore.engine.errors import StoreOpenError
from mailstore.engine.limits import EngineLimits
from mailstore.engine.rendering import Rendition
from mailstore.engine.store import Store
from mailstore.errors import StoreError

__all__ = (
    "EngineLimits",
    "ICommitter",
    "ImmediateCommitter",
    "Store",
    "StoreOpenError",
    "open",
)


def open(
    url: str,
    *,
    renditions: Mapping[str, Rendition],
    renditions_version: int,
    create: bool = True,
    limits: EngineLimits | None = None,
    committer: ICommitter | None = None,
    clock: Callable[[], float] = time.time,
    subscribe_new: bool = False,
    helpers: int = 0,
) -> Store:
    """
    Open the store that a URL names: C{sqlite:///path/mail.db} (absolute),
    C{sqlite:mail.db} (in the working directory) or C{sqlite::memory:}.

    @param renditions: see L{Store}.
    @param renditions_version: see L{Store}.
    @param create: make it if it is not there.
    @param committer: see L{Store}.
    @param subscribe_new: see L{Store}.
    @param helpers: see L{Store}.
    @raise StoreOpenError: that cannot be done; the message is one line that
        names the path and says why.
    """
    limits = limits or EngineLimits()
    database = Database.open(url, limits, create)
    try:
        return Store(
            database, renditions, renditions_version, limits, committer, clock, subscribe_new, helpers
        )
    except StoreError as error:
        database.close()
        raise StoreOpenError(f"cannot open store {url!r}: {error}") from error
    except BaseException:
        database.close()
        raise
