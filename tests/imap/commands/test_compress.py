"""
Tests of COMPRESS (RFC 4978).
"""

from __future__ import annotations

import random
import zlib

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.compression import Compression, NotCompressed
from mailstore.imap.limits import ImapLimits
from tests.imap.support import Client, Server


def _deflater() -> zlib._Compress:
    return zlib.compressobj(9, zlib.DEFLATED, -15)


class CompressionTests(SynchronousTestCase):
    """
    L{Compression}.
    """

    def test_bothWays(self) -> None:
        """
        Bytes of any kind come back, in pieces of any size.
        """
        rng = random.Random(1)
        data = b"* 1 FETCH (FLAGS (\\Seen))\r\n" * 2_000 + rng.randbytes(100_000)
        compression, inflater = Compression(), zlib.decompressobj(-15)
        sent = compression.deflate(data[:10]) + compression.deflate(data[10:])
        self.assertEqual(inflater.decompress(sent), data)
        deflater = _deflater()
        wire = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
        heard = b""
        for at in range(0, len(wire), 1_000):
            compression.receive(wire[at : at + 1_000])
            while compression.waiting:
                piece = compression.inflate(777)
                self.assertLessEqual(len(piece), 777)
                heard += piece
        self.assertEqual(heard, data)

    def test_bomb(self) -> None:
        """
        A few bytes that stand for many are inflated only as far as somebody asks.
        """
        deflater = _deflater()
        wire = deflater.compress(b"\0" * (32 << 20)) + deflater.flush(zlib.Z_SYNC_FLUSH)
        self.assertLess(len(wire), 40_000)
        compression = Compression()
        compression.receive(wire)
        count = 0
        while compression.waiting:
            count += len(compression.inflate(65_536))
            self.assertLess(compression.waiting, 40_000)
        self.assertEqual(count, 32 << 20)

    def test_notCompressed(self) -> None:
        """
        What is no DEFLATE, or follows its end, is an error.
        """
        compression = Compression()
        compression.receive(b"a NOOP\r\n")
        self.assertRaises(NotCompressed, compression.inflate, 100)
        compression = Compression()
        deflater = _deflater()
        compression.receive(deflater.compress(b"end") + deflater.flush() + b"a NOOP\r\n")
        self.assertEqual(compression.inflate(100), b"end")
        self.assertEqual(compression.rest, b"a NOOP\r\n")
        compression.receive(b"b NOOP\r\n")
        self.assertEqual(compression.waiting, 16)
        self.assertRaises(NotCompressed, compression.inflate, 100)

    def test_rest(self) -> None:
        """
        What follows the end of a flush is not touched before it is asked for, also when the client flushes
        often, or what ends a flush stands in the middle of something.
        """
        for flush in (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_FINISH):
            for text in (b"x", b"a" * 300, b"\0\0\xff\xff" * 3, random.Random(3).randbytes(3_000)):
                compression, deflater = Compression(), zlib.compressobj(0, zlib.DEFLATED, -15)
                compression.receive(deflater.compress(text) + deflater.flush(flush) + b"plain")
                heard = b""
                while heard != text:
                    heard += compression.inflate(100)
                while len(compression.rest) > 5:
                    self.assertEqual(compression.inflate(100), b"")
                self.assertEqual(compression.rest, b"plain")

    def test_empty(self) -> None:
        """
        Very many flushes of nothing take time in proportion.
        """
        compression, deflater = Compression(), _deflater()
        compression.receive(deflater.flush(zlib.Z_SYNC_FLUSH) + b"\0\0\0\xff\xff" * 25_000)
        while compression.waiting:
            self.assertEqual(compression.inflate(100), b"")


