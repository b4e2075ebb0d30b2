"""
What can be imported, found in the file system: an mbox, a Maildir with its
subfolders, an .eml file, or a tree of them.

L{scan} looks at names, sizes and first bytes only; L{messages} reads what was
found, one message at a time.  Files to import are not trusted: whatever they
hold, they are messages as they are, or named in a L{Remark}.
"""

from __future__ import annotations

import enum
import os
import re
import stat
from collections.abc import Iterator
from typing import IO

import attrs

from mailstore.admin.dates import Arrival, fileDate, fromLineDate, receivedDate
from mailstore.admin.maildirs import CONTROL_FILES, folderParts, maildirFlags
from mailstore.admin.mbox import entries, statusFlags

#: A line that a header may begin with (RFC 5322 section 2.2, with room for old software).
_FIELD = re.compile(rb"(?:>?From |[!-9;-~]+[ \t]*:)")

#: Fields that tell mail from any other file with colons in it.
_MAIL_FIELD = re.compile(
    rb"(?:(?-i:>?From )|(?:From|To|Cc|Subject|Date|Sender|Received|Return-Path|Delivered-To|Message-ID"
    rb"|MIME-Version|Content-Type|In-Reply-To|References|X-[!-9;-~]+|List-[!-9;-~]+|Resent-[!-9;-~]+)"
    rb"[ \t]*:)",
    re.IGNORECASE,
)

#: Bytes that are looked at to tell what a file is.
_HEAD = 4096

#: Directories in directories that are followed.
_DEPTH = 30


class Kind(enum.Enum):
    """
    How a file holds mail.
    """

    EML = "one message"
    MBOX = "an mbox"
    MAILDIR = "one message of a Maildir"


@attrs.frozen
class Source:
    """
    A file with mail.
    """

    kind: Kind
    path: str
    #: Parts of the name of the folder its messages go to, below the target.
    folder: tuple[str, ...]
    #: Bytes, when it was found.
    size: int
    #: When it was last changed, seconds since 1970 UTC.
    changed: float


@attrs.frozen
class Folder:
    """
    A folder that is to be there, with mail or without.
    """

    #: Parts of its name, below the target.
    folder: tuple[str, ...]


@attrs.frozen
class Remark:
    """
    Something that is not imported.
    """

    path: str
    reason: str
    #: Whether it was to be expected that it is not (a file that nobody called mail).
    harmless: bool = False


@attrs.frozen
class Found:
    """
    A message to be imported.
    """

    #: Names it to a person.
    where: str
    content: bytes
    flags: tuple[str, ...] = ()
    arrival: Arrival | None = None


