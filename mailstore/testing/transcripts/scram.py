"""
The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), as far as a script needs it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError

import attrs

#: Rounds of PBKDF2 beyond which a server's challenge is none that a test should wait for.
MAX_ITERATIONS = 1_000_000


@attrs.frozen
class Exchange:
    """
    How it ends, in base64.
    """

    #: C{client-final-message}.
    proof: bytes
    #: C{server-final-message}.
    answer: bytes


def bindingOf(first: bytes) -> str:
    """
    The name of the type of channel binding that a client asks for; C{""} for none (section 6).

    @param first: C{client-first-message}, in base64.
    """
    flag = b64decode(first).partition(b",")[0]
    return flag[2:].decode("ascii", "replace") if flag.startswith(b"p=") else ""


def exchange(first: bytes, password: str, challenge: bytes, binding: bytes = b"") -> Exchange:
    """
    What both sides say last.

    @param first: C{client-first-message}, in base64.
    @param challenge: C{server-first-message}, in base64; if it is none, what comes of it is of no use, as a
        client's answer to such a challenge should be.
    @param binding: what the channel is known by, if C{first} asks for channel binding (section 6).
    """
    whole = b64decode(first)
    flag, identity, bare = whole.split(b",", 2)
    header = flag + b"," + identity + b","
    nonce, salt, iterations = _fields(challenge)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    final = b"c=%s,r=%s" % (b64encode(header + binding), nonce)
    message = b",".join((bare, _decoded(challenge), final))
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    answer = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    return Exchange(b64encode(final + b",p=" + b64encode(proof)), b64encode(b"v=" + b64encode(answer)))


def _decoded(challenge: bytes) -> bytes:
    try:
        return b64decode(challenge, validate=True)
    except BinasciiError:
        return b""


def _fields(challenge: bytes) -> tuple[bytes, bytes, int]:
    """
    Nonce, salt and rounds.
    """
    fields = dict(each.partition(b"=")[::2] for each in _decoded(challenge).split(b","))
    rounds = fields.get(b"i", b"")
    return (
        fields.get(b"r", b""),
        _decoded(fields.get(b"s", b"")),
        min(int(rounds), MAX_ITERATIONS) if rounds.isdigit() and int(rounds) else 1,
    )
