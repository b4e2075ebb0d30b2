"""
From folders to files: a Maildir with its subfolders (Maildir++), or mbox files (mboxrd).

Nothing that exists is ever overwritten.  Every message, or every mbox, is written under
another name first and appears under its own when it is whole; so an export that was
interrupted can go on, and what is there is right at any moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import IO

import attrs

from mailstore.admin.maildirs import MARK, letters, subfolder
from mailstore.admin.output import CommandFailed
from mailstore.admin.publishing import publish
from mailstore.errors import InvalidName, InvalidRequest, NoSuchFolder
from mailstore.interfaces import ILocalStore
from mailstore.model import SEPARATOR, SYSTEM, FetchSpec, OpenFolder, UidSet, flagNames, uint32s, uint64s

#: What a file is called that is not whole yet ends so.
PART = ".part"

#: Bytes of a name in a directory.
_LONGEST = 255

#: Messages that are asked for at once.
_BATCH = 1000

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@attrs.define
class Report:
    """
    What an export did.
    """

    #: Messages written, by the full name of their folder.
    written: Counter[str] = attrs.field(factory=Counter)
    #: Messages that were there from an export before.
    present: int = 0
    #: Messages that were deleted from the store meanwhile.
    gone: int = 0
    #: What was not exported: a name, and why.
    problems: list[tuple[str, str]] = attrs.field(factory=list)


@attrs.frozen
class Message:
    """
    A message to be exported.
    """

    uid: int
    flags: tuple[str, ...]
    #: Seconds since 1970 UTC.
    date: int
    size: int


class Exporter:
    """
    Exports a folder with all below it.

    @ivar report: filled as the work goes on; right also when it is cut short.
    """

    def __init__(
        self,
        store: ILocalStore,
        folder: str,
        destination: str,
        resume: bool,
        go_on: Callable[[], object] = lambda: None,
        advanced: Callable[[int], object] = lambda size: None,
    ) -> None:
        """
        @param folder: full name of the folder, as L{SYSTEM} sees it.
        @param resume: go on with what an export of this folder left in C{destination}.
        @param go_on: called between messages; raises to end the export.
        @param advanced: told the bytes that are done, as the work goes on.
        """
        self.report = Report()
        self._store = store
        self._folder = folder
        self._destination = destination
        self._resume = resume
        self._go_on = go_on
        self._advanced = advanced

    async def maildir(self, names: list[str]) -> None:
        """
        Export as a Maildir.

        @param names: the folder and those below it that hold messages.
        @raise CommandFailed: there is something else in the destination.
        @raise OSError: it cannot be written.
        """
        self._begin("maildir")
        for name in names:
            below = name[len(self._folder) + 1 :]
            try:
                directory = os.path.join(self._destination, subfolder(below)) if below else self._destination
            except InvalidName as error:
                self.report.problems.append((name, str(error)))
                continue
            for each in ("tmp", "new", "cur"):
                os.makedirs(os.path.join(directory, each), mode=0o700, exist_ok=True)
            if below:
                # What tells other programs that it is a folder of a Maildir (Maildir++).
                with open(os.path.join(directory, "maildirfolder"), "ab"):
                    pass
            await self._maildirFolder(name, directory)

    async def _maildirFolder(self, name: str, directory: str) -> None:
        opened = await self._opened(name)
        if opened is None:
            return
        current = os.path.join(directory, "cur")
        there = {each.partition(":")[0] for each in os.listdir(current)} if self._resume else set()
        async for message in self._messages(opened):
            # The same each time, so that who goes on knows what is there.
            unique = f"{message.date}.F{opened.folder}U{message.uid:010d}.mailstore"
            if unique in there:
                self.report.present += 1
                self._advanced(message.size)
                continue
            part = os.path.join(directory, "tmp", unique)
            if self._resume:
                # From an export that was killed in the middle of it.
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part)
            try:
                with _newFile(part) as file:
                    async with contextlib.aclosing(
                        self._store.readOriginal(opened.folder, message.uid)
                    ) as pieces:
                        async for piece in pieces:
                            file.write(piece)
                os.utime(part, (message.date, message.date))
                os.rename(part, os.path.join(current, f"{unique}:2,{letters(message.flags)}"))
            except InvalidRequest:
                os.unlink(part)
                self.report.gone += 1
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(part)
                raise
            else:
                self.report.written[name] += 1
            self._advanced(message.size)

    async def mbox(self, names: list[str]) -> None:
        """
        Export as mbox files: one if the folder has none below it, otherwise a directory of them.

        @param names: as for L{maildir}.
        @raise CommandFailed: there is something else in the destination.
        @raise OSError: it cannot be written.
        """
        if names == [self._folder]:
            if os.path.lexists(self._destination):
                raise CommandFailed(f"{self._destination!r} exists already: an export overwrites nothing")
            await self._mboxFile(self._folder, self._destination)
            return
        self._begin("mbox")
        above = self._folder.rpartition(SEPARATOR)[0]
        for name in names:
            path = _mboxPath(name[len(above) + 1 if above else 0 :])
            if path is None:
                self.report.problems.append((name, "no file can have that name"))
                continue
            path = os.path.join(self._destination, path)
            if os.path.lexists(path):
                self.report.present += (await self._store.status(SYSTEM, name)).messages
                continue
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            await self._mboxFile(name, path)

    async def _mboxFile(self, name: str, path: str) -> None:
        opened = await self._opened(name)
        if opened is None:
            return
        part = path + PART
        if os.path.lexists(part):
            os.unlink(part)
        try:
            with _newFile(part) as file:
                async for message in self._messages(opened):
                    at = file.tell()
                    try:
                        await self._mboxMessage(file, opened.folder, message)
                    except InvalidRequest:
                        file.seek(at)
                        file.truncate()
                        self.report.gone += 1
                    else:
                        self.report.written[name] += 1
                    self._advanced(message.size)
                file.flush()
                os.fsync(file.fileno())
            publish(part, path)
        except BaseException:
            # What is not whole does not count.
            del self.report.written[name]
            raise
        finally:
            with contextlib.suppress(OSError):
                os.unlink(part)

    async def _mboxMessage(self, file: IO[bytes], folder: int, message: Message) -> None:
        file.write(_fromLine(message.date))
        held = b""
        async with contextlib.aclosing(self._store.readOriginal(folder, message.uid)) as pieces:
            async for piece in pieces:
                # Only whole lines are looked at.
                piece = held + piece
                cut = piece.rfind(b"\n") + 1
                held = piece[cut:]
                file.write(_FROM.sub(rb">\1", piece[:cut]))
        file.write(_FROM.sub(rb">\1", held))
        file.write(b"\n\n" if held else b"\n")

    # --- both ---

    def _begin(self, kind: str) -> None:
        """
        Make the destination, or find out that it is what an export of the same folder left.
        """
        mark = os.path.join(self._destination, MARK)
        said = {"folder": self._folder, "format": kind}
        if not os.path.lexists(self._destination):
            os.mkdir(self._destination, 0o700)
        elif not os.path.isdir(self._destination):
            raise CommandFailed(f"{self._destination!r} exists already and is no directory")
        elif os.listdir(self._destination):
            try:
                with open(mark, "rb") as file:
                    found = json.loads(file.read(10_000))
            except (FileNotFoundError, ValueError):
                raise CommandFailed(
                    f"{self._destination!r} is not empty: an export overwrites nothing; name a new directory"
                ) from None
            if found != said:
                raise CommandFailed(f"{self._destination!r} has an export of another folder or format")
            if not self._resume:
                raise CommandFailed(
                    f"{self._destination!r} has an export of this folder already: go on with it by --resume"
                )
            return
        with _newFile(mark) as file:
            file.write(json.dumps(said).encode() + b"\n")

    async def _opened(self, name: str) -> OpenFolder | None:
        try:
            opened = await self._store.openFolder(SYSTEM, name, False)
        except NoSuchFolder:
            self.report.problems.append((name, "it was deleted meanwhile"))
            return None
        self.report.written[name] += 0
        return opened

    async def _messages(self, opened: OpenFolder) -> AsyncIterator[Message]:
        spec = FetchSpec(flags=True, internal_date=True, size=True)
        for uids in _batches(opened.uids):
            async with contextlib.aclosing(self._store.fetch(SYSTEM, opened.folder, uids, spec)) as batches:
                async for batch in batches:
                    for uid, mask, date, size in zip(
                        uint32s(batch.uids),
                        uint64s(batch.flags),
                        uint64s(batch.internal_dates),
                        uint64s(batch.sizes),
                        strict=True,
                    ):
                        self._go_on()
                        yield Message(uid, flagNames(mask, batch.keywords), date, size)


def _batches(uids: UidSet) -> Iterator[UidSet]:
    for low, high in uids.ranges:
        for start in range(low, high + 1, _BATCH):
            yield UidSet(((start, min(high, start + _BATCH - 1)),))


def _newFile(path: str) -> IO[bytes]:
    # Mail is nobody else's to read.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def _fromLine(date: int) -> bytes:
    """
    The line before a message of an mbox (RFC 4155), in UTC.
    """
    when = time.gmtime(date)
    clock = f"{when.tm_mday:2d} {when.tm_hour:02d}:{when.tm_min:02d}:{when.tm_sec:02d} {when.tm_year:04d}"
    return f"From MAILER-DAEMON {_DAYS[when.tm_wday]} {_MONTHS[when.tm_mon - 1]} {clock}\n".encode()


def _mboxPath(name: str) -> str | None:
    """
    Where the messages of a folder go, below the destination; C{None} when no file can be called so.
    """
    parts = name.split(SEPARATOR)
    # Who imports it takes ".sbd" away from a directory, and passes over what is hidden.
    directories = [each + ".sbd" if each.endswith(".sbd") else each for each in parts[:-1]]
    names = [*directories, parts[-1] + ".mbox"]
    if any(each.startswith(".") or len(os.fsencode(each)) + len(PART) > _LONGEST for each in names):
        return None
    return os.path.join(*names)
