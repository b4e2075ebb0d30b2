"""
Parts without their transfer encoding.
"""

from __future__ import annotations

import base64
import quopri

from mailstore.errors import InvalidRequest, UnknownEncoding
from mailstore.model import FetchSpec, Section, SectionKind, UidSet
from mailstore.testing.storecases.base import EVERY, StoreCase

_DATA = bytes(range(256)) * 40

_MESSAGE = (
    b'From: ann@example.org\r\nContent-Type: multipart/mixed; boundary="cut"\r\n\r\n'
    b"--cut\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(_DATA).replace(b"\n", b"\r\n")
) + (
    b"--cut\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\nGr=FC=C3=9Fe =\r\nyou\r\n=00=\r\n"
    b"\r\n--cut\r\nContent-Transfer-Encoding: 8bit\r\n\r\n=FC as it is"
    b"\r\n--cut\r\nContent-Transfer-Encoding: x-unheard-of\r\n\r\nsecret"
    b"\r\n--cut\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\naW5uZXI="
    b"\r\n--cut--\r\n"
)

_BINARY = SectionKind.BINARY


class BinaryTests(StoreCase):
    """
    Sections of the kind C{BINARY} (RFC 3516).
    """

    async def _binaryFolder(self, message: bytes = _MESSAGE) -> int:
        """
        A folder with one message.
        """
        await self.append("alice", "INBOX", message)
        return (await self.opened("alice", "INBOX")).folder

    async def test_binaryParts(self) -> None:
        """
        A part is decoded as its header says; the whole message and what has parts stand for themselves.
        """
        folder = await self._binaryFolder()
        inner = b"Content-Transfer-Encoding: base64\r\n\r\naW5uZXI="
        for part, expected in (
            ((), _MESSAGE),
            ((1,), _DATA),
            ((2,), b"Gr\xfc\xc3\x9fe you\r\n\0"),
            ((3,), b"=FC as it is"),
            ((5,), inner),
            ((5, 1), b"inner"),
            ((6,), None),
            ((1, 1), None),
        ):
            wanted = Section(_BINARY, part)
            size = Section(_BINARY, part, size_only=True)
            rows = await self.fetched("alice", folder, EVERY, FetchSpec(sections=(wanted, size)))
            value, length = rows[1].sections[0][0], rows[1].sections[1][0]
            if expected is None:
                self.assertEqual((value, length), (None, None))
                await self.refusedAnswer(InvalidRequest, self.store.readSection("alice", folder, 1, wanted))
                continue
            self.assertEqual(length, len(expected), repr(part))
            self.assertIn(value, (expected, len(expected)))
            self.assertEqual(isinstance(value, int), len(expected) > self.limits.inline_section)
            self.assertEqual(await self.content("alice", folder, 1, wanted), expected)

    async def test_binaryPartial(self) -> None:
        """
        A partial is of the decoded bytes; the size is of all of them.
        """
        folder = await self._binaryFolder()
        for start, count in ((0, 10), (250, 300), (9_000, 100_000), (len(_DATA), 5), (1 << 40, 1), (7, 0)):
            section = Section(_BINARY, (1,), partial=(start, count))
            size = Section(_BINARY, (1,), partial=(start, count), size_only=True)
            rows = await self.fetched("alice", folder, EVERY, FetchSpec(sections=(section, size)))
            expected = _DATA[start : start + count]
            self.assertEqual([column[0] for column in rows[1].sections], [expected, len(_DATA)])
            self.assertEqual(await self.content("alice", folder, 1, section), expected)

    async def test_binaryUnknown(self) -> None:
        """
        An encoding that is not known is an error of its own, in all ways to ask.
        """
        folder = await self._binaryFolder()
        for section in (Section(_BINARY, (4,)), Section(_BINARY, (4,), size_only=True)):
            spec = FetchSpec(sections=(section,))
            await self.refusedAnswer(UnknownEncoding, self.store.fetch("alice", folder, EVERY, spec))
        await self.refusedAnswer(
            UnknownEncoding, self.store.readSection("alice", folder, 1, Section(_BINARY, (4,)))
        )

    async def test_binaryLarge(self) -> None:
        """
        Many chunks are decoded piece by piece to what they are as a whole.
        """
        for data, name, encoded in (
            (_DATA * 60, b"base64", base64.encodebytes(_DATA * 60)),
            (b"a=b\r\n" * 60_000, b"quoted-printable", quopri.encodestring(b"a=b\n" * 60_000)),
        ):
            header = b"Content-Transfer-Encoding: " + name + b"\r\n\r\n"
            (uid,) = await self.append("alice", "INBOX", header + encoded)
            folder = (await self.opened("alice", "INBOX")).folder
            section = Section(_BINARY, (1,))
            rows = await self.fetched("alice", folder, UidSet(((uid, uid),)), FetchSpec(sections=(section,)))
            self.assertEqual(rows[uid].sections[0][0], len(data))
            self.assertEqual(await self.content("alice", folder, uid, section), data)

    async def test_binaryAsItCame(self) -> None:
        """
        A part in the encoding C{binary} is given as it came, with NUL and with LF that are no line ends, also
        when it is long, and when its neighbours or its header have bare LF; others as they are served.
        """
        data = bytes(range(256)) * 1_100 + b"\n\n\r\n\0\r" + b"\n" * 3
        message = (
            b"Content-Type: multipart/mixed; boundary=cut\n\n--cut\n\nfirst\nline\0\n"
            b"--cut\nContent-Transfer-Encoding: binary\n\n" + data + b"\r\n--cut\n"
            b"Content-Transfer-Encoding: binary\r\n\r\n\n\0\n\r\n--cut--\n"
        )
        folder = await self._binaryFolder(message)
        for part, expected in (((1,), b"first\r\nline\x80"), ((2,), data), ((3,), b"\n\0\n")):
            section = Section(_BINARY, part)
            size = Section(_BINARY, part, size_only=True)
            rows = await self.fetched("alice", folder, EVERY, FetchSpec(sections=(size,)))
            self.assertEqual(rows[1].sections[0][0], len(expected))
            self.assertEqual(await self.content("alice", folder, 1, section), expected)
            for start, count in ((0, 3), (2, 1_000), (len(expected) - 2, 10)):
                some = Section(_BINARY, part, partial=(start, count))
                found = await self.content("alice", folder, 1, some)
                self.assertEqual(found, expected[start : start + count])

    async def test_sizeOnly(self) -> None:
        """
        The size of any other section can be asked for too.
        """
        folder = await self._binaryFolder()
        sections = (Section(size_only=True), Section(SectionKind.HEADER, size_only=True))
        rows = await self.fetched("alice", folder, EVERY, FetchSpec(sections=sections))
        header = _MESSAGE.index(b"\r\n\r\n") + 4
        self.assertEqual([column[0] for column in rows[1].sections], [len(_MESSAGE), header])
