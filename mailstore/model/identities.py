"""
Users, groups and the other identifiers of an ACL: their names, and what a store knows a user by.
"""

from __future__ import annotations

import unicodedata

import attrs

from mailstore.errors import InvalidName

#: The principal of administrative tools on the store's own machine: may do
#: everything.  It is never accepted from an IPC channel.
SYSTEM = "#system"

#: ACL identifier that means everybody, signed in or not (RFC 4314 section 2).
ANYONE = "anyone"

#: ACL identifier that means every user who has signed in.
AUTHENTICATED = "authenticated"

#: What the ACL identifier of a group begins with; the group's name follows.  RFC 4314 leaves
#: the names of groups to servers; this is how Cyrus writes them.
GROUP_PREFIX = "group:"


def userName(name: str) -> str:
    """
    Check a user's name and give its one spelling.

    @raise InvalidName: it is empty, longer than 64 characters, is an ACL
        identifier with a meaning of its own, or holds a character that
        folder names, patterns or logs could not carry.
    """
    name = _identifierName(name, "user")
    if name.lower().startswith(GROUP_PREFIX):
        raise InvalidName(f"{name!r} cannot be a user name: it would be a group's")
    return name


def groupName(name: str) -> str:
    """
    Check a group's name (without L{GROUP_PREFIX}) and give its one spelling.

    @raise InvalidName: as L{userName}.
    """
    return _identifierName(name, "group")


def _identifierName(name: str, kind: str) -> str:
    name = unicodedata.normalize("NFC", name)
    if not 0 < len(name) <= 64:
        raise InvalidName(f"a {kind} name has 1 to 64 characters")
    if name.lower() in (ANYONE, AUTHENTICATED) or name[0] in "#-." or name != name.strip():
        raise InvalidName(f"{name!r} cannot be a {kind} name")
    if any(each in '/%*"\\(){}' or unicodedata.category(each)[0] in "CZ" for each in name):
        raise InvalidName(
            f'a {kind} name cannot hold spaces, control characters or any of /%*"\\(){{}}: {name!r}'
        )
    return name


@attrs.frozen
class Credentials:
    """
    What a store keeps to know a user by: never a password, only the keys of
    SCRAM-SHA-256 made from it (RFC 5802 section 3, RFC 7677).
    """

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes = attrs.field(repr=False)
