"""
L{transports.tls}: what is loaded, who is let in, and what both sides are told
when somebody is not.
"""

from __future__ import annotations

import datetime
import os
import re
import socket
import ssl
import tempfile
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.internet.defer import CancelledError
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.transports.certificates import certificates
from transports import _opening, tls
from transports._framing import packFrames
from transports._opening import Wait
from transports._tlschannel import TlsChannel
from transports.errors import BadDescription, CannotConnect, ChannelCorrupt, PeerLost
from transports.interfaces import IChannel, IReceiver
from transports.limits import Limits
from transports.sockets import TcpTransport
from transports.testing.conformance import LIMITS, ConformanceBase, Recorder
from transports.tls import TlsCredentials, explain, isName

_YEAR = datetime.timedelta(days=365)


class CredentialsTests(SynchronousTestCase):
    """
    Files are read when a transport is made, and named when they cannot be used.
    """

    def bad(self, credentials: TlsCredentials, *says: str) -> None:
        """
        The credentials are refused, and the error says certain things.
        """
        error = self.assertRaises(BadDescription, credentials.load)
        for part in says:
            self.assertIn(part, str(error))

    def file(self, content: bytes) -> str:
        """
        A file that goes with the test.
        """
        descriptor, path = tempfile.mkstemp(prefix="ms")
        self.addCleanup(os.unlink, path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return path

    def test_good(self) -> None:
        """
        Both sides demand a certificate, and speak TLS 1.3 alone.
        """
        contexts = certificates().credentials(peer="front.example").load()
        for each in (contexts.connecting, contexts.listening):
            self.assertEqual(each.verify_mode, ssl.CERT_REQUIRED)
            self.assertEqual(each.minimum_version, ssl.TLSVersion.TLSv1_3)
        self.assertTrue(contexts.connecting.check_hostname)
        self.assertEqual(contexts.peer, "front.example")

    def test_unreadable(self) -> None:
        """
        A file that is not there, or is a directory, is named with its option.
        """
        good = certificates().credentials()
        for name in ("certificate", "key", "ca"):
            for path, why in (("/none/x.pem", "No such file"), ("/", "Is a directory"), ("a\0b", "null")):
                self.bad(attrs.evolve(good, **{name: path}), f"{name}: cannot read {path}", why)

    def test_notPem(self) -> None:
        """
        A file of something else is named with its option.
        """
        good = certificates().credentials()
        for content in (b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
            path = self.file(content)
            for name in ("certificate", "ca"):
                self.bad(attrs.evolve(good, **{name: path}), f"{name}: {path} holds no certificate")
            self.bad(attrs.evolve(good, key=path), f"key: {path} holds no private key")

    def test_anotherKey(self) -> None:
        """
        The key of another certificate is told, with both files.
        """
        made = certificates()
        mixed = TlsCredentials(made.ours.path, made.other.key, made.authority.path)
        self.bad(mixed, made.other.key, "is not the key of the certificate in", made.ours.path)

    def test_dates(self) -> None:
        """
        A certificate that has expired, or is not valid yet, is refused before
        anybody is met; so is an authority.
        """
        made = certificates()
        self.bad(
            made.credentials(made.expired),
            f"certificate: the certificate in {made.expired.path} has expired on ",
        )
        self.bad(
            attrs.evolve(made.credentials(), ca=made.expired.path),
            "ca: ",
            made.expired.path,
            "has expired on ",
        )
        for years, says in ((-1, "is not valid before "), (1, "has expired on ")):
            self.patch(tls, "_now", lambda years=years: datetime.datetime.now(datetime.UTC) + years * _YEAR)
            self.bad(made.credentials(), f"certificate: the certificate in {made.ours.path} {says}", " UTC")

    def test_oneGoodAuthority(self) -> None:
        """
        One that has expired among others is no obstacle; nor is one that leads
        from ours to the authority.
        """
        made = certificates()
        both = self.file(Path(made.expired.path).read_bytes() + Path(made.authority.path).read_bytes())
        attrs.evolve(made.credentials(), ca=both).load()
        chain = self.file(Path(made.ours.path).read_bytes() + Path(made.expired.path).read_bytes())
        attrs.evolve(made.credentials(), certificate=chain).load()

    def test_openKey(self) -> None:
        """
        A key that every user can read is used, and complained of.
        """
        made = certificates()
        path = self.file(Path(made.ours.key).read_bytes())
        for mode, complaints in ((0o600, 0), (0o640, 0), (0o644, 1)):
            os.chmod(path, mode)
            with capturedLogs() as logs:
                attrs.evolve(made.credentials(), key=path).load()
            self.assertEqual([each["key"] for each in logs], [path] * complaints)

    def test_weak(self) -> None:
        """
        When the certificate is too weak for OpenSSL, it is not the key that is
        blamed.
        """
        made = certificates()
        weak = made.authority.issue("localhost", key=rsa.generate_private_key(65537, 1024))
        self.bad(made.credentials(weak), f"certificate: {weak.path} is too weak: ee key too small")

    def test_encryptedKey(self) -> None:
        """
        An encrypted key is refused; nobody is asked for a password.
        """
        made = certificates()
        locked = made.authority.issue("localhost", password="secret")
        self.bad(made.credentials(locked), locked.key, "is encrypted")

    def test_names(self) -> None:
        """
        What can be a peer's name, and what cannot.
        """
        for name in ("localhost", "a.b-c.example", "_x.example", "xn--mil-rla.example", "192.0.2.1", "::1"):
            self.assertTrue(isName(name), name)
        for name in (
            "",
            "*.example",
            ".example",
            "example.",
            "a..b",
            "-a",
            "a-",
            "a b",
            "mäil",
            "a" * 64,
            "a." * 130 + "a",
        ):
            self.assertFalse(isName(name), name)
        self.bad(certificates().credentials(peer="*.example"), "peer: '*.example'")

    def test_explain(self) -> None:
        """
        What OpenSSL calls things is put into words.
        """
        for reason, words in (
            ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the peer showed no certificate"),
            ("WRONG_VERSION_NUMBER", "the peer does not speak TLS"),
            ("TLSV1_ALERT_UNKNOWN_CA", "the peer refused our certificate: unknown ca"),
            ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "the peer refused our certificate: certificate expired"),
            ("TLSV1_ALERT_PROTOCOL_VERSION", "the peer broke the TLS handshake off: protocol version"),
            ("NO_SHARED_CIPHER", "the TLS handshake failed: no shared cipher"),
            (None, "the TLS handshake failed: unknown"),
        ):
            error = ssl.SSLError()
            error.reason = reason  # type: ignore[assignment]
            self.assertEqual(explain(error), words)
        self.assertIn("hung up", explain(ConnectionResetError()))


class TlsBase(ConformanceBase):
    """
    A listener with TLS, and those who connect to it.
    """

    def at(self, port: int, **options: Any) -> TcpTransport:
        """
        A transport.
        """
        from twisted.internet import reactor

        return TcpTransport(reactor, "127.0.0.1", port, LIMITS, **options)

    async def listen(self, credentials: TlsCredentials | None) -> None:
        """
        Listen, for the length of the test.
        """
        self.channels: list[IChannel] = []
        self.recorders: list[Recorder] = []

        def accept(channel: IChannel) -> IReceiver:
            self.channels.append(channel)
            self.addCleanup(channel.abort)
            self.recorders.append(Recorder())
            return self.recorders[-1]

        self.transport = self.at(0, tls=credentials)
        listener = await self.transport.listen(accept)
        self.addCleanup(listener.stopListening)

    async def assertRefused(self, credentials: TlsCredentials | None, here: str, there: str) -> None:
        """
        Who connects with these credentials is refused.

        @param here: what the connecting side is told.
        @param there: what the listener's log says.
        """
        with capturedLogs() as logs:
            connecting = self.at(self.transport.port, tls=credentials).connect(Recorder())
            error = await self.assertFailure(connecting, CannotConnect)
            await self.waitFor(lambda: bool(logs), "the listener to say why")
        self.assertRegex(str(error), f"^cannot connect to tcp:127.0.0.1:[0-9]+: .*{here}")
        self.assertEqual(len(logs), 1)
        self.assertEqual(logs[0]["place"], self.transport.description)
        self.assertRegex(logs[0]["why"], there)
        self.assertEqual(self.channels, [])

    async def assertLetIn(self, credentials: TlsCredentials) -> None:
        """
        Who connects with these credentials has a channel.
        """
        recorder = Recorder()
        channel = await self.at(self.transport.port, tls=credentials).connect(recorder)
        await self.waitFor(lambda: bool(self.channels), "the listener to accept")
        channel.send(b"good")
        await self.waitFor(lambda: self.recorders[-1].messages == [b"good"], "the message")
        await channel.close()


class PeerTests(TlsBase, TestCase):
    """
    Who is let in.
    """

    async def test_connectorOfAnotherAuthority(self) -> None:
        """
        Who shows a certificate that nobody here vouches for is refused, and
        told.
        """
        made = certificates()
        await self.listen(made.credentials())
        await self.assertRefused(
            made.credentials(made.foreign),
            "the peer refused our certificate: unknown ca",
            "the peer's certificate is refused: unable to get local issuer certificate",
        )

    def expireLater(self) -> None:
        """
        The certificates that have expired were good when they were loaded.
        """
        self.patch(tls, "_now", lambda: datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1.5))

    async def test_connectorExpired(self) -> None:
        """
        The same with one that has expired.
        """
        self.expireLater()
        made = certificates()
        await self.listen(made.credentials())
        await self.assertRefused(
            made.credentials(made.expired),
            "the peer refused our certificate: certificate expired",
            "the peer's certificate is refused: certificate has expired",
        )

    async def test_connectorOfAnotherName(self) -> None:
        """
        The same with one that does not carry the name that is let in; who has
        that name is let in.
        """
        made = certificates()
        await self.listen(made.credentials(peer="other.example"))
        await self.assertRefused(
            made.credentials(),
            "the peer refused our certificate: it does not carry the name that it lets in",
            "the peer's certificate does not carry the name other.example",
        )
        await self.assertLetIn(made.credentials(made.other))

    async def test_namesAreCompared(self) -> None:
        """
        Addresses are names too, and letters have no case; nothing else is
        alike.
        """
        made = certificates()
        for name in ("LOCALHOST", "127.0.0.1", "0:0::1"):
            await self.listen(made.credentials(peer=name))
            await self.assertLetIn(made.credentials())
        for name in ("localhost.example", "host", "127.0.0.2", "::2"):
            await self.listen(made.credentials(peer=name))
            await self.assertRefused(made.credentials(), "does not carry", re.escape(name))

    async def test_listenerOfAnotherAuthority(self) -> None:
        """
        A listener whose certificate nobody here vouches for is not spoken to,
        and told.
        """
        made = certificates()
        await self.listen(made.credentials(made.foreign))
        await self.assertRefused(
            made.credentials(),
            "the peer's certificate is refused: unable to get local issuer certificate",
            "the peer refused our certificate: unknown ca",
        )

    async def test_listenerExpired(self) -> None:
        """
        The same with one that has expired.
        """
        self.expireLater()
        made = certificates()
        await self.listen(made.credentials(made.expired))
        await self.assertRefused(
            made.credentials(),
            "certificate has expired",
            "the peer refused our certificate: certificate expired",
        )

    async def test_nameOfTheSubject(self) -> None:
        """
        A name that is in the certificate's subject, and not in its
        subjectAltName, does not count, on either side.
        """
        made = certificates()
        nameless = made.authority.issue("localhost", carried=())
        await self.listen(made.credentials(nameless))
        await self.assertRefused(
            made.credentials(peer="localhost"), "not valid for 'localhost'", "bad certificate"
        )
        await self.listen(made.credentials(peer="localhost"))
        await self.assertRefused(
            made.credentials(nameless), "does not carry the name", "does not carry the name localhost"
        )

    async def test_listenerOfAnotherName(self) -> None:
        """
        The listener's certificate must carry the host, or the name that C{peer}
        says.
        """
        made = certificates()
        await self.listen(made.credentials(made.other))
        await self.assertRefused(
            made.credentials(),
            "not valid for '127.0.0.1'",
            "the peer refused our certificate: bad certificate",
        )
        await self.assertRefused(
            made.credentials(peer="another.example"), "not valid for 'another.example'", "bad certificate"
        )
        await self.assertLetIn(made.credentials(peer="other.example"))

    async def test_plainConnector(self) -> None:
        """
        Who does not speak TLS is refused, and told what is missing.
        """
        await self.listen(certificates().credentials())
        await self.assertRefused(None, "the peer speaks TLS, this end does not", "does not speak TLS")

    async def test_plainListener(self) -> None:
        """
        A listener that does not speak TLS is not spoken to, and says why in its
        log.
        """
        await self.listen(None)
        await self.assertRefused(
            certificates().credentials(), "does it speak TLS", "the peer speaks TLS, this end does not"
        )


