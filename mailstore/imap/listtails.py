"""
STATUS, MYRIGHTS and METADATA responses behind the LIST responses of many folders (RFC 5819,
RFC 8440, RFC 9590): one scan of the store for each, batch by batch.

::

    rows       A    B   (node)   C    D     LIST responses in order; a node has no identity
    asked      A    B            C    D     their identities, all at once
    batch 1    A    B                       -> A, B with what is told of them
    batch 2                      c    D     -> the node; C, of which only the rights are told; D

What annotations these have is asked for as many as are in a batch.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.folderlist import Rows
from mailstore.imap.rights import toClient
from mailstore.imap.selection import Selected, withAttribute
from mailstore.imap.statusvalues import tails
from mailstore.imap.wire.metadata import metadataLine
from mailstore.imap.wire.values import StatusItem
from mailstore.model import uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session

_NOTHING: Mapping[int, tuple[tuple[str, bytes], ...]] = {}


@attrs.frozen
class _Counted:
    """
    What is told of the folders up to a place.
    """

    #: The place behind them.
    end: int
    status: Mapping[int, bytes] = attrs.field(factory=dict)
    rights: Mapping[int, str] = attrs.field(factory=dict)


class TailLines:
    """
    Makes the responses.
    """

    def __init__(
        self, session: Session, items: tuple[StatusItem, ...], rights: bool, annotations: tuple[str, ...]
    ) -> None:
        """
        @param items: what STATUS tells; nothing for no such responses.
        @param rights: whether MYRIGHTS is told.
        @param annotations: what METADATA tells; nothing for no such responses.
        """
        self._session = session
        self._items = items
        self._rights = rights
        self._annotations = annotations

    async def of(self, selected: Selected) -> AsyncGenerator[bytes, None]:
        """
        The responses for some folders, as the store gives them.

        @raise StoreError: as statuses and annotations of the store.
        """
        at = 0
        async with aclosing(self._counted(selected)) as counts:
            async for counted in counts:
                async with aclosing(self._annotated(selected, at, counted.end)) as annotated:
                    async for end, values in annotated:
                        yield self._lines(selected, at, end, counted, values)
                        at = end

    async def _counted(self, selected: Selected) -> AsyncGenerator[_Counted, None]:
        """
        What STATUS and MYRIGHTS tell, up to one place after another.
        """
        session, rows = self._session, selected.rows
        at = 0
        asked = _identities(selected, 0, len(rows)) if self._items or self._rights else b""
        if asked:
            async with aclosing(session.store.statuses(session.user, asked)) as batches:
                async for columns in batches:
                    if not columns.folders and not columns.unread:
                        continue
                    folders, told = await tails(session, columns, self._items)
                    unread = uint64s(columns.unread)
                    rights: dict[int, str] = {}
                    if self._rights:
                        rights.update(zip(folders, columns.rights, strict=True))
                        rights.update(zip(unread, columns.unread_rights, strict=True))
                    at = max(_behind(rows, at, each) for each in (*folders[-1:], *unread[-1:]))
                    yield _Counted(at, dict(zip(folders, told, strict=True)), rights)
        yield _Counted(len(rows))

    async def _annotated(
        self, selected: Selected, start: int, end: int
    ) -> AsyncGenerator[tuple[int, Mapping[int, tuple[tuple[str, bytes], ...]]], None]:
        """
        What METADATA tells of the folders between two places, up to one place after another.
        """
        session, at = self._session, start
        asked = _identities(selected, start, end) if self._annotations else b""
        if asked:
            found = session.store.annotations(session.user, asked, self._annotations)
            async with aclosing(found) as batches:
                async for batch in batches:
                    at = _behind(selected.rows, at, batch[-1].folder)
                    yield at, {each.folder: each.entries for each in batch}
        yield end, _NOTHING

    def _lines(
        self,
        selected: Selected,
        start: int,
        end: int,
        counted: _Counted,
        annotated: Mapping[int, tuple[tuple[str, bytes], ...]],
    ) -> bytes:
        rows, utf8 = selected.rows, self._session.utf8
        lines: list[bytes] = []
        columns = (rows.lines, rows.ids, rows.written, rows.names)
        for line, folder, written, name in zip(*(each[start:end] for each in columns), strict=True):
            tail = counted.status.get(folder)
            if name in selected.bare:
                lines.append(line)
                continue
            if tail is not None and self._items:
                lines += (line, b"* STATUS ", written, tail)
            elif folder and self._items:
                # RFC 5819 section 2: it cannot be read, or not any more.
                lines.append(withAttribute(line, b"\\Noselect"))
            else:
                lines.append(line)
            letters = counted.rights.get(folder)
            if letters is not None:
                lines.append(b"* MYRIGHTS %b %b\r\n" % (written, toClient(letters).encode("ascii")))
            values = annotated.get(folder)
            if values is not None:
                there = dict(values)
                told = [(entry, there.get(entry)) for entry in self._annotations]
                lines.append(metadataLine(name, told, utf8))
        return b"".join(lines)


def _identities(selected: Selected, start: int, end: int) -> bytes:
    """
    Those of the folders between two places of which anything is told.
    """
    rows = selected.rows
    some = zip(rows.ids[start:end], rows.names[start:end], strict=True)
    found: array[int] = uint64s(folder for folder, name in some if folder and name not in selected.bare)
    return found.tobytes()


def _behind(rows: Rows, start: int, folder: int) -> int:
    """
    The place behind a folder, or the end of all.
    """
    try:
        return rows.ids.index(folder, start) + 1
    except ValueError:
        return len(rows)
