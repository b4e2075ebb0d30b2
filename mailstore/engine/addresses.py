"""
Mail from outside: the addresses of public folders, and whom an address means.
"""

from __future__ import annotations

from mailstore.engine.connection import Connection
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import COLUMNS, FolderRow, Places
from mailstore.engine.users import PUBLIC, Viewer
from mailstore.errors import (
    AddressInUse,
    InvalidName,
    LimitReached,
    NoSuchAddress,
    PermissionDenied,
)
from mailstore.model import (
    INBOX,
    MAX_ADDRESS,
    PUBLIC_ROOT,
    SEPARATOR,
    Recipient,
    foldedAddress,
    folderName,
    mailAddress,
)

#: Who delivers to a public folder: nobody the store knows (RFC 4314 section 2: C{anyone}).
STRANGER = Viewer("", None)

_PUBLIC_COLUMNS = ", ".join(f"f.{each.strip()}" for each in COLUMNS.split(","))
_BY_ADDRESS = (
    f"SELECT {_PUBLIC_COLUMNS} FROM addresses a JOIN folders f ON f.id = a.folder WHERE a.address = ?"
)


def _requireAdministrator(db: Connection, places: Places, viewer: Viewer) -> None:
    root = places.byName(db, viewer, PUBLIC_ROOT)
    if "a" not in places.rights(db, viewer, root):
        raise PermissionDenied("this needs the right 'a' on the public folders")


def add(
    db: Connection, places: Places, limits: EngineLimits, viewer: Viewer, name: str, address: str
) -> None:
    """
    See L{addAddress<mailstore.interfaces.IDelivery.addAddress>}.
    """
    row = places.mailbox(db, viewer, name, "l")
    if row.owner != PUBLIC:
        raise InvalidName("only a public folder can have an address; a user's mailbox has the user's")
    _requireAdministrator(db, places, viewer)
    address = mailAddress(address)
    owner = _folderOf(db, address)
    if owner is not None:
        holder = SEPARATOR.join((PUBLIC_ROOT, owner.name))
        raise AddressInUse(f"{holder!r} has the address {address!r} already")
    db.execute("INSERT INTO addresses (address, folder) VALUES (?, ?)", (address, row.id))
    (count,) = db.execute("SELECT count(*) FROM addresses WHERE folder = ?", (row.id,)).fetchone()
    if count > limits.max_addresses:
        raise LimitReached(f"a folder can have at most {limits.max_addresses} addresses")


def remove(db: Connection, places: Places, viewer: Viewer, address: str) -> None:
    """
    See L{removeAddress<mailstore.interfaces.IDelivery.removeAddress>}.
    """
    _requireAdministrator(db, places, viewer)
    found = db.execute("DELETE FROM addresses WHERE address = ?", (_encodable(foldedAddress(address)),))
    if not found.rowcount:
        raise NoSuchAddress(f"no folder has the address {address[:MAX_ADDRESS]!r}")


def drop(db: Connection, folder: int) -> None:
    """
    Remove all addresses of a folder.
    """
    db.execute("DELETE FROM addresses WHERE folder = ?", (folder,))


def listed(
    db: Connection, places: Places, viewer: Viewer, after: str, count: int
) -> tuple[tuple[tuple[str, str], ...], str]:
    """
    Addresses and the names of their folders.

    @param after: begin with what comes after this one.
    @param count: how many to look at.
    @return: those that the viewer may look up, and the last that was looked at, C{""} for
        the end.
    """
    found = db.execute(
        "SELECT a.address, f.name, f.acl FROM addresses a JOIN folders f ON f.id = a.folder"
        " WHERE a.address > ? ORDER BY a.address LIMIT ?",
        (after, count),
    ).fetchall()
    pairs = tuple(
        (address, SEPARATOR.join((PUBLIC_ROOT, name)))
        for address, name, acl in found
        if "l" in places.rightsOn(db, viewer, PUBLIC, acl)
    )
    return pairs, found[-1][0] if len(found) == count else ""


def _folderOf(db: Connection, address: str) -> FolderRow | None:
    row = db.execute(_BY_ADDRESS, (address,)).fetchone()
    return None if row is None else FolderRow._make(row)


def target(db: Connection, places: Places, recipient: Recipient) -> tuple[FolderRow, Viewer]:
    """
    The folder that a recipient means, and as whom the message is put there.

    @raise NoSuchAddress: none.
    @raise PermissionDenied: not everybody may post there.
    """
    row = _folderOf(db, _encodable(foldedAddress(recipient.address)))
    if row is not None:
        # RFC 4314 section 2.1: "p" is the right to "send mail to submission address for mailbox".
        if "p" not in places.rights(db, STRANGER, row):
            raise PermissionDenied(f"mail to {recipient.address!r} is not accepted from outside")
        return row, STRANGER
    viewer = places.users.viewer(db, recipient.user) if recipient.user else STRANGER
    if viewer.id is None and not recipient.user.islower():
        # On their way local parts lose their case, or get one.
        viewer = places.users.viewer(db, recipient.user.lower())
    if viewer.id is None or viewer.is_system:
        raise NoSuchAddress(f"there is nobody with the address {recipient.address!r}")
    row = _own(db, places, viewer, recipient.folder) if recipient.folder else None
    if row is None:
        row = places.find(db, viewer.id, INBOX)
    if row is None:
        raise NoSuchAddress(f"there is nobody with the address {recipient.address!r}")
    return row, viewer


def _own(db: Connection, places: Places, viewer: Viewer, name: str) -> FolderRow | None:
    try:
        row = places.find(db, viewer.id, folderName(name))
    except InvalidName:
        return None
    return row if row is not None and row.selectable else None


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
