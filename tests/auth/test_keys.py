"""
Tests for L{mailstore.auth.keys} and L{mailstore.auth.saslprep}.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from twisted.trial.unittest import SynchronousTestCase

from mailstore.auth.keys import decoy, makeCredentials, verify
from mailstore.auth.saslprep import BadText, prepare


class KeysTests(SynchronousTestCase):
    """
    The keys of SCRAM-SHA-256.
    """

    def test_exampleOfRFC7677(self) -> None:
        """
        The keys verify the client's proof and give the server's signature of
        the example in RFC 7677 section 3.
        """
        made = makeCredentials("pencil", 4096, base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
        nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        message = (
            f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
        ).encode()
        signature = hmac.digest(made.stored_key, message, "sha256")
        proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        self.assertEqual(hashlib.sha256(client_key).digest(), made.stored_key)
        server = hmac.digest(made.server_key, message, "sha256")
        self.assertEqual(base64.b64encode(server), b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

    def test_verify(self) -> None:
        """
        The right password fits; another, an empty one or one with forbidden
        characters does not.
        """
        made = makeCredentials("secret", 10)
        self.assertTrue(verify(made, "secret"))
        for wrong in ("Secret", "secret ", "", "sec\x00ret"):
            self.assertFalse(verify(made, wrong))

    def test_saltIsRandom(self) -> None:
        """
        Two users with one password have different keys.
        """
        self.assertNotEqual(makeCredentials("x", 10).stored_key, makeCredentials("x", 10).stored_key)

    def test_decoy(self) -> None:
        """
        A decoy is stable for a name, different for another, and fits nothing.
        """
        self.assertEqual(decoy("a", b"s", 10), decoy("a", b"s", 10))
        self.assertNotEqual(decoy("a", b"s", 10).salt, decoy("b", b"s", 10).salt)
        self.assertFalse(verify(decoy("a", b"s", 10), "a"))
        self.assertEqual(len(decoy("a", b"s").salt), len(makeCredentials("a", 10).salt))

    def test_reprHidesNothingNeeded(self) -> None:
        """
        The server key, with which a server could be impersonated, is not in
        the representation that a log would hold.
        """
        made = makeCredentials("x", 10)
        self.assertNotIn(repr(made.server_key), repr(made))


class SaslprepTests(SynchronousTestCase):
    """
    L{prepare}, by the examples of RFC 4013 section 3 and its rules.
    """

    def test_examples(self) -> None:
        """
        The examples of the RFC that have a result.
        """
        for given, expected in (
            ("I\u00adX", "IX"),
            ("user", "user"),
            ("USER", "USER"),
            ("\u00aa", "a"),
            ("\u2168", "IX"),
            ("a\u00a0b", "a b"),
            ("pässwörd", "pässwörd"),
            ("pa\u0308sswo\u0308rd", "pässwörd"),
        ):
            self.assertEqual(prepare(given), expected)

    def test_refused(self) -> None:
        """
        Control characters, mixed directions and nothing at all are refused.
        """
        for given in ("\u0007", "\u0627\u0031", "a\u0627b", "", "\u00ad", "\ud800", "\ue000"):
            with self.assertRaises(BadText):
                prepare(given)

    def test_rightToLeft(self) -> None:
        """
        A password that is right-to-left throughout is fine.
        """
        self.assertEqual(prepare("\u0627\u0031\u0628"), "\u0627\u0031\u0628")