class CompressTests(SynchronousTestCase):
    """
    The command, and a connection after it.
    """

    def compressed(self, server: Server | None = None) -> Client:
        """
        A client that has just been told to compress.
        """
        client = (server or Server(self)).client()
        self.deflater, self.inflater = _deflater(), zlib.decompressobj(-15)
        self.assertEqual(client.ask(b"COMPRESS deflate"), [b"T OK DEFLATE from here on"])
        return client

    def say(self, client: Client, data: bytes) -> list[bytes]:
        """
        Send something compressed; the lines that come.
        """
        client.say(self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH))
        return self.heard(client)

    def heard(self, client: Client) -> list[bytes]:
        """
        What came, without its compression, by lines.
        """
        client.clock.advance(0)
        heard = self.inflater.decompress(client.transport.value())
        client.transport.clear()
        return heard.split(b"\r\n")[:-1]

    def test_session(self) -> None:
        """
        From the tagged reply on everything is compressed both ways: pipelined commands, literals of both
        forms, IDLE and what is told in it.
        """
        server = Server(self)
        inbox = server.store.named["INBOX"]
        client = self.compressed(server)
        self.assertEqual(self.say(client, b"a SELECT INBOX\r\nb NOOP\r\n")[-1], b"b OK NOOP completed")
        self.assertEqual(self.say(client, b"c SUBSCRIBE {1}\r\n"), [b"+ Go on"])
        self.assertEqual(self.say(client, b"x\r\nd SUBSCRIBE {1+}\r\ny\r\n")[-1][:4], b"d OK")
        self.say(client, b"e IDLE\r\n")
        server.store.deliver(inbox)
        self.assertEqual(self.heard(client), [b"* 1 EXISTS", b"* 1 RECENT"])
        self.assertEqual(self.say(client, b"DONE\r\nf LOGOUT\r\n")[-1], b"f OK LOGOUT completed")

    def test_bitByBit(self) -> None:
        """
        However the bytes arrive, they are understood.
        """
        client = self.compressed()
        for each in self.deflater.compress(b"a NOOP\r\n") + self.deflater.flush(zlib.Z_SYNC_FLUSH):
            client.protocol.dataReceived(bytes([each]))
        self.assertEqual(self.heard(client), [b"a OK NOOP completed"])

    def test_announced(self) -> None:
        """
        It is announced after sign-in, until it is on; a second time is BAD, as is anything but DEFLATE.
        """
        server = Server(self)
        stranger = server.connect()
        self.assertNotIn(b"COMPRESS", stranger.ask(b"CAPABILITY")[0])
        self.assertEqual(stranger.ask(b"COMPRESS DEFLATE")[0][:6], b"T BAD ")
        client = server.client()
        self.assertIn(b"COMPRESS=DEFLATE", client.ask(b"CAPABILITY")[0].split())
        for wrong in (b"COMPRESS", b"COMPRESS LZ4", b"COMPRESS DEFLATE 9"):
            self.assertEqual(client.ask(wrong)[0][:6], b"T BAD ")
        client = self.compressed(server)
        self.assertNotIn(b"COMPRESS", self.say(client, b"a CAPABILITY\r\n")[0])
        self.assertEqual(self.say(client, b"a COMPRESS DEFLATE\r\n")[0][:6], b"a BAD ")

    def test_inTheClear(self) -> None:
        """
        A client that does not compress is told so, compressed, and its commands are not run; that they came
        in the same segment as COMPRESS makes no difference.
        """
        for behind in (b"", b"b SUBSCRIBE x\r\n"):
            server = Server(self)
            client = server.client()
            inflater = zlib.decompressobj(-15)
            client.say(b"a COMPRESS DEFLATE\r\n" + behind)
            client.say(b"c SUBSCRIBE y\r\n")
            clear, _, rest = client.transport.value().partition(b"\r\n")
            self.assertEqual(clear, b"a OK DEFLATE from here on")
            self.assertEqual(inflater.decompress(rest), b"* BYE That is not compressed by DEFLATE\r\n")
            self.assertTrue(client.gone)
            self.assertEqual(server.store.subscribed, set())

    def test_bomb(self) -> None:
        """
        What stands for much is inflated a piece at a time and held no longer than a line may be; a line that
        is too long costs itself.
        """
        limits = ImapLimits(login_delay=0.0, max_buffered=8_192, max_line=4_096)
        client = self.compressed(Server(self, limits))
        bomb = self.deflater.compress(b"a NOOP " + b"x" * (20 << 20) + b"\r\nb NOOP\r\n")
        bomb += self.deflater.flush(zlib.Z_SYNC_FLUSH)
        session = client.protocol.connection.session
        most = 0
        for at in range(0, len(bomb), 1_000):
            client.say(bomb[at : at + 1_000])
            most = max(most, session.buffered)
        self.assertLess(most, 100_000)
        self.assertEqual([line[:7] for line in self.heard(client)], [b"a BAD [", b"b OK NO"])

    def test_bound(self) -> None:
        """
        So many connections can be compressed and no more; one that ends makes room.
        """
        server = Server(self, ImapLimits(login_delay=0.0, max_compressed=1))
        first = self.compressed(server)
        second = server.client()
        self.assertEqual(second.ask(b"COMPRESS DEFLATE")[0][:13], b"T NO [LIMIT] ")
        first.disconnect()
        self.compressed(server)
