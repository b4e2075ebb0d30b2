"""
From a password to the keys that a store keeps, and the check against them.

The keys are those of SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677), so that a
user who was added for LOGIN can also sign in without ever sending the
password.  They are derived with PBKDF2::

    SaltedPassword = PBKDF2-HMAC-SHA-256(SASLprep(password), salt, iterations)
    ClientKey      = HMAC(SaltedPassword, "Client Key")
    StoredKey      = SHA-256(ClientKey)
    ServerKey      = HMAC(SaltedPassword, "Server Key")
"""

from __future__ import annotations

import hashlib
import hmac
import os

from mailstore.auth.saslprep import BadText, prepare
from mailstore.model import Credentials

#: Rounds of PBKDF2 for real users: about a tenth of a second of one core for
#: each guess.  RFC 7677 section 4 asks for 4096 at least.
ITERATIONS = 200_000

#: Rounds for throw-away users of demos and tests, whose passwords are public.
QUICK_ITERATIONS = 4096

#: Bytes of random salt for each user.
SALT_SIZE = 16


def makeCredentials(password: str, iterations: int = ITERATIONS, salt: bytes | None = None) -> Credentials:
    """
    Make what the store keeps.  Takes long on purpose: not for the reactor's thread.

    @param iterations: rounds of PBKDF2.
    @param salt: random when not given.
    @raise BadText: the password is empty or has a character that none may have.
    """
    salt = os.urandom(SALT_SIZE) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", prepare(password).encode(), salt, iterations)
    return Credentials(
        salt=salt,
        iterations=iterations,
        stored_key=hashlib.sha256(_hmac(salted, b"Client Key")).digest(),
        server_key=_hmac(salted, b"Server Key"),
    )


def verify(credentials: Credentials, password: str) -> bool:
    """
    Whether the password is the one that the keys were made from.  Takes as
    long as making them: not for the reactor's thread.
    """
    try:
        made = makeCredentials(password, credentials.iterations, credentials.salt)
    except BadText:
        # As long as any other wrong password.
        makeCredentials("-", credentials.iterations, credentials.salt)
        return False
    return hmac.compare_digest(made.stored_key, credentials.stored_key)


def decoy(user: str, secret: bytes, iterations: int = ITERATIONS) -> Credentials:
    """
    Credentials that no password fits, for a user who does not exist.  They are
    the same each time the name is tried, as a real user's are.

    @param secret: random bytes, chosen once per process.
    @param iterations: as many as real users have, so that it takes as long.
    """
    return Credentials(
        salt=_hmac(secret, b"salt:" + user.encode("utf-8", "surrogatepass"))[:SALT_SIZE],
        iterations=iterations,
        stored_key=_hmac(secret, b"key:" + user.encode("utf-8", "surrogatepass")),
        server_key=b"",
    )


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
