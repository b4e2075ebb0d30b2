"""
What a store can answer instead of a result: a closed set, with no word of any
mail protocol in it.

Each class has a C{code}, a short name that is its identity on the IPC
channel; L{fromCode} makes the error again at the other end.  The message of an
error is written for the person who gave the command and may be shown to them.
"""

from __future__ import annotations

from typing import ClassVar


class StoreError(Exception):
    """
    Base of all errors of a store.
    """

    code: ClassVar[str] = "error"


class NoSuchFolder(StoreError):
    """
    The folder does not exist, or the user may not know that it does.
    """

    code = "no-such-folder"


class FolderExists(StoreError):
    """
    There is a folder of that name already.
    """

    code = "folder-exists"


class InvalidName(StoreError):
    """
    The name cannot be the name of a folder; the message says why.
    """

    code = "invalid-name"


class NotSelectable(StoreError):
    """
    The name is a node of the hierarchy that holds no messages.
    """

    code = "not-selectable"


class FolderInUse(StoreError):
    """
    The operation is not possible on this folder (it has children that would
    be lost, or it is one that always exists).
    """

    code = "folder-in-use"


class PermissionDenied(StoreError):
    """
    The user lacks a right that the operation needs.
    """

    code = "permission-denied"


class OverQuota(StoreError):
    """
    There is no room for what was to be stored.
    """

    code = "over-quota"


class MessageTooBig(StoreError):
    """
    The message is larger than this store accepts.
    """

    code = "message-too-big"


class LimitReached(StoreError):
    """
    A bound other than the message size was reached; the message names it.
    """

    code = "limit-reached"


class NoSuchUser(StoreError):
    """
    There is no user of that name.
    """

    code = "no-such-user"


class UserExists(StoreError):
    """
    There is a user of that name already.
    """

    code = "user-exists"


class NoSuchAddress(StoreError):
    """
    Neither a folder nor a user has this address.
    """

    code = "no-such-address"


class AddressInUse(StoreError):
    """
    There is a folder that has this address already.
    """

    code = "address-in-use"


class NoSuchGroup(StoreError):
    """
    There is no group of that name.
    """

    code = "no-such-group"


class GroupExists(StoreError):
    """
    There is a group of that name already, or a user whose name is the
    identifier that it would have.
    """

    code = "group-exists"


class InvalidRequest(StoreError):
    """
    The request makes no sense to the store; the message says why.
    """

    code = "invalid-request"


class UnknownEncoding(StoreError):
    """
    A part was asked for decoded, and its transfer encoding is none that is known.
    """

    code = "unknown-encoding"


class StaleListing(StoreError):
    """
    The hierarchy has changed since its version was asked for; ask again.
    """

    code = "stale-listing"


class StoreBusy(StoreError):
    """
    The queue to the store stayed full for as long as the request was willing
    to wait.  The request was not carried out.
    """

    code = "busy"


class DeadlineExpired(StoreError):
    """
    The store did not come to the request in time.  The request was not
    carried out.
    """

    code = "deadline-expired"


class StoreUnavailable(StoreError):
    """
    The store is not there, or went away before it answered: whether a request
    in flight was carried out is unknown.
    """

    code = "unavailable"


class StoreFault(StoreError):
    """
    The store met a condition it was not written for.  Details are in its log.
    """

    code = "fault"


class SignInRefused(Exception):
    """
    The name or the password is wrong; never said which.  No L{StoreError}: it
    comes from an L{IAuthenticator<mailstore.interfaces.IAuthenticator>}, not from a store.
    """

    #: What the mechanism has the server say before it refuses, to which the client answers something.
    last_words: bytes = b""


class ActingRefused(SignInRefused):
    """
    Somebody who may sign in wants to act for another user.
    """


class CheckerFailed(SignInRefused):
    """
    Nobody who could be asked knows this name with this password, but one who
    might have known it could not be asked.
    """


class SignInGarbled(Exception):
    """
    What the client said is no part of a sign-in; the message says why, and may
    be shown.  Whether there is such a user has not been looked at.
    """


_CLASSES: dict[str, type[StoreError]] = {
    each.code: each
    for each in (
        NoSuchFolder,
        FolderExists,
        InvalidName,
        NotSelectable,
        FolderInUse,
        PermissionDenied,
        OverQuota,
        MessageTooBig,
        LimitReached,
        NoSuchUser,
        UserExists,
        NoSuchAddress,
        AddressInUse,
        NoSuchGroup,
        GroupExists,
        InvalidRequest,
        UnknownEncoding,
        StaleListing,
        StoreBusy,
        DeadlineExpired,
        StoreUnavailable,
        StoreFault,
    )
}


def allErrors() -> tuple[type[StoreError], ...]:
    """
    The closed set, for tables and tests that must cover all of it.
    """
    return tuple(_CLASSES.values())


def fromCode(code: str, message: str) -> StoreError:
    """
    Make the error that C{code} names; an unknown code gives L{StoreFault}.
    """
    return _CLASSES.get(code, StoreFault)(message)
