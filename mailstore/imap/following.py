"""
How a client is brought up to date with its open folder.

There is one mechanism, whatever the occasion (the end of a command, NOOP, IDLE, the
store's return): ask the store for what changed after the last modification
that the client knows, take it into the L{View}, say what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from mailstore.errors import NoSuchFolder, NotSelectable
from mailstore.imap.view import uidsFrom
from mailstore.imap.wire.condstore import vanishedLines
from mailstore.imap.wire.values import FetchData
from mailstore.model import FolderDelta, UidSet, Watcher

if TYPE_CHECKING:
    from mailstore.imap.bells import Told
    from mailstore.imap.session import Session
    from mailstore.imap.view import View, ViewChanges


class FolderLost(Exception):
    """
    The open folder is not there any more, or may not be read any more.
    """


async def pull(session: Session, view: View, may_expunge: bool, told: Told | None = None) -> None:
    """
    Ask for changes and tell them, batch by batch as the client reads.  If it
    fails in the middle, the next time begins where this one began; what was told
    is not undone by being told again.

    @param told: what the store has said already; it is not asked if that is of use here.
    @raise StoreError: as L{IStore.changes<mailstore.interfaces.IMessages.changes>}.
    """
    if told is not None and told.view is view and told.since == view.known_modseq:
        delta = told.delta
    else:
        watcher = Watcher(session.user, view.known_modseq, view.claims_recent)
        news = await session.store.news(view.folder, (watcher,))
        if not news:
            # There is more than fits, or something is in the way.
            await _pullAll(session, view, may_expunge)
            return
        delta = news[0].delta
    await _takeIn(session, view, delta, may_expunge)
    view.applied(delta.highest_modseq)


async def _pullAll(session: Session, view: View, may_expunge: bool) -> None:
    """
    The same, however much it is.
    """
    deltas = session.store.changes(session.user, view.folder, view.known_modseq, view.claims_recent)
    reached = view.known_modseq
    try:
        async for delta in deltas:
            reached = delta.highest_modseq
            await _takeIn(session, view, delta, may_expunge)
    finally:
        await deltas.aclose()
    view.applied(reached)


async def _takeIn(session: Session, view: View, delta: FolderDelta, may_expunge: bool) -> None:
    """
    Take a batch of changes into the view, and tell them.
    """
    last = view.messages.last
    await announce(session, view, view.apply(delta, may_expunge))
    if session.notifier is not None and session.notifier.items:
        await tellNew(session, view, last)


async def tellNew(session: Session, view: View, last: int) -> None:
    """
    Tell of new messages what the client has asked for by NOTIFY (RFC 5465 section 5.2), but for those that it
    has just brought itself.

    @param last: the last UID that it knew before.
    @raise StoreError: as L{IStore.fetch<mailstore.interfaces.IMessages.fetch>}.
    """
    # What renders responses knows the session, and that knows this.
    from mailstore.imap.fetching import Plan
    from mailstore.imap.fetchways import fetchAll

    notifier = session.notifier
    assert notifier is not None
    told = uidsFrom(view.messages.uids(), last + 1)
    if notifier.own:
        told = UidSet.of(uid for uid in told if uid not in notifier.own)
        notifier.own.clear()
    if told:
        items = (*notifier.items, FetchData.UID) if session.condstore else notifier.items
        await fetchAll(session, view, told, Plan(tuple(dict.fromkeys(items))))


async def checkIdentity(session: Session, view: View) -> None:
    """
    After the store was away: is the folder still the one that was opened?  It may
    have been renamed meanwhile, so a name that leads elsewhere decides
    nothing; its identity does, when changes are asked for.

    @raise FolderLost: it is another, or what the client knows of it has been
        undone (a backup was restored).
    """
    try:
        status = await session.store.status(session.user, view.name)
    except (NoSuchFolder, NotSelectable):
        return
    if status.folder != view.folder:
        return
    if status.uid_validity != view.uid_validity or status.highest_modseq < view.known_modseq:
        raise FolderLost()


async def announce(session: Session, view: View, changes: ViewChanges) -> None:
    """
    Write the responses for some changes (RFC 9051 section 7): expunges first, so that
    all other numbers are those that hold afterwards.
    """
    lines = _lines(session, view, changes)
    if session.idles:
        # Nothing follows for a while, and many may be told of the same change: each is, before the
        # next is seen to.
        await session.finishLines(lines)
    elif session.replies:
        await session.writeWithNext(b"".join(lines))
    else:
        await session.writeLines(lines)


def _lines(session: Session, view: View, changes: ViewChanges) -> Iterator[bytes]:
    if session.qresync:
        # RFC 7162 section 3.2.10.2.
        yield from vanishedLines(changes.vanished.ranges)
    else:
        for number in changes.expunged:
            yield b"* %d EXPUNGE\r\n" % number
    if changes.keywords:
        yield from flagLines(view)
    if changes.exists is not None:
        yield b"* %d EXISTS\r\n" % changes.exists
    if changes.recent is not None and not session.rev2:
        yield b"* %d RECENT\r\n" % changes.recent
    if session.notifier is not None and not session.notifier.tells_flags:
        return
    columns = zip(changes.sequences, changes.uids, changes.flags, changes.modseqs, strict=True)
    for sequence, uid, mask, modseq in columns:
        flags = view.flagText(uid, mask)
        if session.condstore:
            yield b"* %d FETCH (UID %d FLAGS %b MODSEQ (%d))\r\n" % (sequence, uid, flags, modseq)
        else:
            yield b"* %d FETCH (UID %d FLAGS %b)\r\n" % (sequence, uid, flags)


def flagLines(view: View) -> tuple[bytes, bytes]:
    """
    The C{FLAGS} and C{PERMANENTFLAGS} responses of an open folder (RFC 9051
    sections 7.3.5 and 7.1).
    """
    return _flagLines(view.allFlags(), view.permanentFlags())


@lru_cache(1024)
def _flagLines(all_flags: tuple[str, ...], permanent_flags: tuple[str, ...]) -> tuple[bytes, bytes]:
    flags = " ".join(all_flags).encode("ascii")
    permanent = " ".join(permanent_flags).encode("ascii")
    return (
        b"* FLAGS (%s)\r\n" % flags,
        b"* OK [PERMANENTFLAGS (%s)] Flags that can be kept\r\n" % permanent,
    )
