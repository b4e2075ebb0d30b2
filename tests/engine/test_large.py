"""
Large messages come and go in pieces, in bounded memory.

C{MAILSTORE_LARGE} in the environment is the size of the messages in MiB, such as 200.
"""

from __future__ import annotations

import os
import tracemalloc

from mailstore.engine import EngineLimits
from mailstore.model import Criterion, NewMessage, SearchTerm, Section, UidSet, uint32s
from tests.engine.enginecase import EngineCase

_MIB = 1 << 20

#: Bytes of a message.
_SIZE = int(os.environ.get("MAILSTORE_LARGE", "24")) * _MIB

#: Bytes that objects may have more than before, at any moment, whatever the size of the message.
_GROWTH = 20 * _MIB

_HEADER = (
    b"From: ann@example.org\r\nSubject: large\r\nContent-Type: text/plain\r\n"
    b"Content-Transfer-Encoding: %b\r\n\r\n"
)


class LargeTests(EngineCase):
    """
    One message of many MiB.
    """

    def _through(self, head: bytes, line: bytes, word: str) -> None:
        """
        Bring a message in, find a word at its beginning, read it again, and remove it.
        """
        store = self.open(self.path(), EngineLimits(max_message=_SIZE + _MIB), renditions={})
        self.users(store, "alice")
        piece = line * (64 * 1024 // len(line))
        count = (_SIZE - len(head)) // len(piece)
        size = len(head) + count * len(piece)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        upload = self.now(store.upload("alice", "INBOX", size))
        self.now(upload.write(head))  # type: ignore[arg-type]
        for _ in range(count):
            self.now(upload.write(piece))  # type: ignore[arg-type]
        self.now(store.append("alice", "INBOX", (NewMessage(upload.token, ("\\Deleted",)),)))
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        found = self.all(store.search("alice", folder, SearchTerm(Criterion.BODY, text=word)))
        self.assertEqual([uid for batch in found for uid in uint32s(batch)], [1])

        async def read() -> tuple[int, bytes]:
            length, last = 0, b""
            async for each in store.readSection("alice", folder, 1, Section()):
                length, last = length + len(each), each
            return length, last

        length, last = self.now(read())
        self.assertEqual(length, size)
        self.assertTrue(last.endswith(line[-20:]))
        self.assertEqual(self.now(store.expunge("alice", folder, None)), UidSet(((1, 1),)))
        peak = tracemalloc.get_traced_memory()[1] - before
        self.assertLess(peak, _GROWTH, f"{peak / _MIB:.1f} MiB more")

    def test_plain(self) -> None:
        """
        Plain text.
        """
        self._through(_HEADER % b"7bit", b"the quick brown fox jumps over the lazy dog\r\n", "brown fox")

    def test_base64(self) -> None:
        """
        Text in base64, which is decoded to be searched.
        """
        line = b"dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZyAu\r\n"
        self._through(_HEADER % b"base64", line, "brown fox")
