"""
The client's side of SCRAM-SHA-256, for tests: it can say what no honest client would.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode


class ScramClient:
    """
    One conversation.
    """

    def __init__(
        self,
        user: str,
        password: str,
        header: bytes = b"n,,",
        nonce: bytes = b"fyko+d2lbbFgONRv9qkxdawL",
        binding: bytes = b"",
    ) -> None:
        """
        @param header: the part about channel binding and for whom the client acts.
        @param binding: what it knows the channel by.
        """
        escaped = user.replace("=", "=3D").replace(",", "=2C").encode()
        self._password = password.encode()
        self._header = header
        self._binding = binding
        self._bare = b"n=%s,r=%s" % (escaped, nonce)
        self._expected = b""

    def first(self) -> bytes:
        """
        What it begins with.
        """
        return self._header + self._bare

    def final(self, challenge: bytes) -> bytes:
        """
        Its proof, in answer to the server's first message.
        """
        nonce, salt, iterations = challenge.split(b",")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, b64decode(salt[2:]), int(iterations[2:]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        bare = b"c=%s,%s" % (b64encode(self._header + self._binding), nonce)
        message = b",".join((self._bare, challenge, bare))
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self._expected = b"v=" + b64encode(hmac.digest(server_key, message, "sha256"))
        return b"%s,p=%s" % (bare, b64encode(proof))

    def knows(self, last_words: bytes) -> bool:
        """
        Whether the server has shown that it is the right one.
        """
        return bool(self._expected) and hmac.compare_digest(last_words, self._expected)
