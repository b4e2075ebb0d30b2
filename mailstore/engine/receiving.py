"""
Bringing a message from outside into the folders of its recipients: each on its
own, all in one change, with its bytes kept once.
"""

from __future__ import annotations

from mailstore.engine import addresses, quotas
from mailstore.engine.connection import Connection
from mailstore.engine.copies import FolderHeld
from mailstore.engine.delivery import Arrival, Delivery
from mailstore.engine.places import FolderRow, Places
from mailstore.engine.uploads import Spool, Uploads
from mailstore.engine.users import Viewer
from mailstore.errors import InvalidRequest, LimitReached, MessageTooBig, StoreError
from mailstore.model import Delivered, NewMessage, Recipient

#: Whose an upload for delivery is.  No channel lets anybody of this name in.
COURIER = "#courier"


class Receipt(Delivery):
    """
    One message for several recipients.
    """

    def take(self, uploads: Uploads, recipients: tuple[Recipient, ...], content: bytes | int) -> None:
        """
        Take the message over; an upload is used up, also on failure.

        @raise LimitReached: too many recipients.
        @raise MessageTooBig:
        @raise InvalidRequest: no such upload.
        """
        if isinstance(content, bytes):
            spool = Spool.ofBytes(content)
        else:
            upload = uploads.take(content, COURIER)
            if upload is None:
                raise InvalidRequest("there is no such upload")
            spool = upload.spool
        self._arrivals.append(Arrival(NewMessage(b""), spool, spool.digest()))
        if len(recipients) > self._limits.max_recipients:
            raise LimitReached(f"a message can have at most {self._limits.max_recipients} recipients")
        if spool.size > self._limits.max_message:
            raise MessageTooBig(f"a message can have at most {self._limits.max_message} bytes")

    def deliver(
        self, db: Connection, places: Places, recipients: tuple[Recipient, ...]
    ) -> tuple[tuple[Delivered, ...], list[int]]:
        """
        Make it a row of each recipient's folder.

        @return: what became of it for each, and the folders that got it.
        """
        outcomes: list[Delivered] = []
        by_folder: dict[int, Delivered] = {}
        for recipient in recipients:
            try:
                row, viewer = addresses.target(db, places, recipient)
                if row.id not in by_folder:
                    by_folder[row.id] = self._into(db, row, viewer)
                outcomes.append(by_folder[row.id])
            except FolderHeld:
                raise
            except StoreError as error:
                outcomes.append(Delivered(error.code, str(error)))
        return tuple(outcomes), [folder for folder, each in by_folder.items() if not each.code]

    def _into(self, db: Connection, row: FolderRow, viewer: Viewer) -> Delivered:
        db.execute("SAVEPOINT recipient")
        try:
            self.store(db, row, viewer, "")
        except FolderHeld:
            raise
        except StoreError as error:
            db.execute("ROLLBACK TO recipient")
            db.execute("RELEASE recipient")
            return Delivered(error.code, str(error))
        db.execute("RELEASE recipient")
        return Delivered()


def offer(db: Connection, places: Places, max_message: int, recipient: Recipient, size: int) -> None:
    """
    See L{offer<mailstore.interfaces.IDelivery.offer>}.
    """
    row, _ = addresses.target(db, places, recipient)
    if size > max_message:
        raise MessageTooBig(f"a message can have at most {max_message} bytes")
    quotas.foresee(db, row, max(0, size))
