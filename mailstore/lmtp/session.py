"""
The transaction: one client, from its greeting to its end.

::

    START --LHLO--> READY --MAIL--> MAIL --RCPT--> RCPT --DATA--> the message --> READY
                      ^______________|______________|  RSET, LHLO
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from twisted.logger import Logger

from mailstore.errors import MessageTooBig, OverQuota, StoreError, fromCode
from mailstore.interfaces import IUpload
from mailstore.lmtp import commands, trace
from mailstore.lmtp.commands import Envelope, Path, SyntaxFault
from mailstore.lmtp.courier import Courier
from mailstore.lmtp.lines import Found, Framer
from mailstore.lmtp.replies import BUG, SYSTEM_FULL, Reply, refusal
from mailstore.model import Recipient

_OK = Reply(250, "2.0.0", "OK")
_NO_TRANSACTION = Reply(503, "5.5.1", "Say MAIL first")
_NO_RECIPIENT = Reply(503, "5.5.1", "Say RCPT first: there is nobody to deliver to")
_BARE = Reply(554, "5.6.0", "The message has a CR or LF on its own, which is refused")

#: Commands that a client may have run before others get a turn.
_TURN = 32


class SessionOver(Exception):
    """
    The session ends.

    @ivar reply: the last word; C{None} when there is nobody to hear it.
    """

    def __init__(self, reply: Reply | None = None) -> None:
        super().__init__(reply)
        self.reply = reply


class ILink(Protocol):
    """
    What a session needs of its connection.
    """

    #: The network address of the client; C{""} for this machine's own sockets.
    peer: str

    def write(self, data: bytes) -> Awaitable[None]:
        """
        Hand bytes to the client; done when it can take more.  At its end, or when the client does not read
        for too long, it raises L{SessionOver}.
        """

    def more(self, seconds: float) -> Awaitable[bool]:
        """
        Wait until bytes came.  At the client's end it raises L{SessionOver}.

        @return: they did, within C{seconds}.
        """

    def breathe(self) -> Awaitable[None]:
        """
        Let others have a turn.
        """


class Message:
    """
    A message on its way: here while it is short, in the store when it is not.
    """

    def __init__(self, courier: Courier, head: bytes) -> None:
        self._courier = courier
        self._pieces = [head]
        self._held = len(head)
        self._added = len(head)
        self._upload: IUpload | None = None
        self.size = 0
        #: Why it is not going to be delivered to anybody.
        self.failed: Reply | None = None

    async def add(self, data: bytes) -> None:
        """
        Take a piece, or throw it away if it is in vain.
        """
        self.size += len(data)
        limits = self._courier.limits
        if self.failed is None and self.size > limits.max_message:
            self.fail(refusal(MessageTooBig(f"a message can have at most {limits.max_message} bytes")))
        if self.failed is not None:
            return
        self._pieces.append(data)
        self._held += len(data)
        if self._held > limits.max_inline:
            try:
                await self._moveOn()
            except OverQuota:
                self.fail(SYSTEM_FULL)
            except StoreError as error:
                self.fail(refusal(error))

    async def _moveOn(self) -> None:
        if self._upload is None:
            self._upload = await self._courier.store.receive(self._added + self._courier.limits.max_message)
        data, self._pieces, self._held = b"".join(self._pieces), [], 0
        await self._upload.write(data)

    async def content(self) -> bytes | int:
        """
        What the store is told to deliver.

        @raise StoreError: the rest cannot be handed in.
        """
        if self._upload is None:
            return b"".join(self._pieces)
        if self._pieces:
            await self._moveOn()
        return self._upload.token

    def fail(self, reply: Reply) -> None:
        """
        It is not going to be delivered.
        """
        self.failed = reply
        self.discard()

    def discard(self) -> None:
        """
        Give back what holds it, if it has not been delivered.
        """
        self._pieces = []
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.discard()


class Session:
    """
    One client.
    """

    log = Logger()

    def __init__(self, courier: Courier, link: ILink) -> None:
        self.framer = Framer(courier.limits.max_line)
        #: The server stops: the client is told so before its next command.
        self.leaving = False
        self._courier = courier
        self._link = link
        self._greeter = ""
        self._envelope: Envelope | None = None
        self._recipients: list[tuple[Path, Recipient]] = []
        self._bad = 0
        self._commands: dict[str, Callable[[str], Awaitable[Reply | None]]] = {
            "LHLO": self._lhlo,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "VRFY": self._vrfy,
            "QUIT": self._quit,
        }

    async def run(self) -> None:
        """
        Greet, and carry out commands until the session is over.  Never fails.
        """
        last: Reply | None = None
        admitted = self._courier.admit()
        try:
            if not admitted:
                raise SessionOver(Reply(421, "4.3.2", "Too many connections, try again later"))
            await self._say(Reply(220, "", f"{self._courier.host} LMTP mailstore"))
            while True:
                for _ in range(_TURN):
                    await self._one()
                await self._link.breathe()
        except SessionOver as over:
            last = over.reply
        except Exception:
            self.log.failure("a session failed")
            last = Reply(421, "4.3.0", BUG.text)
        finally:
            if admitted:
                self._courier.release()
        if last is not None:
            try:
                await self._say(last)
            except SessionOver:
                pass

    async def _say(self, *replies: Reply) -> None:
        await self._link.write(b"".join(each.render() for each in replies))

    async def _wait(self) -> None:
        self._leaveIfAsked()
        if not await self._link.more(self._courier.limits.idle_timeout):
            raise SessionOver(Reply(421, "4.4.2", "Nothing came for too long"))
        self._leaveIfAsked()

    async def _one(self) -> None:
        """
        One command, to its reply.
        """
        while (line := self.framer.line()) is Found.NOTHING:
            await self._wait()
        self._leaveIfAsked()
        try:
            if isinstance(line, Found):
                raise SyntaxFault("The line is too long", 500, "5.5.2")
            name, rest = commands.split(line)
            handler = self._commands.get(name)
            if handler is None:
                raise SyntaxFault("There is no such command", 500, "5.5.1")
            reply = await handler(rest)
        except SyntaxFault as fault:
            reply = Reply(fault.code, fault.status, str(fault))
        if reply is None:
            return
        if reply.code in (500, 501, 503, 555):
            self._bad += 1
            if self._bad >= self._courier.limits.max_bad_commands:
                await self._say(reply)
                raise SessionOver(Reply(421, "4.7.0", "Too many bad commands"))
        await self._say(reply)

    def _leaveIfAsked(self) -> None:
        if self.leaving:
            raise SessionOver(Reply(421, "4.3.2", "The server is shutting down"))

    def _reset(self) -> None:
        self._envelope = None
        self._recipients = []

    # --- commands ---------------------------------------------------------------

    async def _lhlo(self, rest: str) -> Reply | None:
        self._greeter = commands.greeter(rest)
        self._reset()
        words = (
            self._courier.host,
            "PIPELINING",
            f"SIZE {self._courier.limits.max_message}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
        )
        lines = [f"250-{each}\r\n" for each in words[:-1]] + [f"250 {words[-1]}\r\n"]
        await self._link.write("".join(lines).encode("ascii", "replace"))
        return None

    async def _mail(self, rest: str) -> Reply | None:
        if not self._greeter:
            return Reply(503, "5.5.1", "Say LHLO first")
        if self._envelope is not None:
            return Reply(503, "5.5.1", "There is a sender already")
        envelope = commands.mail(rest)
        if envelope.size > self._courier.limits.max_message:
            # RFC 1870 section 6.1.
            most = self._courier.limits.max_message
            return refusal(MessageTooBig(f"a message can have at most {most} bytes"))
        self._envelope = envelope
        return Reply(250, "2.1.0", "OK")

    async def _rcpt(self, rest: str) -> Reply | None:
        if self._envelope is None:
            return _NO_TRANSACTION
        path = commands.recipient(rest, self._envelope.utf8)
        if len(self._recipients) >= self._courier.limits.max_recipients:
            # RFC 5321 section 4.5.3.1.10.
            return Reply(452, "4.5.3", "Too many recipients: deliver to the others with another transaction")
        recipient = self._courier.addressing.recipient(path)
        try:
            await self._courier.store.offer(recipient, self._envelope.size)
        except StoreError as error:
            reply = refusal(error)
            self._courier.offered["deferred" if reply.code < 500 else "refused"] += 1
            return reply
        self._courier.offered["accepted"] += 1
        self._recipients.append((path, recipient))
        return Reply(250, "2.1.5", "OK")

    async def _data(self, rest: str) -> Reply | None:
        if rest:
            raise SyntaxFault("DATA has no arguments")
        if self._envelope is None:
            return _NO_TRANSACTION
        if not self._recipients:
            return _NO_RECIPIENT
        head = trace.fields(
            self._envelope,
            [path for path, _ in self._recipients],
            self._greeter,
            self._link.peer,
            self._courier.host,
            self._courier.wall_clock(),
        )
        await self._say(Reply(354, "", "Go on, and end with a line that has one dot only"))
        message = Message(self._courier, head)
        try:
            await self._receive(message)
            replies = await self._deliver(message, [recipient for _, recipient in self._recipients])
        finally:
            message.discard()
            self._reset()
        await self._say(*replies)
        return None

    async def _rset(self, rest: str) -> Reply | None:
        self._reset()
        return _OK

    async def _noop(self, rest: str) -> Reply | None:
        return _OK

    async def _vrfy(self, rest: str) -> Reply | None:
        # RFC 5321 section 7.3.
        return Reply(252, "2.5.0", "Nothing is said about users; RCPT tells")

    async def _quit(self, rest: str) -> Reply | None:
        raise SessionOver(Reply(221, "2.0.0", "Bye"))

    # --- the message ---------------------------------------------------------------

    async def _receive(self, message: Message) -> None:
        """
        Read a message to its end.
        """
        limits = self._courier.limits
        self.framer.beginMessage()
        while (piece := self.framer.piece()) is not Found.END:
            if isinstance(piece, Found):
                await self._wait()
                continue
            await message.add(piece)
            if message.size > limits.max_message + limits.max_discarded:
                raise SessionOver(Reply(421, "4.3.4", "The message does not end"))
        if self.framer.bare and message.failed is None:
            message.fail(_BARE)

    async def _deliver(self, message: Message, recipients: Sequence[Recipient]) -> list[Reply]:
        """
        Have a message delivered.

        @return: the replies, one for each recipient (RFC 2033 section 4.2).
        """
        seconds: float | None = None
        replies: list[Reply]
        if message.failed is not None:
            replies = [message.failed] * len(recipients)
        else:
            begun = self._courier.clock()
            try:
                content = await message.content()
                outcomes = await self._courier.store.deliver(tuple(recipients), content)
                replies = [
                    refusal(fromCode(each.code, each.text)) if each.code else _delivered(recipient)
                    for recipient, each in zip(recipients, outcomes, strict=True)
                ]
            except OverQuota:
                # Nobody's quota: those are told recipient by recipient.
                replies = [SYSTEM_FULL] * len(recipients)
            except StoreError as error:
                replies = [refusal(error)] * len(recipients)
            except Exception:
                self.log.failure("a delivery failed")
                replies = [BUG] * len(recipients)
            seconds = self._courier.clock() - begun
        self._courier.count((each.code for each in replies), seconds)
        return replies


def _delivered(recipient: Recipient) -> Reply:
    return Reply(250, "2.1.5", f"<{recipient.address}> delivered")
