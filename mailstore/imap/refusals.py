"""
What a client is told when the store says no: the one table from store errors
to response codes (RFC 5530, RFC 9051 section 7.1).
"""

from __future__ import annotations

from mailstore.errors import (
    AddressInUse,
    DeadlineExpired,
    FolderExists,
    FolderInUse,
    GroupExists,
    InvalidName,
    InvalidRequest,
    LimitReached,
    MessageTooBig,
    NoSuchAddress,
    NoSuchFolder,
    NoSuchGroup,
    NoSuchUser,
    NotSelectable,
    OverQuota,
    PermissionDenied,
    StaleListing,
    StoreBusy,
    StoreError,
    StoreFault,
    StoreUnavailable,
    UnknownEncoding,
    UserExists,
)
from mailstore.imap.command import No

#: The code for each error, and words for one that has none of its own.
CODES: dict[type[StoreError], tuple[str, str]] = {
    NoSuchFolder: ("NONEXISTENT", "There is no such folder"),
    FolderExists: ("ALREADYEXISTS", "There is such a folder already"),
    InvalidName: ("CANNOT", "That cannot be the name of a folder"),
    NotSelectable: ("CANNOT", "That name has no messages, only folders below it"),
    # Not INUSE, which invites to try again: the folders meant here stay in the way (RFC 5530 section 3).
    FolderInUse: ("CANNOT", "That is not possible with this folder"),
    PermissionDenied: ("NOPERM", "You may not do that"),
    OverQuota: ("OVERQUOTA", "There is no room left"),
    MessageTooBig: ("TOOBIG", "The message is too big"),
    LimitReached: ("LIMIT", "A limit was reached"),
    NoSuchUser: ("NONEXISTENT", "There is no such user"),
    UserExists: ("ALREADYEXISTS", "There is such a user already"),
    NoSuchAddress: ("NONEXISTENT", "There is no such address"),
    AddressInUse: ("ALREADYEXISTS", "There is such an address already"),
    NoSuchGroup: ("NONEXISTENT", "There is no such group"),
    GroupExists: ("ALREADYEXISTS", "There is such a group already"),
    InvalidRequest: ("CANNOT", "That is not possible"),
    # RFC 3516 section 4.3.
    UnknownEncoding: ("UNKNOWN-CTE", "That part is in an encoding that is not known"),
    # The hierarchy changes faster than it can be read; the next try may work.
    StaleListing: ("INUSE", "The folders are changing, try again"),
    StoreBusy: ("UNAVAILABLE", "The store is busy, try again"),
    DeadlineExpired: ("UNAVAILABLE", "The store did not come to it in time, try again"),
    StoreUnavailable: ("UNAVAILABLE", "The store cannot be reached, try again"),
    StoreFault: ("SERVERBUG", "The store met an internal error"),
}

#: Errors whose own words are about the store's inside, and not for clients.
_OWN_WORDS_HIDDEN = (StaleListing, StoreBusy, DeadlineExpired, StoreUnavailable, StoreFault, InvalidRequest)


def refusal(error: StoreError, try_create: bool = False) -> No:
    """
    The reply to a command that ended with C{error}.

    @param try_create: whether a missing folder could be created first
        (L{Command.try_create<mailstore.imap.command.Command.try_create>}).
    """
    code, words = CODES.get(type(error), CODES[StoreFault])
    if try_create and isinstance(error, NoSuchFolder):
        code = "TRYCREATE"
    own = str(error)
    if own and type(error) in CODES and not isinstance(error, _OWN_WORDS_HIDDEN):
        words = own
    return No(words, code)


#: The reply when this program was not written for what happened.
BUG = No("Internal error; it has been logged", "SERVERBUG")
