"""
Signing in with a token that somebody else has given out: OAUTHBEARER (RFC 7628), and XOAUTH2, which
came before it and does the same::

    C: n,a=user@example.com,^Ahost=h^Aport=143^Aauth=Bearer vF9dft4qmTc2Nvb3RlckBhbHQ^A^A      OAUTHBEARER
    C: user=user@example.com^Aauth=Bearer vF9dft4qmTc2Nvb3RlckBhbHQ^A^A                        XOAUTH2
    S: {"status":"invalid_token"}                                 only if the token is not good
    C: ^A

What a token is worth, and whose it is, a checker of L{IBearerToken} knows; without one there are no such
mechanisms.
"""

from __future__ import annotations

import re
from typing import Final

import attrs
from twisted.cred.credentials import ICredentials
from zope.interface import Attribute, implementer

from mailstore.errors import SignInGarbled

OAUTHBEARER: Final = "OAUTHBEARER"
XOAUTH2: Final = "XOAUTH2"

#: Bytes that a client's message may have.
MAX_MESSAGE = 16384

#: What a client is told whose token is not good; it answers with something that does not matter.
REFUSALS: Final = {
    OAUTHBEARER: b'{"status":"invalid_token","schemes":"bearer"}',
    XOAUTH2: b'{"status":"401","schemes":"bearer"}',
}

# client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep          (RFC 7628 section 3.1)
# kvpair      = key "=" value kvsep
# key         = 1*(ALPHA)
# value       = *(VCHAR / SP / HTAB / CR / LF )
# gs2-header  = ("n" / "y") "," [ "a=" saslname ] ","       (RFC 5801 section 4, without channel binding)
_PAIRS: Final = rb"(?P<pairs>(?:[A-Za-z]+=[\t\r\n -~]*\x01)*)\x01"
_MESSAGES: Final = {
    OAUTHBEARER: re.compile(rb"[ny],(?:a=(?P<user>(?:[^\0\x01=,]|=2C|=3D)+))?,\x01" + _PAIRS),
    XOAUTH2: re.compile(rb"user=(?P<user>[^\0\x01]*)\x01" + _PAIRS),
}

# b64token    = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="      (RFC 6750 section 2.1)
_BEARER: Final = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


class IBearerToken(ICredentials):
    """
    A token, which stands for whoever has it.

    A checker of it gives the name of whose it is; if a name comes with the token, it must be one that
    the token is good for.
    """

    username: bytes = Attribute("Who it is said to be of, in UTF-8; empty if that is not said.")
    token: bytes = Attribute("The token (RFC 6750 section 2.1).")


@implementer(IBearerToken)
@attrs.frozen
class BearerToken:
    """
    A token as it came.
    """

    username: bytes
    token: bytes = attrs.field(repr=False)


def readBearer(mechanism: str, data: bytes) -> BearerToken:
    """
    Read what a client says first.

    @param mechanism: L{OAUTHBEARER} or L{XOAUTH2}.
    @raise SignInGarbled: it is no such message, or there is no token in it.
    """
    found = _MESSAGES[mechanism].fullmatch(data) if len(data) <= MAX_MESSAGE else None
    if found is None:
        raise SignInGarbled(f"That is no message of {mechanism}")
    user = found["user"] or b""
    if mechanism == OAUTHBEARER:
        user = user.replace(b"=2C", b",").replace(b"=3D", b"=")
    tokens = [
        _BEARER.fullmatch(value)
        for key, _, value in (pair.partition(b"=") for pair in found["pairs"].split(b"\1"))
        if key.lower() == b"auth"
    ]
    try:
        user.decode()
    except UnicodeDecodeError as error:
        raise SignInGarbled("The name is not UTF-8") from error
    if len(tokens) != 1 or tokens[0] is None:
        raise SignInGarbled("There is no bearer token")
    return BearerToken(user, tokens[0][1])
