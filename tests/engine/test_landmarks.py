"""
Tests for L{mailstore.engine.landmarks}, L{mailstore.engine.chunks} and L{mailstore.engine.raw}: reading on
in the middle of large messages.
"""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailstore.engine import EngineLimits, Store, chunks, raw
from mailstore.engine.chunks import CHUNK, CHUNK_BITS, Content, Place, Places, ServedReader, served
from mailstore.engine.landmarks import STRIDE, Landmarks
from mailstore.engine.raw import rawPlace
from mailstore.message.encodings import decodingFor
from mailstore.message.lines import canonicalChunks
from mailstore.model import SYSTEM, FetchSpec, Section, SectionKind
from tests.engine.enginecase import EngineCase

_A = "Public Folders/A"
_KIB = 1024


class _Chunks:
    """
    A connection to a database that has the chunks of one content, and counts how often one is read.
    """

    def __init__(self, data: bytes, size: int) -> None:
        self._data = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
        self.read = 0

    def execute(self, statement: str, parameters: tuple[int]) -> Any:
        """
        Read one.
        """
        self.read += 1
        data = self._data[parameters[0] - (1 << CHUNK_BITS)]

        class Found:
            def fetchone(self) -> tuple[bytes]:
                return (data,)

        return Found()


class PlacesTests(SynchronousTestCase):
    """
    L{Places}, by those who use it.
    """

    def _contents(self) -> Iterator[tuple[bytes, bytes, Any, Content, random.Random]]:
        chance = random.Random(7)
        for module in (chunks, raw):
            self.patch(module, "CHUNK", 8)
        for _ in range(200):
            data = b"".join(chance.choices((b"\r", b"\n", b"\0", b"a", b"\r\n"), k=chance.randrange(60)))
            whole = b"".join(canonicalChunks((data,)))
            yield data, whole, _Chunks(data, 8), Content(1, len(data), len(whole), data == whole), chance

    def test_ranges(self) -> None:
        """
        Ranges in any order are those of the whole, wherever a CR and its LF fall.
        """
        for _, whole, db, content, chance in self._contents():
            places = Places()
            for _ in range(20):
                start = chance.randint(0, len(whole))
                end = chance.randint(start, len(whole))
                self.assertEqual(served(db, content, start, end, places), whole[start:end])

    def test_pieces(self) -> None:
        """
        So are pieces that are read one after the other, with others in between.
        """
        for _, whole, db, content, chance in self._contents():
            places = Places()
            readers = [ServedReader(content, 0, len(whole), places) for _ in range(3)]
            given = [b""] * 3
            while given != [whole] * 3:
                which = chance.randrange(3)
                given[which] += readers[which].read(db, chance.randint(1, 9))
                self.assertTrue(whole.startswith(given[which]))

    def test_raw(self) -> None:
        """
        What came is found by its place in what is served.
        """
        for data, whole, db, content, chance in self._contents():
            places = Places()
            sizes = [len(b"".join(canonicalChunks((data[:at],)))) for at in range(len(data) + 1)]
            for _ in range(20):
                place = chance.randint(0, len(whole))
                # Within a line end that was added, it is the one before.
                expected = max(at for at, size in enumerate(sizes) if size <= place)
                self.assertEqual(rawPlace(db, content, places, place), expected)

    def test_order(self) -> None:
        """
        A place is learnt after those before it, and once.
        """
        places = Places()
        for place in (Place(2, 20, False), Place(1, 9, True), Place(1, 8, False), Place(2, 20, False)):
            places.note(place)
        self.assertEqual(places.before(8), Place(0, 0, False))
        self.assertEqual(places.before(9), Place(1, 9, True))
        self.assertEqual(places.before(1 << 60), Place(2, 20, False))


class LandmarksTests(SynchronousTestCase):
    """
    L{Landmarks}.
    """

    def test_bounded(self) -> None:
        """
        The oldest are forgotten; small messages are not kept at all, nor what would take too much.
        """
        landmarks = Landmarks(10_000)
        decoding = decodingFor(b"Content-Transfer-Encoding: base64\r\n\r\n")
        assert decoding is not None
        for content in range(1000):
            places = landmarks.places(content, 10 * CHUNK)
            course = landmarks.course(content, 5, 2 * STRIDE, decoding)
            self.assertLessEqual(landmarks.cost, 10_000)
            self.assertIs(landmarks.places(content, 10 * CHUNK), places)
            self.assertIs(landmarks.course(content, 5, 2 * STRIDE, decoding), course)
            self.assertIsNot(landmarks.course(content, 6, 2 * STRIDE, decoding), course)
        self.assertIsNot(landmarks.places(1, CHUNK), landmarks.places(1, CHUNK))
        self.assertIsNot(landmarks.course(1, 7, STRIDE, decoding), landmarks.course(1, 7, STRIDE, decoding))
        huge = 10_000 * CHUNK
        self.assertIsNot(landmarks.places(2, huge), landmarks.places(2, huge))
        landmarks.forget()
        self.assertEqual(landmarks.cost, 0)


