"""
STATUS and MYRIGHTS responses behind the LIST responses of many folders (RFC 5819,
RFC 8440): one scan of the store, batch by batch.

::

    rows       A    B   (node)   C    D     LIST responses in order; a node has no identity
    asked      A    B            C    D     their identities, all at once
    batch 1    A    B                       -> A, B with what is told of them
    batch 2                      c    D     -> the node; C, of which only the rights are told; D
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from mailstore.imap.folderlist import Rows
from mailstore.imap.rights import toClient
from mailstore.imap.selection import Selected, withAttribute
from mailstore.imap.statusvalues import tails
from mailstore.imap.wire.values import StatusItem
from mailstore.model import uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session

_NOTHING: Mapping[int, bytes] = {}
_NOBODY: Mapping[int, str] = {}


class StatusLines:
    """
    Makes the responses.
    """

    def __init__(self, session: Session, items: tuple[StatusItem, ...], rights: bool) -> None:
        """
        @param items: what STATUS tells; nothing for no such responses.
        @param rights: whether MYRIGHTS is told.
        """
        self._session = session
        self._items = items
        self._rights = rights

    async def of(self, selected: Selected) -> AsyncGenerator[bytes, None]:
        """
        The responses for some folders, as the store gives them.

        @raise StoreError: as statuses of the store.
        """
        session, rows = self._session, selected.rows
        at = 0
        asked = uint64s(
            [
                folder
                for folder, name in zip(rows.ids, rows.names, strict=True)
                if folder and name not in selected.bare
            ]
        )
        if asked:
            async with aclosing(session.store.statuses(session.user, asked.tobytes())) as batches:
                async for columns in batches:
                    if not columns.folders and not columns.unread:
                        continue
                    folders, told = await tails(session, columns, self._items)
                    unread = uint64s(columns.unread)
                    status = dict(zip(folders, told, strict=True))
                    rights: dict[int, str] = {}
                    if self._rights:
                        rights.update(zip(folders, columns.rights, strict=True))
                        rights.update(zip(unread, columns.unread_rights, strict=True))
                    end = max(_behind(rows, at, each) for each in (*folders[-1:], *unread[-1:]))
                    yield self._lines(selected, at, end, status, rights)
                    at = end
        yield self._lines(selected, at, len(rows), _NOTHING, _NOBODY)

    def _lines(
        self,
        selected: Selected,
        start: int,
        end: int,
        status: Mapping[int, bytes],
        rights: Mapping[int, str],
    ) -> bytes:
        rows = selected.rows
        lines: list[bytes] = []
        columns = (rows.lines, rows.ids, rows.written, rows.names)
        for line, folder, written, name in zip(*(each[start:end] for each in columns), strict=True):
            tail = status.get(folder)
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
            if self._rights:
                letters = rights.get(folder)
                if letters is not None:
                    lines.append(b"* MYRIGHTS %b %b\r\n" % (written, toClient(letters).encode("ascii")))
        return b"".join(lines)


def _behind(rows: Rows, start: int, folder: int) -> int:
    """
    The place behind a folder, or the end of all.
    """
    try:
        return rows.ids.index(folder, start) + 1
    except ValueError:
        return len(rows)