class HandshakeTests(TlsBase, TestCase):
    """
    Handshakes by hand.
    """

    def raw(self) -> socket.socket:
        """
        A connection on which nothing has been said.
        """
        raw = socket.create_connection(("127.0.0.1", self.transport.port))
        self.addCleanup(raw.close)
        raw.setblocking(False)
        return raw

    async def shakeHands(self, context: ssl.SSLContext) -> str:
        """
        Shake hands with the listener by a context of one's own, and listen.

        @return: how it ends.
        """
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        raw = context.wrap_socket(self.raw(), do_handshake_on_connect=False)
        self.addCleanup(raw.close)
        ended = ""

        def end() -> bool:
            nonlocal ended
            try:
                raw.do_handshake()
                ended = f"read {raw.recv(100)!r}"
            except ssl.SSLWantReadError:
                return False
            except ssl.SSLError as error:
                ended = error.reason
            return True

        await self.waitFor(end, "the handshake to end")
        return ended

    async def test_noCertificate(self) -> None:
        """
        Who shows no certificate is refused.
        """
        await self.listen(certificates().credentials())
        with capturedLogs() as logs:
            ended = await self.shakeHands(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self.assertIn("CERTIFICATE_REQUIRED", ended)
        self.assertEqual([each["why"] for each in logs], ["the peer showed no certificate"])
        self.assertEqual(self.channels, [])

    async def test_oldVersion(self) -> None:
        """
        Who speaks TLS 1.2 at most is refused, though its certificate is right.
        """
        made = certificates()
        await self.listen(made.credentials())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(made.ours.path, made.ours.key)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertIn("PROTOCOL_VERSION", await self.shakeHands(context))
        self.assertEqual(self.channels, [])

    async def test_stalled(self) -> None:
        """
        A handshake that does not go on is broken off at the deadline, wherever
        it stands.
        """
        self.patch(_opening, "OPENING_DEADLINE", 0.05)
        await self.listen(certificates().credentials())
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = certificates().credentials().load().connecting.wrap_bio(incoming, outgoing, server_hostname="x")
        self.assertRaises(ssl.SSLWantReadError, tls.do_handshake)
        hello = outgoing.read()
        for part in (b"", hello[:3], hello[:-1], hello):
            raw = self.raw()
            raw.send(part)
            with capturedLogs() as logs:
                await self.waitFor(partial(bool, logs), "the listener to lose patience")
            self.assertEqual([each["why"] for each in logs], ["the peer did not speak for 0.05 seconds"])
        self.assertEqual(self.channels, [])

    async def test_noise(self) -> None:
        """
        Anything but a handshake is refused at once.
        """
        await self.listen(certificates().credentials())
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x91mschan\n", b"\0" * 100, b"\x16\x03\x01\xff\xff" * 20):
            raw = self.raw()
            raw.send(noise)
            with capturedLogs() as logs:
                await self.waitFor(partial(bool, logs), "the listener to say why")
            self.assertRegex(logs[0]["why"], "TLS")
        self.assertEqual(self.channels, [])
        await self.assertLetIn(certificates().credentials())

    async def test_hangsUp(self) -> None:
        """
        Who hangs up in the middle of its handshake is gone.
        """
        await self.listen(certificates().credentials())
        raw = self.raw()
        raw.send(b"\x16\x03\x01")
        raw.close()
        with capturedLogs() as logs:
            await self.waitFor(lambda: bool(logs), "the listener to notice")
        self.assertIn("hung up", logs[0]["why"])

    async def test_cancelled(self) -> None:
        """
        Who gives up connecting in the middle of the handshake hangs up.
        """
        with socket.create_server(("127.0.0.1", 0)) as place:
            credentials = certificates().credentials()
            connecting = self.at(place.getsockname()[1], tls=credentials).connect(Recorder())
            raw, _ = place.accept()
            with raw:
                raw.settimeout(0)
                await self.turn()
                await self.turn()
                self.assertEqual(raw.recv(2), b"\x16\x03")
                connecting.cancel()
                await self.assertFailure(connecting, CancelledError)
                raw.settimeout(10)
                while raw.recv(65536):
                    pass


class TlsChannelTests(TlsBase, TestCase):
    """
    The channel above TLS.
    """

    async def openTls(self, limits: Limits = LIMITS) -> Any:
        """
        Open a channel.
        """
        from twisted.internet import reactor

        credentials = certificates().credentials()
        return await self.openThrough(TcpTransport(reactor, "127.0.0.1", 0, limits, tls=credentials))

    async def test_tightSockets(self) -> None:
        """
        Messages far larger than what the sockets take go through, both ways at
        once: what TLS could not get rid of is given to it again.
        """
        pair = await self.openTls(Limits(1 << 16, 64))
        for end in (pair.left, pair.right):
            end.channel._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        messages = [os.urandom(700_000) for _ in range(5)]
        for message in messages:
            pair.left.send(message)
            pair.right.send(message)
        await self.drain(pair)
        self.assertEqual(pair.left.messages, messages)
        self.assertEqual(pair.right.messages, messages)

    async def test_death(self) -> None:
        """
        An end of the connection without a farewell is a loss, not a breach.
        """
        pair = await self.openTls()
        pair.right.send(b"last words")
        pair.right.channel.flush()
        socket.socket.shutdown(pair.right.channel._socket, socket.SHUT_RDWR)
        pair.left.resume()
        await self.waitFor(lambda: bool(pair.left.recorder.losses), "channelLost")
        self.assertEqual(pair.left.messages, [b"last words"])
        self.assertEqual([each.type for each in pair.left.recorder.losses], [PeerLost])

    async def test_readingNeedsRoom(self) -> None:
        """
        When TLS must write before it can read, reading goes on as soon as the
        socket takes something.
        """
        pair = await self.openTls()
        right: TlsChannel = pair.right.channel
        faulty = Faulty(right, recv=ssl.SSLWantWriteError())
        pair.right.resume()
        pair.left.send(b"good")
        await self.until(lambda: pair.right.messages == [b"good"], "the message")
        await self.until(lambda: right._reading_needs is Wait.NOTHING, "the socket to be writable")
        self.assertEqual(faulty.faults, [])
        self.assertNotIn(right, right._fdset.getWriters())

    async def test_writingNeedsData(self) -> None:
        """
        When TLS must read before it can write, writing goes on when something
        has arrived, and the reactor does not turn in vain until then.
        """
        pair = await self.openTls()
        left: TlsChannel = pair.left.channel
        faulty = Faulty(left, send=ssl.SSLWantReadError())
        pair.left.send(b"good")
        await self.settle()
        self.assertEqual(faulty.faults, [])
        self.assertNotIn(left, left._fdset.getWriters())
        pair.right.resume()
        pair.left.resume()
        self.assertEqual(pair.right.messages, [])
        pair.right.send(b"anything")
        await self.until(lambda: pair.right.messages == [b"good"], "the message")
        await self.drain(pair)

    async def test_breachAfterData(self) -> None:
        """
        What was read before the connection broke is taken in; the breach is
        met without TLS being asked again.
        """
        pair = await self.openTls()
        right: TlsChannel = pair.right.channel
        pair.right.resume()
        real = right._socket.recv
        answers: list[Any] = [lambda: real(1 << 16), lambda: Faulty.throw(ssl.SSLError(1, "broken"))]

        class Breaking:
            def recv(self, size: int) -> bytes:
                return bytes(answers.pop(0)())

            def __getattr__(self, name: str) -> object:
                return getattr(right_socket, name)

        right_socket = right._socket
        right._socket = Breaking()  # type: ignore[assignment]
        pair.left.send(b"good")
        await self.until(lambda: bool(pair.right.recorder.losses), "channelLost")
        self.assertEqual([each.type for each in pair.right.recorder.losses], [ChannelCorrupt])
        self.assertEqual(answers, [])
        self.assertRaises(ChannelCorrupt, pair.right.channel.send, b"")

    async def test_breachInATurn(self) -> None:
        """
        The breach is met as well when what precedes it was not announced by the
        socket, and nothing more comes on it.
        """
        pair = await self.openTls()
        right: TlsChannel = pair.right.channel
        real = right._socket
        answers: list[Any] = [
            lambda: packFrames(deque([b"good"]), 0, 100),
            lambda: Faulty.throw(ssl.SSLError(1, "broken")),
        ]

        class Pending:
            def recv(self, size: int) -> bytes:
                return bytes(answers.pop(0)())

            def pending(self) -> int:
                return len(answers)

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        right._socket = Pending()  # type: ignore[assignment]
        right._takeSoon()
        await self.waitFor(lambda: bool(pair.right.recorder.losses), "channelLost")
        self.assertEqual([each.type for each in pair.right.recorder.losses], [ChannelCorrupt])


class Faulty:
    """
    The socket of a channel, whose calls fail once as told.

    @ivar faults: what has not happened yet.
    """

    def __init__(self, channel: TlsChannel, **faults: ssl.SSLError) -> None:
        self._real = channel._socket
        self._faults = faults
        channel._socket = self  # type: ignore[assignment]

    @property
    def faults(self) -> list[str]:
        """
        The calls that have not failed yet.
        """
        return list(self._faults)

    @staticmethod
    def throw(error: Exception) -> bytes:
        """
        Raise it.
        """
        raise error

    def recv(self, size: int) -> bytes:
        """
        See C{socket.recv}.
        """
        if "recv" in self._faults:
            self.throw(self._faults.pop("recv"))
        return self._real.recv(size)

    def send(self, data: bytes) -> int:
        """
        See C{socket.send}.
        """
        if "send" in self._faults:
            self.throw(self._faults.pop("send"))
        return self._real.send(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)
