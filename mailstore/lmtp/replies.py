"""
How an error of the store is answered: one table (RFC 5321 section 4.2, RFC 3463).
"""

from __future__ import annotations

import attrs

from mailstore.errors import (
    DeadlineExpired,
    LimitReached,
    MessageTooBig,
    NoSuchAddress,
    NoSuchUser,
    OverQuota,
    PermissionDenied,
    StoreBusy,
    StoreError,
    StoreFault,
    StoreUnavailable,
)

#: Characters of a reply's text; with its codes a line has at most 512 (RFC 5321 section 4.5.3.1.5).
MAX_TEXT = 450


@attrs.frozen
class Reply:
    """
    One reply of one line.
    """

    code: int
    #: C{"5.1.1"}; C{""} for a reply that has none (RFC 2034 section 4: 354 and the greetings).
    status: str
    text: str

    def render(self) -> bytes:
        """
        As it is sent: ASCII, one line.
        """
        text = "".join(each if " " <= each <= "~" else "?" for each in self.text)
        status = f"{self.status} " if self.status else ""
        return f"{self.code} {status}{text[:MAX_TEXT]}\r\n".encode("ascii")


#: The codes for the errors that delivery can have, and words for those whose own are about the store's
#: inside.  Any other says that this program and the store do not understand each other.
CODES: dict[type[StoreError], tuple[int, str, str]] = {
    NoSuchAddress: (550, "5.1.1", ""),
    NoSuchUser: (550, "5.1.1", ""),
    PermissionDenied: (550, "5.7.1", ""),
    MessageTooBig: (552, "5.3.4", ""),
    OverQuota: (552, "5.2.2", ""),
    LimitReached: (452, "4.5.3", ""),
    # It was not carried out: try again.
    StoreBusy: (452, "4.3.1", "The store is busy, try again later"),
    DeadlineExpired: (452, "4.3.1", "The store did not come to it in time, try again later"),
    # Whether it was carried out is unknown: better twice than never.
    StoreUnavailable: (452, "4.3.1", "The store cannot be reached, try again later"),
    StoreFault: (451, "4.3.0", "Internal error; it has been logged"),
}

#: The reply when this program was not written for what happened.
BUG = Reply(451, "4.3.0", "Internal error; it has been logged")

#: The store, not the recipient, has no room left (RFC 3463 section 3.4: "Mail system full").
SYSTEM_FULL = Reply(452, "4.3.1", "The store has no room left, try again later")


def refusal(error: StoreError) -> Reply:
    """
    The reply about a recipient, or all of them, to whom C{error} happened.
    """
    code, status, words = CODES.get(type(error), CODES[StoreFault])
    return Reply(code, status, words or str(error) or type(error).__name__)