class LinearTests(EngineCase):
    """
    The work of reading a large message in pieces, in chunks that are read and bytes that are decoded.
    """

    def setUp(self) -> None:
        """
        Count decoding.
        """
        self.decoded = 0
        decode = binascii.a2b_base64

        def counting(data: bytes) -> bytes:
            self.decoded += len(data)
            return decode(data)

        self.patch(binascii, "a2b_base64", counting)

    def _store(self, message: bytes, **limits: int) -> tuple[Store, int]:
        store = self.open(limits=EngineLimits(**limits))
        self.now(store.createFolder(SYSTEM, _A))
        self.append(store, SYSTEM, _A, message)
        self.decoded = self.read = 0

        def trace(statement: str) -> None:
            self.read += "FROM chunks" in statement

        store._database._read.set_trace_callback(trace)
        return store, self.now(store.status(SYSTEM, _A)).folder

    def _fetch(self, store: Store, folder: int, section: Section) -> bytes:
        """
        A section, as a front end gets it.
        """
        opened = self.now(store.openFolder(SYSTEM, _A, False))
        (batch,) = self.all(store.fetch(SYSTEM, folder, opened.uids, FetchSpec(sections=(section,))))
        ((value,),) = batch.sections
        if isinstance(value, bytes):
            return value
        if section.size_only:
            return b"%d" % (value or 0)
        found = b"".join(self.all(store.readSection(SYSTEM, folder, 1, section)))
        self.assertEqual(len(found), value)
        return found

    def _inPieces(self, kind: SectionKind, message: bytes, part: tuple[int, ...], whole: bytes) -> int:
        """
        Read all of a section in pieces, from the front and from the back.

        @return: how many pieces.
        """
        size = 100 * _KIB
        pieces = -(-len(whole) // size)
        for order in (range(pieces), reversed(range(pieces))):
            store, folder = self._store(message)
            for at in order:
                section = Section(kind, part, partial=(at * size, size))
                found = self._fetch(store, folder, section)
                self.assertEqual(found, whole[at * size : (at + 1) * size])
            # Of each piece: what it is in, and its header, for how much it is and for itself.
            self.assertLess(self.read, 3 * len(message) // CHUNK + 8 * pieces)
        return pieces

    def test_bareLines(self) -> None:
        """
        Of a message that is not as it is served, a piece takes no more than one of any other.
        """
        message = b"Subject: x\n\n" + b"0123456789012345678\n" * (200 * _KIB)
        self._inPieces(SectionKind.ALL, message, (), message.replace(b"\n", b"\r\n"))

    def test_binaryLines(self) -> None:
        """
        So it is with what came in no lines at all.
        """
        body = bytes(random.Random(3).choices(b"\0\r\nabc", k=4 << 20))
        message = b"Content-Type: x/y\r\nContent-Transfer-Encoding: binary\r\n\r\n" + body
        self._inPieces(SectionKind.BINARY, message, (1,), body)

    def test_encoded(self) -> None:
        """
        A part that is encoded is decoded once to be read at once, and in pieces little more.
        """
        body = random.Random(3).randbytes(3 << 20)
        for lines in (b"\r\n", b"\n"):
            encoded = base64.encodebytes(body).replace(b"\n", lines)
            header = (b"Content-Type: x/y", b"Content-Transfer-Encoding: base64", b"", b"")
            message = lines.join(header) + encoded
            store, folder = self._store(message)
            section = Section(SectionKind.BINARY, (1,))
            self.assertEqual(self._fetch(store, folder, section), body)
            # It is counted first, which does not decode it, but for what a small part would be.
            once = len(encoded) + 256 * _KIB
            self.assertLess(self.decoded, once)
            self.assertLess(self.read, 2 * len(message) // CHUNK + 10)
            self.decoded = self.read = 0
            sized = Section(SectionKind.BINARY, (1,), size_only=True)
            self.assertEqual(self._fetch(store, folder, sized), b"%d" % len(body))
            self.assertEqual((self.decoded, self.read <= 4), (0, True))
            pieces = self._inPieces(SectionKind.BINARY, message, (1,), body)
            self.assertLess(self.decoded, once + pieces * (STRIDE + 300 * _KIB))

    def test_notKept(self) -> None:
        """
        Where nothing may be kept the bytes are the same.
        """
        body = random.Random(3).randbytes(400 * _KIB)
        message = b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(body)
        store, folder = self._store(message, landmark_cache=0)
        for start in (0, 300 * _KIB, 150 * _KIB, 1 << 30):
            section = Section(SectionKind.BINARY, (1,), partial=(start, 70 * _KIB))
            self.assertEqual(self._fetch(store, folder, section), body[start : start + 70 * _KIB])
        self.assertEqual(store._landmarks.cost, 0)
