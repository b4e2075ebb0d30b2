"""
Which folders an extended LIST is about, and their LIST responses (RFC 5258, RFC 6154).

Without a selection option they come from the shared answers of
L{mailstore.imap.folderlist}, and only C{\\Subscribed} is put in.  With one, they
are few, and are looked up in the shared trees.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.folderlist import FolderTree, Rows
from mailstore.imap.patterns import Pattern
from mailstore.imap.wire import writer
from mailstore.imap.wire.listextended import ListRequest, ListReturn, ListSelect, listLine
from mailstore.model import SEPARATOR, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session

#: Folders that are handled in one go, before others may run.
SLICE = 2000

#: What RECURSIVEMATCH can be about.
_CHILD_INFO = (ListSelect.SUBSCRIBED,)


@attrs.frozen
class Selected:
    """
    Some folders of an answer.
    """

    rows: Rows
    #: Names that are only here because of others below them: nothing more is told of these.
    bare: frozenset[str] = frozenset()


def withAttribute(line: bytes, attribute: bytes) -> bytes:
    """
    A LIST response with one attribute more.
    """
    return line.replace(b")", b" %b)" % attribute, 1)


async def select(
    session: Session, request: ListRequest, patterns: Sequence[Pattern]
) -> AsyncGenerator[Selected, None]:
    """
    The folders that a request means, each once, not more than L{SLICE} at a time.

    @raise StoreError: as subscriptions, trees and folders of the store.
    """
    subscribed: frozenset[str] = frozenset()
    if ListReturn.SUBSCRIBED in request.returns:
        subscribed = frozenset(await session.store.subscriptions(session.user))
    if request.select.isdisjoint((ListSelect.SUBSCRIBED, ListSelect.SPECIAL_USE)):
        async for rows in _all(session, patterns, subscribed):
            yield Selected(rows)
        return
    trees = await session.front.lists.trees(session.user)
    if ListSelect.SUBSCRIBED in request.select:
        candidates = sorted(subscribed)
        if ListSelect.SPECIAL_USE in request.select:
            candidates = [name for name in candidates if any(name in tree.uses for tree in trees)]
    else:
        candidates = sorted(name for tree in trees for name in tree.uses)
    matched, parents = await _match(
        session, candidates, patterns, ListSelect.RECURSIVEMATCH in request.select
    )
    bare = frozenset(parents.difference(matched))
    names = sorted(bare.union(matched))
    for at in range(0, len(names), SLICE):
        lines = names[at : at + SLICE]
        rows = _look(session, trees, lines, subscribed, parents, ListReturn.CHILDREN in request.returns)
        yield Selected(rows, bare.intersection(lines))


async def _all(
    session: Session, patterns: Sequence[Pattern], subscribed: frozenset[str]
) -> AsyncGenerator[Rows, None]:
    """
    All folders that are there.
    """
    seen: set[str] = set()
    link, lists = session.link, session.front.lists
    for rows in await lists.rows(session.user, patterns, session.utf8, link.lists_public):
        for at in range(0, len(rows), SLICE):
            part = rows.part(at, at + SLICE)
            if len(patterns) > 1:
                part = _unseen(part, seen)
            if not subscribed.isdisjoint(part.names):
                lines = (
                    withAttribute(line, b"\\Subscribed") if name in subscribed else line
                    for name, line in zip(part.names, part.lines, strict=True)
                )
                part = attrs.evolve(part, lines=tuple(lines))
            if part:
                yield part
            await session.front.runtime.sleep(0)


def _unseen(rows: Rows, seen: set[str]) -> Rows:
    """
    Those whose names are not in C{seen}, where they are put.
    """
    places = [at for at, name in enumerate(rows.names) if name not in seen]
    seen.update(rows.names)
    if len(places) == len(rows):
        return rows
    return Rows(
        tuple(rows.names[at] for at in places),
        tuple(rows.lines[at] for at in places),
        tuple(rows.written[at] for at in places),
        uint64s(rows.ids[at] for at in places),
    )


async def _match(
    session: Session, candidates: Sequence[str], patterns: Sequence[Pattern], recursive: bool
) -> tuple[set[str], set[str]]:
    """
    Which names the patterns mean, and which have others below them that are candidates.

    Of those that are no candidates themselves, only those are told that are needed to know: what is
    below them is not all told itself (RFC 5258 section 3.5).
    """
    matched: set[str] = set()
    parents: set[str] = set()
    asked: dict[str, bool] = {}
    known = frozenset(candidates)

    def means(name: str) -> bool:
        if name not in asked:
            asked[name] = any(pattern.matches(name) for pattern in patterns)
        return asked[name]

    for looked_at, name in enumerate(candidates, 1):
        if means(name):
            matched.add(name)
        parent = name.rpartition(SEPARATOR)[0] if recursive else ""
        while parent:
            if means(parent) and (parent in known or name not in matched):
                parents.add(parent)
            parent = parent.rpartition(SEPARATOR)[0]
        if not looked_at % SLICE:
            await session.front.runtime.sleep(0)
    return matched, parents


def _look(
    session: Session,
    trees: Sequence[FolderTree],
    names: Sequence[str],
    subscribed: frozenset[str],
    parents: set[str],
    children: bool,
) -> Rows:
    """
    The responses for some names, which need not exist.
    """
    lines: list[bytes] = []
    ids: list[int] = []
    for name in names:
        tree = next((each for each in trees if name in each.attributes), None)
        if tree is not None:
            attributes = tree.attributes[name]
        else:
            attributes = b"\\NonExistent \\Noselect"
            if children:
                attributes += b" \\HasNoChildren"
        if name in subscribed:
            attributes += b" \\Subscribed"
        info: Iterable[ListSelect] = _CHILD_INFO if name in parents else ()
        lines.append(listLine(name, attributes, child_info=info, utf8=session.utf8))
        ids.append(0 if tree is None else tree.identity(name))
    written = tuple(writer.mailbox(name, session.utf8) for name in names)
    return Rows(tuple(names), tuple(lines), written, uint64s(ids))
