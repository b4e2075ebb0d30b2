"""
Mail from outside, and how long it stays.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from mailstore.interfaces.messages import IUpload
    from mailstore.model import Delivered, Expiry, Recipient


class IDelivery(Interface):
    """
    Mail from outside: which folders have an address, and bringing messages to addresses.

    C{offer}, C{receive} and C{deliver} name no user: who calls them speaks for the
    mail system, as who names a user has made sure who that is.
    """

    def addresses(user: str) -> AsyncGenerator[tuple[tuple[str, str], ...], None]:
        """
        Pairs of address and name of the public folder that has it, in the order
        of the addresses; of the folders that the user may look up.
        """

    def addAddress(user: str, name: str, address: str) -> Awaitable[None]:
        """
        Give a public folder an address.  Who may post there is for its rights to say (RFC 4314: C{p}).
        The folder keeps its addresses when it is renamed; with it they go.

        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise InvalidName: that can be no address, or the folder is not a public one.
        @raise AddressInUse: a folder has it already; the message says which.
        @raise LimitReached: the folder has too many addresses.
        @raise PermissionDenied: no right C{a} on the public folders.
        """

    def removeAddress(user: str, address: str) -> Awaitable[None]:
        """
        Take an address away from the folder that has it.

        @raise NoSuchAddress: no folder has it.
        @raise PermissionDenied: no right C{a} on the public folders.
        """

    def offer(recipient: Recipient, size: int) -> Awaitable[None]:
        """
        Find out whether a message of C{size} bytes could be delivered to a recipient now.

        @raise NoSuchAddress: it is nobody's.
        @raise PermissionDenied: C{anyone} has no right C{p} on the folder.
        @raise MessageTooBig:
        @raise OverQuota:
        """

    def receive(size: int) -> Awaitable[IUpload]:
        """
        Begin to bring a message for delivery, of at most C{size} bytes; if the
        store accepts only less than that, then of so many.

        @raise LimitReached: too many uploads at once.
        """

    def deliver(recipients: tuple[Recipient, ...], content: bytes | int) -> Awaitable[tuple[Delivered, ...]]:
        """
        Deliver a message: to each recipient, or not, on its own, as one change.  Recipients who
        mean the same folder get it there once.  However many get it, its bytes are kept once.

        @param content: the message, or the L{token<IUpload.token>} of an upload begun with C{receive}, which
            is used up, also on failure.
        @return: what became of it, in the order of the recipients, with the errors that C{offer} has.
        @raise MessageTooBig: nobody gets it.
        @raise OverQuota: the store has no room left; nobody gets it.
        @raise LimitReached: too many recipients.
        @raise InvalidRequest: there is no such upload.
        """


class IExpiry(Interface):
    """
    How long messages stay in folders.  A new folder gets a copy of its parent's rule.
    """

    def expiry(user: str, name: str) -> Awaitable[Expiry]:
        """
        The rule of a folder.

        @raise NoSuchFolder:
        """

    def setExpiry(user: str, name: str, rule: Expiry) -> Awaitable[None]:
        """
        Give a folder another rule.  What it says goes is removed by and by.

        @raise NoSuchFolder:
        @raise NotSelectable:
        @raise PermissionDenied: no right C{a}.
        @raise InvalidRequest: fewer than 1 day, fewer than 0 messages, or more of either than makes sense.
        """

    def expiries(user: str) -> AsyncGenerator[tuple[tuple[str, Expiry], ...], None]:
        """
        All folders with a rule that the user may look up, by name, in the order of their identities.
        """