def scan(path: str) -> Iterator[Source | Folder | Remark]:
    """
    Everything that is to be imported from C{path}, and everything else there.
    Never raises.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        yield Remark(path, error.strerror or "cannot be read")
        return
    except ValueError:
        yield Remark(path, "no path can have that name")
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _scanDirectory(path, (), 0)
    else:
        yield from _scanFile(path, (), status, named=True)


def messages(source: Source, largest: int) -> Iterator[Found | Remark]:
    """
    The messages of a source, in order.  Never raises.

    @param largest: bytes that a message may have; a larger one is a L{Remark}
        and is not read.
    """
    try:
        with open(source.path, "rb") as file:
            if source.kind is Kind.MBOX:
                yield from _mboxMessages(source, file, largest)
                return
            content = file.read(largest + 1)
    except (OSError, ValueError) as error:
        yield Remark(source.path, getattr(error, "strerror", None) or "cannot be read")
        return
    if len(content) > largest:
        yield _tooLarge(source.path, largest)
    elif source.kind is Kind.MAILDIR:
        yield Found(source.path, content, maildirFlags(source.path), fileDate(source.changed))
    else:
        first = content[:1000].split(b"\n", 1)[0]
        arrival = receivedDate(content)
        if arrival is None and first.startswith(b"From "):
            arrival = fromLineDate(first)
        yield Found(source.path, content, (), arrival or fileDate(source.changed))


def looksLikeMail(head: bytes, called_mail: bool) -> bool:
    """
    Whether a file that begins so can be a message: some line before the first
    empty one has the form of a header field.

    @param called_mail: its name says that it is mail; if not, the field must
        be one that is known from mail.
    """
    if b"\0" in head[:256]:
        return False
    field = _FIELD if called_mail else _MAIL_FIELD
    header = re.split(rb"\r?\n\r?\n", head.lstrip(b"\r\n"), maxsplit=1)[0]
    return any(field.match(line) for line in header.split(b"\n"))


def _mboxMessages(source: Source, file: IO[bytes], largest: int) -> Iterator[Found | Remark]:
    for number, entry in enumerate(entries(file, largest), 1):
        where = f"{source.path}, message {number}"
        if entry.content is None:
            yield _tooLarge(where, largest)
        else:
            yield Found(where, entry.content, statusFlags(entry.content), entry.arrival)


def _tooLarge(where: str, largest: int) -> Remark:
    return Remark(where, f"larger than {largest} bytes, the most that this store takes")


# --- looking at the file system ------------------------------------------------


def _scanDirectory(path: str, folder: tuple[str, ...], depth: int) -> Iterator[Source | Folder | Remark]:
    if depth > _DEPTH:
        yield Remark(path, f"more than {_DEPTH} directories deep")
        return
    try:
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda each: each.name)
    except OSError as error:
        yield Remark(path, error.strerror or "cannot be read")
        return
    names = {each.name for each in entries}
    maildir = {"cur", "new"} <= names
    if maildir:
        yield Folder(folder)
        yield from _scanMaildir(path, folder)
    for entry in entries:
        if entry.name in CONTROL_FILES or (maildir and entry.name in ("cur", "new", "tmp")):
            continue
        try:
            if entry.is_symlink() and entry.is_dir():
                yield Remark(entry.path, "a link to a directory", harmless=True)
            elif entry.is_dir():
                yield from _scanChild(entry, folder, maildir, depth)
            else:
                yield from _scanFile(entry.path, folder, entry.stat(), named=False)
        except OSError as error:
            yield Remark(entry.path, error.strerror or "cannot be read")


def _scanChild(
    entry: os.DirEntry[str], folder: tuple[str, ...], in_maildir: bool, depth: int
) -> Iterator[Source | Folder | Remark]:
    name = entry.name
    parts: tuple[str, ...]
    if name.startswith("."):
        # Maildir++: the folders of a Maildir stand beside each other, as .Work.Letters.
        if not (in_maildir and os.path.isdir(os.path.join(entry.path, "cur"))):
            yield Remark(entry.path, "a hidden directory", harmless=True)
            return
        parts = folderParts(name)
    else:
        # Thunderbird keeps the folders below "Work" in a directory "Work.sbd".
        parts = (name.removesuffix(".sbd"),)
    yield from _scanDirectory(entry.path, folder + parts, depth + 1)


def _scanMaildir(path: str, folder: tuple[str, ...]) -> Iterator[Source | Remark]:
    found = []
    for each in ("cur", "new"):
        try:
            with os.scandir(os.path.join(path, each)) as listing:
                for entry in listing:
                    if entry.name.startswith("."):
                        continue
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        source = Source(Kind.MAILDIR, entry.path, folder, status.st_size, status.st_mtime)
                        found.append((status.st_mtime, entry.name, source))
        except OSError as error:
            yield Remark(error.filename or os.path.join(path, each), error.strerror or "cannot be read")
    for _, _, source in sorted(found, key=lambda item: item[:2]):
        yield source


def _scanFile(
    path: str, folder: tuple[str, ...], status: os.stat_result, named: bool
) -> Iterator[Source | Folder | Remark]:
    """
    @param named: the person named this very file, and is told if it is no mail.
    """
    if not stat.S_ISREG(status.st_mode):
        yield Remark(path, "no file", harmless=not named)
        return
    name = os.path.basename(path)
    stem, extension = os.path.splitext(name)
    extension = extension.lower()
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        yield Remark(path, error.strerror or "cannot be read")
        return
    if extension == ".eml" or (named and not head.startswith(b"From ") and extension != ".mbox"):
        if looksLikeMail(head, extension == ".eml"):
            yield Source(Kind.EML, path, folder, status.st_size, status.st_mtime)
        else:
            yield Remark(path, "no mail")
    elif head.startswith(b"From ") or (extension in (".mbox", ".mbx") and not head):
        if not named:
            folder = (*folder, stem if extension in (".mbox", ".mbx") else name)
        yield Folder(folder)
        yield Source(Kind.MBOX, path, folder, status.st_size, status.st_mtime)
    elif extension in (".mbox", ".mbx"):
        yield Remark(path, "no mbox: it does not begin with 'From '")
    else:
        yield Remark(path, "no mail", harmless=not named)
