"""
From a L{Plan<mailstore.imap.fetching.Plan>} to the responses for all messages that a client means.

There are three ways, and each asks the store which messages there are, and so for the right to read them:

  - what messages say for ever in few bytes is rendered once and kept (L{mailstore.imap.sharedtexts});
  - whole messages are kept as they are (L{mailstore.imap.wholemessages});
  - anything else comes from the store each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from mailstore.imap.fetching import Plan, flagTexts, isLasting
from mailstore.imap.messagesets import parts, widened
from mailstore.imap.sharedtexts import TextsOf
from mailstore.imap.wholemessages import WholeMessages
from mailstore.model import FetchBatch, FetchSpec, UidSet, uint32s, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: Ranges of messages asked for at once.  The store holds what it is asked for as long as a
#: slow client takes to read the answer.
_RANGES = 256

#: Bytes of the texts of one batch; what has more is not kept, but sent as it comes.
_MOST_MADE = 2 << 20


async def fetchAll(session: Session, view: View, uids: UidSet, plan: Plan) -> int:
    """
    Ask the store for messages of the view, and send the responses.

    @return: how many there were.
    @raise StoreError: as L{IStore.fetch<mailstore.interfaces.IMessages.fetch>}, and as L{Plan.send}.
    """
    sent = 0
    shared = plan.is_shareable and session.front.texts.isWorthWhile(len(uids))
    whole = WholeMessages.of(session, view, plan)
    for part in parts(widened(view.messages, uids), _RANGES):
        rest = part
        if whole is not None:
            sent += await whole.fetch(part)
            continue
        if shared:
            count, stuck = await _fetchShared(session, view, part, plan)
            sent += count
            if stuck is None:
                continue
            # Something is too large to be shared; it, and what follows, goes its own way.
            shared = False
            rest = UidSet(tuple((max(low, stuck), high) for low, high in part.ranges if high >= stuck))
        async with aclosing(session.store.fetch(session.user, view.folder, rest, plan.spec)) as batches:
            async for batch in batches:
                sent += await plan.send(session, view, batch)
    return sent


async def _fetchShared(session: Session, view: View, uids: UidSet, plan: Plan) -> tuple[int, int | None]:
    """
    The same, with what is kept of what the messages say.

    @return: how many responses were sent; and the UID at which it cannot go on, since
        something is too large to be kept, C{None} when all was done.
    """
    lasting = tuple(item for item in plan.items if isLasting(item))
    which = TextsOf(view.folder, view.uid_validity, lasting)
    volatile = FetchSpec(flags=plan.spec.flags, modseq=plan.spec.modseq)
    sent = 0
    async with aclosing(session.store.fetch(session.user, view.folder, uids, volatile)) as batches:
        async for batch in batches:
            count = await _sendShared(session, view, plan, which, batch)
            if count is None:
                return sent, uint32s(batch.uids)[0]
            sent += count
    return sent, None


async def _sendShared(
    session: Session, view: View, plan: Plan, which: TextsOf, batch: FetchBatch
) -> int | None:
    """
    Send the responses for a batch: as they were rendered before for the same messages with
    the same numbers and flags, if they were.

    @return: how many there were; C{None} when something is too large to be kept.
    """
    uids = uint32s(batch.uids)
    if plan.spec.flags:
        await session.keywordsKnown(batch.keywords)
    sequences = view.sequencesOf(uids)
    kept = session.front.lines
    source = None
    if kept.isWorthWhile(len(uids)) and not (plan.spec.flags and view.recent) and 0 not in sequences:
        keywords = view.keywords if plan.spec.flags else ()
        source = (which, sequences.tobytes(), batch.uids, batch.flags, batch.modseqs, keywords)
        lines = kept.get(source)
        if lines is not None:
            await session.write(lines)
            return len(uids)
    known = session.front.texts.of(which)
    texts = list(map(known.get, uids))
    if None in texts:
        missing = UidSet.of(uid for uid, text in zip(uids, texts, strict=True) if text is None)
        made = await _makeTexts(session, view, which, missing)
        if made is None:
            return None
        texts = [text or made.get(uid) for uid, text in zip(uids, texts, strict=True)]
        sequences = view.sequencesOf(uids)
    columns: list[Sequence[object]] = [sequences]
    template = b"* %d FETCH ("
    if plan.spec.flags:
        template += b"FLAGS %b "
        columns.append(flagTexts(view, uids, uint64s(batch.flags)))
    if plan.spec.modseq:
        template += b"MODSEQ (%d) "
        columns.append(uint64s(batch.modseqs))
    columns.append(texts)
    # What was expunged meanwhile has no text, and what the client does not know no number.
    rows = [row for row in zip(*columns, strict=True) if row[0] and row[-1] is not None]
    lines = b"".join(map((template + b"%b)\r\n").__mod__, rows))
    if source is not None and len(rows) == len(uids):
        kept.add(source, lines)
    await session.write(lines)
    return len(rows)


async def _makeTexts(session: Session, view: View, which: TextsOf, uids: UidSet) -> dict[int, bytes] | None:
    """
    Ask the store for texts, and keep them for others.

    @return: those of the messages that are there; C{None} when they are too large.
    """
    plan = Plan(which.items)
    made: dict[int, bytes] = {}
    left = _MOST_MADE
    async with aclosing(session.store.fetch(session.user, view.folder, uids, plan.spec)) as batches:
        async for batch in batches:
            texts = plan.texts(view, batch)
            if texts is not None:
                left -= sum(len(text) for _, text in texts)
            if texts is None or left < 0:
                return None
            made.update(texts)
            session.front.texts.add(which, texts)
    return made
