"""
A large message is brought in, copied and read through a real front end and a real store in two
processes, neither of which ever holds more than a small part of it.

C{MAILSTORE_LARGE} in the environment is the size of the message in MiB, such as 200.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pathlib
import re
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from tests.channels import describe
from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerTestCase

_MIB = 1 << 20

#: Bytes of the message, or a little less.
_SIZE = int(os.environ.get("MAILSTORE_LARGE", "24")) * _MIB

#: The long form, in which the attachment is text that is searched, which costs a second of indexing.
_IS_LONG = _SIZE > 64 * _MIB

#: Bytes that either process may grow by at any moment, whatever the size of the message.
_GROWTH = (64 if _IS_LONG else 20) * _MIB

#: Bytes of pages of the database that each of the store's two connections may keep.
_PAGE_CACHE = (16 if _IS_LONG else 1) * _MIB

#: Seconds between two looks at the processes.
_LOOK = 0.002

#: Bytes of the attachment in one block, and of the block as it is sent: lines of 57 bytes become lines of 78.
_RAW = 57 * 840
_BLOCK = 78 * 840

_HEAD = (
    b"From: ann@example.org\r\nSubject: large\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n'
    b"--=_b\r\nContent-Type: text/plain\r\n\r\nthe recording of the meeting\r\n"
    b"--=_b\r\nContent-Type: %b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
) % (b"text/csv" if _IS_LONG else b"application/octet-stream")
_TAIL = b"--=_b--\r\n"

_BLOCKS = (_SIZE - len(_HEAD) - len(_TAIL)) // _BLOCK
_LENGTH = len(_HEAD) + _BLOCKS * _BLOCK + len(_TAIL)
_LINES = _HEAD.count(b"\n") + _BLOCKS * 840 + _TAIL.count(b"\n")

#: The end of each block, so that only its beginning is to be made.
_FILLING = b"".join(b"%056d\n" % number for number in range(840))


def rawBlock(number: int) -> bytes:
    """
    A block of the attachment, which is like no other.
    """
    return b"%056d\n" % (number + 1_000_000) + _FILLING[57:]


def block(number: int) -> bytes:
    """
    The same as it is sent.
    """
    return base64.encodebytes(rawBlock(number)).replace(b"\n", b"\r\n")


def message() -> Iterator[bytes]:
    """
    The message, in pieces.
    """
    yield _HEAD
    yield from map(block, range(_BLOCKS))
    yield _TAIL


def anonymous(pid: int) -> int:
    """
    Bytes of memory of a process that stand for no file (C{RssAnon}, proc(5)).
    """
    found = re.search(r"^RssAnon:\s*(\d+) kB$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise AssertionError(f"there is no process {pid}")
    return int(found[1]) * 1024


class Growth:
    """
    Looks at processes all the time, in a thread.

    @ivar most: bytes that each has grown by at most.
    """

    def __init__(self, pids: tuple[int, ...]) -> None:
        self._pids = pids
        self._before = [anonymous(pid) for pid in pids]
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.most = [0] * len(pids)

    def _look(self) -> None:
        now = [anonymous(pid) - before for pid, before in zip(self._pids, self._before, strict=True)]
        self.most = [max(pair) for pair in zip(self.most, now, strict=True)]

    def _run(self) -> None:
        while not self._enough.wait(_LOOK):
            self._look()

    def __enter__(self) -> Growth:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.join()
        self._look()


class LargeTestsMixin:
    """
    One message of many MiB.

    @cvar kind: which of L{tests.channels.BETWEEN_PROCESSES}.
    @cvar thorough: do also what no kind of channel makes a difference to, which takes as long again.
    """

    kind = ""
    thorough = _IS_LONG
    timeout = 240

    def test_message(self: Any) -> None:
        """
        It is appended as a literal in pieces, copied, read as a whole and in partials, and removed, and every
        byte is right.  Both processes stay within the bound.
        """
        client, pids = self._start()
        self._tellsTheLimit(client)
        with Growth(pids) as growth:
            sent = self._append(client, b"\r\n", b"")
            client.command(b"SELECT INBOX")
            self.assertIn(b" OK", client.command(b"COPY 1 INBOX")[-1])
            self.assertEqual(self._read(client, b"FETCH 2 BODY[]"), (_LENGTH, sent))
            partials = [b"FETCH 1 BODY.PEEK[]<%d.%d>" % (at, _MIB) for at in range(0, _LENGTH, _MIB)]
            self.assertEqual(self._read(client, *partials), (_LENGTH, sent))
            self._remove(client)
            if self.thorough:
                self._more(client, sent)
        most = [round(each / _MIB, 1) for each in growth.most]
        self.assertLess(max(growth.most), _GROWTH, f"MiB grown by front end and store: {most}")

    def _more(self: Any, client: RawClient, sent: bytes) -> None:
        """
        It comes again, without CRs, announced in another way, into the pages that the first one has
        left; clients are sent the same as before, and it is found, decoded and removed.
        """
        self.assertEqual(self._append(client, b"\n", b"+"), sent)
        self.assertEqual(self._read(client, b"FETCH 1 BODY[]"), (_LENGTH, sent))
        self.assertEqual(client.command(b"SEARCH BODY recording")[0], b"* SEARCH 1\r\n")
        decoded = hashlib.sha256()
        for number in range(_BLOCKS):
            decoded.update(rawBlock(number))
        found = self._read(client, b"FETCH 1 BINARY.PEEK[2]")
        self.assertEqual(found, (_BLOCKS * _RAW, decoded.digest()))
        self._remove(client)

    def _start(self: Any) -> tuple[RawClient, tuple[int, int]]:
        """
        A server that takes the message and no larger one, and a client that has signed in.

        @return: the client, and the processes with the front end and the store.
        """
        config = self.directory() / "mailstore.toml"
        config.write_text(
            f'[store]\nurl = "{self.makeStore("alice")}"\n'
            f'[transport]\ndescription = "{describe(self, self.kind)}"\n'
            f"[limits.store]\nmax_message = {_LENGTH}\npage_cache = {_PAGE_CACHE}\n"
        )
        server = self.serve("--config", str(config))
        (store,) = server.children()
        client = RawClient(server.port, timeout=120.0)
        self.addCleanup(client.close)
        self.assertIn(b" OK", client.command(b"LOGIN alice password")[-1])
        return client, (server.pid, store)

    def _tellsTheLimit(self: Any, client: RawClient) -> None:
        """
        RFC 7889: what clients are told is what the store was told to take, and no more is taken.
        """
        self.assertIn(b" APPENDLIMIT=%d" % _LENGTH, client.command(b"CAPABILITY")[0])
        status = client.command(b"STATUS INBOX (APPENDLIMIT)")[0]
        self.assertEqual(status, b"* STATUS INBOX (APPENDLIMIT %d)\r\n" % _LENGTH)
        refused = client.command(b"APPEND INBOX {%d}" % (_LENGTH + 1))[-1]
        self.assertIn(b" NO [TOOBIG]", refused)

    def _append(self: Any, client: RawClient, end: bytes, plus: bytes) -> bytes:
        """
        Bring the message in.

        @param end: how its lines end.
        @return: the digest of what is to be read.
        """
        digest = hashlib.sha256()
        size = _LENGTH if end == b"\r\n" else _LENGTH - _LINES
        tag = client.begin(b"APPEND INBOX {%d%b}" % (size, plus))
        if not plus:
            self.assertTrue(client.response().startswith(b"+"))
        for piece in message():
            digest.update(piece)
            client.send(piece.replace(b"\r\n", end))
        client.send(b"\r\n")
        self.assertIn(b" OK [APPENDUID ", client.finish(tag)[-1])
        return digest.digest()

    def _read(self: Any, client: RawClient, *commands: bytes) -> tuple[int, bytes]:
        """
        What some commands bring, one literal each.

        @return: how many bytes, and their digest.
        """
        size, digest = 0, hashlib.sha256()
        for command in commands:
            tag = client.begin(command)
            before, _ = client.streamed(digest.update)
            size += int(before[before.rindex(b"{") + 1 : before.rindex(b"}")])
            self.assertIn(b" OK", client.finish(tag)[-1])
        return size, digest.digest()

    def _remove(self: Any, client: RawClient) -> None:
        """
        Expunge all that is there.
        """
        client.command(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        self.assertIn(b" OK", client.command(b"EXPUNGE")[-1])


class UnixTests(LargeTestsMixin, ServerTestCase):
    """
    Over a Unix socket.
    """

    kind = "unix"


class SharedMemoryTests(LargeTestsMixin, ServerTestCase):
    """
    Over shared memory.
    """

    kind = "shm"
    thorough = True
