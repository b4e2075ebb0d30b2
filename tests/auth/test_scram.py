"""
Tests for L{mailstore.auth.scram}.
"""

from __future__ import annotations

import base64

import scramp
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailstore.auth.keys import decoy, makeCredentials
from mailstore.auth.scram import MAX_MESSAGE, IScramProof, newNonce, readFinal, readFirst, serverFirst
from mailstore.errors import SignInGarbled
from tests.auth.scramclient import ScramClient

PENCIL = makeCredentials("pencil", 4096, base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))

FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
CHALLENGE = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
LAST = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


class ConversationTests(SynchronousTestCase):
    """
    Whole conversations.
    """

    def test_exampleOfRFC7677(self) -> None:
        """
        The example in RFC 7677 section 3, byte by byte.
        """
        first = readFirst(FIRST)
        self.assertEqual((first.user, first.identity), ("user", ""))
        challenge = serverFirst(first, b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", PENCIL)
        self.assertEqual(challenge, CHALLENGE)
        proof = readFinal(FINAL, first, challenge)
        self.assertTrue(verifyObject(IScramProof, proof))
        self.assertEqual(proof.username, b"user")
        self.assertTrue(proof.checkKeys(PENCIL))
        self.assertEqual(proof.lastWords(), LAST)

    def test_wrong(self) -> None:
        """
        The proof fits no other keys: of another password, another salt, a decoy.
        """
        proof = readFinal(FINAL, readFirst(FIRST), CHALLENGE)
        for keys in (
            makeCredentials("pencils", 4096, PENCIL.salt),
            makeCredentials("pencil", 4096, b"x" * 16),
            decoy("user", b"s", 4096),
        ):
            self.assertFalse(proof.checkKeys(keys))

    def test_anotherImplementation(self) -> None:
        """
        The package scramp, as a client, is let in with the right password and finds that the server knows it.
        """
        for user, password, right in (
            ("user", "pencil", True),
            ("a,b=c", "pencil", True),
            ("jos\u00e9", "pencil", True),
            ("user", "Pencil", False),
        ):
            client = scramp.ScramClient(["SCRAM-SHA-256"], user, password)
            first = readFirst(client.get_client_first().encode())
            self.assertEqual(first.user, user)
            challenge = serverFirst(first, newNonce(), PENCIL)
            client.set_server_first(challenge.decode())
            proof = readFinal(client.get_client_final().encode(), first, challenge)
            self.assertEqual(proof.checkKeys(PENCIL), right)
            if right:
                client.set_server_final(proof.lastWords().decode())

    def test_noncesDiffer(self) -> None:
        """
        No conversation is like another.
        """
        self.assertEqual(len({newNonce() for _ in range(50)}), 50)

    def test_headers(self) -> None:
        """
        A client may say for whom it acts, and that it could bind the channel.
        """
        for header, identity in ((b"n,a=bo=2Cb=3D2C,", "bo,b=2C"), (b"y,,", ""), (b"n,,", "")):
            client = ScramClient("user", "pencil", header)
            first = readFirst(client.first())
            self.assertEqual(first.identity, identity)
            challenge = serverFirst(first, b"x", PENCIL)
            self.assertTrue(readFinal(client.final(challenge), first, challenge).checkKeys(PENCIL))

    def test_extensions(self) -> None:
        """
        Attributes that nobody knows yet are passed over, and are part of what is proven.
        """
        first = readFirst(FIRST + b",x=y,Z==")
        self.assertEqual(first.nonce, b"rOprNGfwEbeRWgbNEkqO")
        self.assertEqual(first.bare[-8:], b",x=y,Z==")
        final = FINAL.replace(b",p=", b",x=y,p=")
        self.assertFalse(readFinal(final, readFirst(FIRST), CHALLENGE).checkKeys(PENCIL))


class GarbledTests(SynchronousTestCase):
    """
    What is no message.
    """

    def test_first(self) -> None:
        """
        No first message, by RFC 5802 section 7.
        """
        for data in (
            b"",
            b"n",
            b"n,,",
            b"n=user,r=x",
            b"n,,n=,r=x",
            b"n,,n=user",
            b"n,,n=user,r=",
            b"n,,n=user,r=a b",
            b"n,,n=user,r=x,",
            b"n,,n=user,r=x,xy=z",
            b"n,,n=user,r=x,m=y",
            b"n,,m=x,n=user,r=x",
            b"n,,r=x,n=user",
            b"n,,n=us=er,r=x",
            b"n,,n=us=2cer,r=x",
            b"n,,n=us\0er,r=x",
            b"n,,n=user,r=x\n",
            b"n,a=,n=user,r=x",
            b"n,b=user,n=user,r=x",
            b"x,,n=user,r=x",
            b"p=,,n=user,r=x",
            b"p=tls-unique,,n=user,r=x",
            b"n,,n=\xff,r=x",
            b"n,,n=\xed\xa0\x80,r=x",
            b"n,,n=user,r=" + b"x" * MAX_MESSAGE,
        ):
            self.assertRaises(SignInGarbled, readFirst, data)

    def test_final(self) -> None:
        """
        No second message, or not one of this conversation.
        """
        first = readFirst(FIRST)
        nonce = CHALLENGE.split(b",")[0]
        for data in (
            b"",
            FINAL[:-1],
            FINAL + b"\n",
            FINAL + b",x=y",
            FINAL.partition(b",p=")[0],
            FINAL.replace(b"c=biws", b"c=eSws"),
            FINAL.replace(b"c=biws", b"c=%%%%"),
            FINAL.replace(b"c=biws,", b""),
            FINAL.replace(b"%hv", b"%hx"),
            FINAL.replace(nonce, nonce[:-1]),
            FINAL.replace(nonce, nonce + b"x"),
            FINAL.replace(b"p=dHzb", b"p=!Hzb"),
            b"c=biws," + nonce + b",p=eA==",
            b"c=biws," + nonce + b",m=x,p=" + b"A" * 43 + b"=",
            b"c=biws," + nonce + b",p=x,p=" + b"A" * 43 + b"=",
        ):
            self.assertRaises(SignInGarbled, readFinal, data, first, CHALLENGE)

    @given(st.one_of(st.binary(max_size=80), st.text("n,=aryp2C3D\0é", max_size=40).map(str.encode)))
    def test_anything(self, data: bytes) -> None:
        """
        Whatever the bytes, they are a message or refused as none.
        """
        try:
            first = readFirst(data)
        except SignInGarbled:
            pass
        else:
            self.assertEqual(first.header + first.bare, data)
        with self.assertRaises(SignInGarbled):
            readFinal(data, readFirst(FIRST), CHALLENGE)
