"""
Mail from outside: addresses, recipients and what became of a message.
"""

from __future__ import annotations

import unicodedata

import attrs

from mailstore.errors import InvalidName

#: Characters that an address may have (RFC 5321 section 4.5.3.1.3, without the brackets).
MAX_ADDRESS = 254


def foldedAddress(address: str) -> str:
    """
    An address as it is compared: Unicode normalization form C, without a
    difference between upper and lower case.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", address).casefold())


def mailAddress(address: str) -> str:
    """
    Check an address (C{news@example.org}) and give its one spelling.

    @raise InvalidName: it is too long, lacks one of its two parts, or has a character that
        none can have without quotes.
    """
    address = foldedAddress(address)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain):
        raise InvalidName(f"{address[:MAX_ADDRESS]!r} is no address like 'news@example.org'")
    if len(address.encode("utf-8", "surrogatepass")) > MAX_ADDRESS:
        raise InvalidName(f"an address can have at most {MAX_ADDRESS} bytes")
    if any(each in '@<>()[]\\,;:"' or unicodedata.category(each)[0] in "CZ" for each in local + domain):
        raise InvalidName(f"{address!r} holds a character that is no part of an address")
    return address


@attrs.frozen
class Recipient:
    """
    Whom a message is for that somebody hands in for delivery.

    A folder that has the address is meant before any user.
    """

    #: The whole address, such as C{"news@example.org"}.
    address: str
    #: Whose mailbox it is if no folder has the address; C{""} for nobody's.
    user: str = ""
    #: The folder of this user's that is meant; INBOX, if it is C{""} or there is none of this name.
    folder: str = ""


@attrs.frozen
class Delivered:
    """
    What became of a message for one recipient.
    """

    #: L{StoreError.code<mailstore.errors.StoreError>}; C{""} when it was stored.
    code: str = ""
    #: Why it was not, for a person.
    text: str = ""
