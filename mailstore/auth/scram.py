"""
SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, without any IO::

    C: n,,n=user,r=fyko                          readFirst
    S: r=fykoH6q,s=QSXCR+Q6sek8bf92,i=200000     serverFirst
    C: c=biws,r=fykoH6q,p=dHzbZapWIk4j...        readFinal
    S: v=6rriTRBi23Wp...                         ScramProof.checkKeys, ScramProof.lastWords
    C:

The password never comes here: the client shows that it has the ClientKey, of
which the store keeps a hash, and the server that it has the ServerKey.

This is the standard library's HMAC and not the package C{scramp}, which could work with the same
keys but refuses every client that names whom it acts for (C{n,a=user,n=user,r=...}); all that use
Cyrus SASL do, mbsync and mutt among them.  The tests use C{scramp} as a client.

SCRAM-SHA-256-PLUS is the same with channel binding (RFC 5802 section 6): what the proof is made for has in it
what both ends know the connection by, so whoever sits in between cannot pass it on.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

import attrs
from twisted.cred.credentials import ICredentials
from zope.interface import Attribute, implementer

from mailstore.errors import SignInGarbled, SignInRefused
from mailstore.model import Credentials

#: The mechanism's name.
MECHANISM = "SCRAM-SHA-256"

#: That of the same with channel binding.
MECHANISM_PLUS = f"{MECHANISM}-PLUS"

_UNBOUND: Final[Mapping[str, bytes]] = {}

#: Bytes that one of the client's messages may have.
MAX_MESSAGE = 4096

# The productions of RFC 5802 section 7, over bytes that are known to be UTF-8.
#
# saslname        = 1*(value-safe-char / "=2C" / "=3D")
# value-safe-char = any character but NUL, "=" and ","
# printable       = %x21-2B / %x2D-7E
# extensions      = attr-val *("," attr-val); "m" is reserved, and the end of it all
_NAME: Final = rb"(?:[^\0,=]|=2C|=3D)+"
_NONCE: Final = rb"[\x21-\x2b\x2d-\x7e]+"
_BASE64: Final = rb"[A-Za-z0-9+/]+={0,2}"
_EXTENSIONS: Final = rb"(?:,[A-Za-ln-oq-z]=[^\0,]+)*"

# gs2-header                = gs2-cbind-flag "," [ "a=" saslname ] ","
# client-first-message-bare = "n=" saslname "," "r=" c-nonce ["," extensions]
_FIRST: Final = re.compile(
    rb"(?P<header>(?P<binding>[ny]|p=[A-Za-z0-9.-]+),(?:a=(?P<identity>" + _NAME + rb"))?,)"
    rb"(?P<bare>n=(?P<user>" + _NAME + rb"),r=(?P<nonce>" + _NONCE + rb")" + _EXTENSIONS + rb")"
)

# client-final-message = "c=" base64 "," "r=" nonce ["," extensions] "," "p=" base64
_FINAL: Final = re.compile(
    rb"(?P<bare>c=(?P<header>" + _BASE64 + rb"),r=(?P<nonce>" + _NONCE + rb")" + _EXTENSIONS + rb")"
    rb",p=(?P<proof>" + _BASE64 + rb")"
)


@attrs.frozen
class ClientFirst:
    """
    What the client begins with.
    """

    #: The part about channel binding and for whom the client acts, as it came.
    header: bytes
    #: For whom it wants to act; C{""} for itself.
    identity: str
    #: Who it says it is.
    user: str
    nonce: bytes
    #: All behind the header, as it came.
    bare: bytes
    #: What the channel is known by, as the client must say; nothing without channel binding.
    binding: bytes = b""


def readFirst(data: bytes, bindings: Mapping[str, bytes] = _UNBOUND, plus: bool = False) -> ClientFirst:
    """
    Read C{client-first-message}.

    @param bindings: what the channel is known by, by the names of the types, if channel binding was offered.
    @param plus: whether the client chose the mechanism with channel binding.
    @raise SignInGarbled: it is none, or demands a channel binding that there is not.
    @raise SignInRefused: the client would bind the channel, and believes that it was not
        offered: somebody has changed what it was told.
    """
    found = _match(_FIRST, data)
    flag, _, kind = found["binding"].partition(b"=")
    binding = bindings.get(kind.decode("ascii"), b"") if plus else b""
    if plus != (flag == b"p") or (plus and not binding):
        raise SignInGarbled("There is no such channel binding here")
    if flag == b"y" and bindings:
        raise SignInRefused("channel binding was offered")
    return ClientFirst(
        header=found["header"],
        identity=_unescaped(found["identity"] or b""),
        user=_unescaped(found["user"]),
        nonce=found["nonce"],
        bare=found["bare"],
        binding=binding,
    )


def newNonce() -> bytes:
    """
    The server's part of a nonce: 18 random bytes in letters.
    """
    return secrets.token_urlsafe(18).encode()


def serverFirst(first: ClientFirst, nonce: bytes, keys: Credentials) -> bytes:
    """
    Write C{server-first-message}.

    @param nonce: the server's part of it.
    @param keys: of the user, or a decoy.
    """
    return b"r=%s%s,s=%s,i=%d" % (first.nonce, nonce, b64encode(keys.salt), keys.iterations)


class IScramProof(ICredentials):
    """
    The proof that somebody knows a password, without the password.
    """

    username: bytes = Attribute("Who it is said to be, in UTF-8.")

    def checkKeys(keys: Credentials) -> bool:
        """
        Whether the proof fits a user's keys.
        """


@implementer(IScramProof)
class ScramProof:
    """
    A whole conversation, up to the client's proof.

    @ivar username: who it is said to be, in UTF-8.
    """

    def __init__(self, user: str, message: bytes, proof: bytes) -> None:
        """
        @param message: what RFC 5802 section 3 calls C{AuthMessage}.
        """
        self.username = user.encode()
        self._message = message
        self._proof = proof
        self._signature = b""

    def checkKeys(self, keys: Credentials) -> bool:
        """
        See L{IScramProof.checkKeys}.  Takes as long for keys that fit as for others.
        """
        signature = hmac.digest(keys.stored_key, self._message, "sha256")
        client_key = bytes(a ^ b for a, b in zip(self._proof, signature, strict=True))
        self._signature = hmac.digest(keys.server_key, self._message, "sha256")
        return hmac.compare_digest(hashlib.sha256(client_key).digest(), keys.stored_key)

    def lastWords(self) -> bytes:
        """
        C{server-final-message}, by the keys that were checked last: for a client
        whose proof did fit, and for nobody else.
        """
        return b"v=" + b64encode(self._signature)


def readFinal(data: bytes, first: ClientFirst, server_first: bytes) -> ScramProof:
    """
    Read C{client-final-message}.

    @param first: what the conversation began with.
    @param server_first: what was answered.
    @raise SignInGarbled: it is none, or belongs to another conversation.
    @raise SignInRefused: the client knows its channel by something else.
    """
    found = _match(_FINAL, data)
    header = _unbased(found["header"])
    if first.binding and header.startswith(first.header) and header != first.header + first.binding:
        raise SignInRefused("the client is connected to somebody else")
    if header != first.header + first.binding:
        raise SignInGarbled("The two messages are not about the same channel")
    nonce = server_first[2 : server_first.index(b",")]
    if not hmac.compare_digest(found["nonce"], nonce):
        raise SignInGarbled("That is an answer to another challenge")
    proof = _unbased(found["proof"])
    if len(proof) != hashlib.sha256().digest_size:
        raise SignInGarbled("The proof has not the length of SHA-256")
    return ScramProof(first.user, b",".join((first.bare, server_first, found["bare"])), proof)


def _match(pattern: re.Pattern[bytes], data: bytes) -> re.Match[bytes]:
    try:
        if len(data) > MAX_MESSAGE:
            raise SignInGarbled("The message is too long")
        data.decode()
    except UnicodeDecodeError as error:
        raise SignInGarbled("The message is not UTF-8") from error
    found = pattern.fullmatch(data)
    if found is None:
        raise SignInGarbled(f"That is no message of {MECHANISM}")
    return found


def _unescaped(name: bytes) -> str:
    return name.replace(b"=2C", b",").replace(b"=3D", b"=").decode()


def _unbased(data: bytes) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError as error:
        raise SignInGarbled(f"That is no message of {MECHANISM}") from error
