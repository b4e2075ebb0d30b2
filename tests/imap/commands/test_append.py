"""
APPEND.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from mailstore.errors import OverQuota, StoreUnavailable
from mailstore.imap.commands import append
from mailstore.model import SYSTEM
from tests.imap.commands.messagecase import Client, MessageCase, plain

_MESSAGE = plain("new")


class AppendCase(MessageCase):
    """
    Counts what becomes of uploads.

    @ivar uploads: what was uploaded, each with the pieces written and whether it was discarded.
    """

    def setUp(self) -> None:
        super().setUp()
        self.uploads: list[_Watched] = []

        async def watched(method: Any, *arguments: Any) -> _Watched:
            self.uploads.append(_Watched(await method(*arguments)))
            return self.uploads[-1]

        self.store.instead["upload"] = watched

    def count(self, name: str, user: str = "alice") -> int:
        """
        How many messages a folder has.
        """
        return self.result(self.engine.status(user, name)).messages

    def validity(self, name: str) -> int:
        """
        A folder's UIDVALIDITY.
        """
        return self.result(self.engine.status("alice", name)).uid_validity


class _Watched:
    def __init__(self, upload: Any) -> None:
        self._upload = upload
        self.token = upload.token
        self.pieces: list[int] = []
        self.discarded = 0
        self.gate: Deferred[None] | None = None
        self.failure: Exception | None = None

    async def write(self, data: bytes) -> None:
        self.pieces.append(len(data))
        if self.gate is not None:
            await self.gate
        if self.failure is not None:
            raise self.failure
        await self._upload.write(data)

    def discard(self) -> None:
        self.discarded += 1
        self._upload.discard()


def _append(client: Client, head: str, message: bytes = _MESSAGE, end: bytes = b"\r\n") -> list[str]:
    """
    Append without waiting; the answer by lines.
    """
    client.say(b"T APPEND %b {%d+}\r\n%b%b" % (head.encode(), len(message), message, end))
    return [line.decode() for line in client.heard()]


class AppendTests(AppendCase):
    """
    Bringing one message.
    """

    def setUp(self) -> None:
        super().setUp()
        self.result(self.engine.createFolder("alice", "Sent"))
        self.code = f"APPENDUID {self.validity('INBOX')}"

    def test_synchronizing(self) -> None:
        """
        A client that waits is told to go on before it sends; the code says where the message went.
        """
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {%d}\r\n" % len(_MESSAGE))
        (go,) = client.heard()
        self.assertTrue(go.startswith(b"+ "))
        client.say(_MESSAGE + b"\r\n")
        self.assertEqual(client.heard(), [f"T OK [{self.code} 1] APPEND completed".encode()])
        client.command("EXAMINE INBOX")
        self.assertIn(_MESSAGE, client.raw("FETCH 1 BODY[]"))

    def test_nonSynchronizing(self) -> None:
        """
        A client that does not wait (RFC 7888) gets the tagged reply only.
        """
        client = self.client(folder="")
        self.assertEqual(_append(client, "INBOX"), [f"T OK [{self.code} 1] APPEND completed"])

    def test_flagsAndDate(self) -> None:
        """
        Flags and date are kept; what no client can set is left out.
        """
        client = self.client(folder="")
        head = 'INBOX (\\Seen \\Recent $Label \\Strange) "17-Jul-1996 02:44:25 -0700"'
        self.assertOk(_append(client, head))
        client.command("EXAMINE INBOX")
        self.assertEqual(
            client.command("FETCH 1 (FLAGS INTERNALDATE)")[0],
            '* 1 FETCH (FLAGS (\\Seen $Label \\Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700")',
        )

    def test_nameAsLiteral(self) -> None:
        """
        The folder's name can be a literal too, of either kind.
        """
        client = self.client(folder="")
        client.say(b"T APPEND {5}\r\n")
        self.assertTrue(client.heard()[0].startswith(b"+ "))
        client.say(b"INBOX (\\Seen) {%d+}\r\n%b\r\n" % (len(_MESSAGE), _MESSAGE))
        self.assertEqual(client.heard(), [f"T OK [{self.code} 1] APPEND completed".encode()])
        client.say(b"T APPEND {5+}\r\ninbox {%d+}\r\n%b\r\n" % (len(_MESSAGE), _MESSAGE))
        self.assertEqual(client.heard(), [f"T OK [{self.code} 2] APPEND completed".encode()])

    def test_nameMissing(self) -> None:
        """
        A name alone is no command, and neither is nothing.
        """
        client = self.client(folder="")
        for wrong in ("APPEND", "APPEND INBOX", "APPEND INBOX (\\Seen)", "APPEND INBOX text"):
            self.assertBad(client.command(wrong))
        client.say(b"T APPEND {5+}\r\nINBOX\r\n")
        self.assertTrue(client.heard()[-1].startswith(b"T BAD "))
        self.assertEqual(self.uploads, [])

    def test_openFolder(self) -> None:
        """
        A message for the open folder is announced before the tagged reply, to others at once.
        """
        client, other = self.client(), self.client()
        lines = _append(client, "inbox")
        self.assertEqual(lines[:2], ["* 1 EXISTS", "* 1 RECENT"])
        self.assertIn("* 1 EXISTS", other.command("NOOP"))

    def test_largeInPieces(self) -> None:
        """
        A large message goes to the store in pieces as they come, and is there as it was.
        """
        message = plain("large", "0123456789abcdef" * 64 * 1024 + "\r\n")
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {%d}\r\n" % len(message))
        client.heard()
        for at in range(0, len(message), 70_000):
            client.say(message[at : at + 70_000])
        self.assertEqual(sum(self.uploads[0].pieces), len(message))
        self.assertLessEqual(max(self.uploads[0].pieces), 65536)
        client.say(b"\r\n")
        self.assertOk([line.decode() for line in client.heard()])
        client.command("EXAMINE INBOX")
        self.assertIn(message, client.raw("FETCH 1 BODY.PEEK[]"))

    def test_storeIsSlow(self) -> None:
        """
        While the store has not taken a piece, the session takes no further one, and soon no
        more is read from the client.
        """
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {1000000}\r\n")
        client.heard()
        gate = self.uploads[0].gate = Deferred()
        for _ in range(6):
            client.say(b"x" * 50_000)
        self.assertEqual(len(self.uploads[0].pieces), 1)
        self.assertEqual(client.transport.producerState, "paused")
        self.uploads[0].gate = None
        gate.callback(None)
        self.assertEqual(sum(self.uploads[0].pieces), 300_000)
        self.assertEqual(client.transport.producerState, "producing")

    def test_pipelined(self) -> None:
        """
        Commands behind an APPEND wait for it, and are not taken for the message.
        """
        client = self.client(folder="")
        client.say(b"A APPEND INBOX {%d+}\r\n%b\r\nB NOOP\r\n" % (len(_MESSAGE), _MESSAGE))
        lines = client.heard()
        self.assertEqual([line[:4] for line in lines], [b"A OK", b"B OK"])

    def test_afterTheMessage(self) -> None:
        """
        What follows the message makes the command BAD, and nothing is stored.
        """
        client = self.client(folder="")
        lines = _append(client, "INBOX", end=b" x\r\n")
        self.assertTrue(lines[-1].startswith("T BAD "), lines)
        self.assertEqual(self.count("INBOX"), 0)
        self.assertTrue(self.uploads[0].discarded)

    def test_literal8(self) -> None:
        """
        A C{literal8} without NUL is a message as any other (RFC 3516 section 4.4); C{UTF8} needs ENABLE.
        """
        client = self.client(folder="")
        client.say(b"T APPEND INBOX ~{%d+}\r\n%b\r\n" % (len(_MESSAGE), _MESSAGE))
        self.assertTrue(client.heard()[-1].startswith(b"T OK "))
        self.uploads.clear()
        client.say(b"T APPEND INBOX UTF8 (~{%d+}\r\n%b)\r\n" % (len(_MESSAGE), _MESSAGE))
        self.assertTrue(client.heard()[-1].startswith(b"T BAD "))
        self.assertEqual(self.uploads, [])

    def test_nul(self) -> None:
        """
        A C{literal8} with NUL is kept as it came: BINARY gives it back so, with LF that are no line ends
        (RFC 3516 section 4.3); where no NUL can be, something stands for it.
        """
        client = self.client(folder="")
        data = b"\0\1\n\r\n\xff\0"
        head = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        client.say(b"T APPEND INBOX ~{%d+}\r\n%b%b\r\n" % (len(head + data), head, data))
        self.assertTrue(client.heard()[-1].startswith(b"T OK "))
        client.command("EXAMINE INBOX")
        self.assertIn(b"BINARY[1] ~{7}\r\n" + data + b")\r\n", client.raw("FETCH 1 BINARY.PEEK[1]"))
        self.assertIn(b"BINARY.SIZE[1] 7)", client.raw("FETCH 1 BINARY.SIZE[1]"))
        self.assertIn(b"BINARY[1]<5> ~{2}\r\n\xff\0)\r\n", client.raw("FETCH 1 BINARY.PEEK[1]<5.9>"))
        served = client.raw("FETCH 1 BODY.PEEK[1]")
        self.assertIn(b"BODY[1] {8}\r\n\x80\1\r\n\r\n\xff\x80)\r\n", served)


class AppendRefusalTests(AppendCase):
    """
    Messages that are not wanted, or do not arrive.
    """

    def both(self, client: Client, head: str, code: str, size: int = len(_MESSAGE)) -> None:
        """
        Both kinds of literal are refused with this code; the stream stays in step.
        """
        client.say(b"T APPEND %b {%d}\r\n" % (head.encode(), size))
        (line,) = client.heard()
        self.assertTrue(line.startswith(f"T NO [{code}] ".encode()), line)
        client.say(b"T APPEND %b {%d+}\r\n" % (head.encode(), size))
        client.say(b"T NOOP\r\n".ljust(size, b"\n") + b"\r\n")
        (line,) = client.heard()
        self.assertTrue(line.startswith(f"T NO [{code}] ".encode()), line)
        self.assertOk(client.command("NOOP"))

    def test_noFolder(self) -> None:
        """
        A folder that is not there yet is C{TRYCREATE}, before the message is sent.
        """
        self.both(self.client(folder=""), "Nowhere", "TRYCREATE")

    def test_notSelectable(self) -> None:
        """
        The root of the public folders holds no messages.
        """
        client = self.client(folder="")
        client.say(b'T APPEND "Public Folders" {10}\r\n')
        self.assertTrue(client.heard()[0].startswith(b"T NO "))

    def test_tooBig(self) -> None:
        """
        A message that is too big is refused before it is sent.
        """
        client = self.client(folder="")
        for size in (64 * 1024 * 1024 + 1, 1 << 62):
            client.say(b"T APPEND INBOX {%d}\r\n" % size)
            self.assertTrue(client.heard()[0].startswith(b"T NO [TOOBIG] "))
        self.assertOk(client.command("NOOP"))

    def test_noRight(self) -> None:
        """
        It needs the right C{i}.
        """
        name = self.public("Notes")
        self.both(self.client(folder=""), f'"{name}"', "NOPERM")

    def test_dropFolder(self) -> None:
        """
        Who may not read the folder is not told the UID (RFC 4315 section 3).
        """
        name = self.public("Drop", alice="li", authenticated="")
        self.assertEqual(_append(self.client(folder=""), f'"{name}"'), ["T OK APPEND completed"])
        self.assertEqual(self.count(name, SYSTEM), 1)

    def test_flagsWithoutRight(self) -> None:
        """
        Flags that the user has no right to set are left out (RFC 4314 section 4).
        """
        name = self.public("Notes", alice="lri", authenticated="")
        client = self.client(folder="")
        self.assertOk(_append(client, f'"{name}" (\\Seen \\Flagged)'))
        client.command(f'EXAMINE "{name}"')
        self.assertIn("FLAGS (\\Recent)", client.command("FETCH 1 FLAGS")[0])

    def test_empty(self) -> None:
        """
        An empty message is how a client gives up (RFC 3502 section 6.3.11).
        """
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {0}\r\n")
        self.assertTrue(client.heard()[0].startswith(b"T NO "))
        self.assertTrue(_append(client, "INBOX", b"")[0].startswith("T NO "))
        self.assertEqual(self.count("INBOX"), 0)

    def test_storeFailsInTheMiddle(self) -> None:
        """
        If the store cannot take a piece, the rest is read and thrown away, and the
        upload is given back.
        """
        client = self.client(folder="")
        for failure, code in ((StoreUnavailable("away"), b"UNAVAILABLE"), (OverQuota("full"), b"OVERQUOTA")):
            client.say(b"T APPEND INBOX {20}\r\n")
            client.heard()
            self.uploads[-1].failure = failure
            client.say(b"0123456789")
            client.say(b"T NOOP\r\n..\r\n")
            lines = client.heard()
            self.assertEqual(len(lines), 1, lines)
            self.assertTrue(lines[0].startswith(b"T NO [" + code + b"] "), lines)
            self.assertEqual(self.uploads[-1].discarded, 1)
            self.assertOk(client.command("NOOP"))

    def test_storeFailsAtTheEnd(self) -> None:
        """
        If the message cannot be stored in the end, the upload is given back.
        """

        async def full(method: Any, *arguments: Any) -> None:
            raise OverQuota("full")

        self.store.instead["append"] = full
        lines = _append(self.client(folder=""), "INBOX")
        self.assertNo(lines, "OVERQUOTA")
        self.assertEqual(self.uploads[0].discarded, 1)

    def test_clientLeaves(self) -> None:
        """
        If the client leaves in the middle, nothing is stored and the upload is given back.
        """
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {1000}\r\n")
        client.say(b"x" * 500)
        self.assertEqual(self.uploads[0].discarded, 0)
        client.disconnect()
        self.assertEqual(self.uploads[0].discarded, 1)
        self.assertEqual(self.count("INBOX"), 0)

    def test_clientLeavesWhileTheStoreIsSlow(self) -> None:
        """
        The same when the client leaves while the store is asked for room.
        """
        gate: Deferred[None] = Deferred()
        watched = self.store.instead["upload"]

        async def slow(method: Any, *arguments: Any) -> Any:
            upload = await watched(method, *arguments)
            await gate
            return upload

        self.store.instead["upload"] = slow
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {1000}\r\n")
        client.disconnect()
        gate.callback(None)
        self.assertEqual(self.uploads[0].discarded, 1)

    def test_clientIsSilent(self) -> None:
        """
        A client that announces a message and does not send it is cut off in time; the upload is given back.
        """
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {1000}\r\n")
        client.clock.advance(299)
        self.assertEqual(self.uploads[0].discarded, 0)
        client.clock.advance(2)
        self.assertEqual(self.uploads[0].discarded, 1)

    def test_folderDeletedMeanwhile(self) -> None:
        """
        If the folder goes while the message comes, the answer is C{TRYCREATE} and nothing is stored.
        """
        self.result(self.engine.createFolder("alice", "Old"))
        client = self.client(folder="")
        client.say(b"T APPEND Old {%d}\r\n" % len(_MESSAGE))
        client.heard()
        self.result(self.engine.deleteFolder("alice", "Old"))
        client.say(_MESSAGE + b"\r\n")
        self.assertNo([line.decode() for line in client.heard()], "TRYCREATE")
        self.assertEqual(self.uploads[0].discarded, 1)


class MultiAppendTests(AppendCase):
    """
    Several messages in one command (RFC 3502): all of them or none.
    """

    def test_several(self) -> None:
        """
        Each has its flags; the code names them all.
        """
        client = self.client(folder="")
        one, two = plain("one"), plain("two")
        client.say(
            b"T APPEND INBOX (\\Seen) {%d}\r\n" % len(one),
        )
        client.heard()
        client.say(one + b' (\\Draft) " 1-Jan-2024 00:00:00 +0000" {%d+}\r\n' % len(two) + two)
        client.say(b" {%d}\r\n" % len(one))
        self.assertTrue(client.heard()[0].startswith(b"+ "))
        client.say(one + b"\r\n")
        code = f"APPENDUID {self.validity('INBOX')} 1:3"
        self.assertEqual(client.heard(), [f"T OK [{code}] APPEND completed".encode()])
        client.command("EXAMINE INBOX")
        lines = client.command("FETCH 1:3 FLAGS")
        self.assertIn("(\\Seen \\Recent)", lines[0])
        self.assertIn("(\\Draft \\Recent)", lines[1])
        self.assertIn("(\\Recent)", lines[2])

    def test_given_up(self) -> None:
        """
        An empty message gives up all of them.
        """
        client = self.client(folder="")
        client.say(b"T APPEND INBOX {3+}\r\na\r\n {0}\r\n")
        self.assertTrue(client.heard()[-1].startswith(b"T NO "))
        self.assertEqual(self.count("INBOX"), 0)
        self.assertEqual(self.uploads[0].discarded, 1)

    def test_laterOneRefused(self) -> None:
        """
        If a later one is refused, none is stored, whichever kind of literal it was.
        """
        client = self.client(folder="")
        for announced in (b"{99999999}\r\n", b"(x {5+}\r\n12345\r\n", b"{0+}\r\n\r\n"):
            client.say(b"T APPEND INBOX {3+}\r\na\r\n " + announced)
            (line,) = client.heard()
            self.assertTrue(line.startswith((b"T NO ", b"T BAD ")), line)
            self.assertEqual(self.uploads[-1].discarded, 1)
            self.assertOk(client.command("NOOP"))
        self.assertEqual(self.count("INBOX"), 0)

    def test_tooMany(self) -> None:
        """
        There is a bound to how many one command can bring.
        """
        self.patch(append, "MAX_MESSAGES", 3)
        client = self.client(folder="")
        client.say(b"T APPEND INBOX" + b" {3+}\r\na\r\n" * 4 + b"\r\n")
        (line,) = client.heard()
        self.assertTrue(line.startswith(b"T NO [LIMIT] "), line)
        self.assertEqual([each.discarded for each in self.uploads], [1, 1, 1])
        client.say(b"T APPEND INBOX" + b" {3+}\r\na\r\n" * 3 + b"\r\n")
        (line,) = client.heard()
        self.assertTrue(line.endswith(b" 1:3] APPEND completed"), line)
