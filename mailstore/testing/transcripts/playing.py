"""
Playing a script against a server.

Nothing here waits without end: each answer must come within C{patience} seconds and the whole script
must be over within C{deadline}, by the clock that is handed in.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import Any, NoReturn, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from mailstore.channelbindings import channelBindings
from mailstore.starttls import startTls
from mailstore.testing.transcripts.header import SignIn
from mailstore.testing.transcripts.responses import Response, ResponseTooLong, Splitter
from mailstore.testing.transcripts.script import (
    Close,
    Closed,
    Deaf,
    Deflate,
    Expect,
    ExpectAll,
    Hear,
    Inflate,
    Script,
    Send,
    StartTls,
    Step,
)

_Result = TypeVar("_Result")

#: Seconds within which an answer must come.
PATIENCE = 15.0

#: Seconds within which a script must be over.
DEADLINE = 50.0

#: Bytes that one response may have.
MAX_RESPONSE = 128 << 20

#: Lines of a session that a failure shows, and characters of each.
_SHOWN, _WIDTH = 12, 300


class TranscriptFailed(AssertionError):
    """
    The server did not do what the script says; the message says where, and what it did.
    """


class NotOffered(Exception):
    """
    The server does not announce a capability that the script requires.
    """


async def play(
    script: Script,
    endpoint: IStreamClientEndpoint,
    clock: IReactorTime,
    patience: float = PATIENCE,
    deadline: float = DEADLINE,
) -> None:
    """
    Hold a conversation.  What L{prepare<mailstore.testing.transcripts.prepare>} would make must be there.

    @param endpoint: the server; each session is a connection of its own.
    @param clock: what the two times go by.
    @param patience: seconds within which each answer must come.
    @param deadline: seconds within which it must be over.
    @raise TranscriptFailed:
    @raise NotOffered:
    """
    conversation = _Conversation(script, endpoint, clock, patience, clock.seconds() + deadline)
    try:
        await conversation.hold()
    finally:
        conversation.end()


class _TooLate(Exception):
    """
    Something did not happen in time.
    """


class _Peer(Protocol):
    """
    The client's end of a session.

    @ivar log: what was said last, for people.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.log: deque[str] = deque(maxlen=_SHOWN)
        self.greeted = False
        #: Whether one side was asked to hang up.
        self.ended = False
        self.lost = False
        self.overflow = False
        self._splitter = Splitter(MAX_RESPONSE)
        self._responses: deque[Response] = deque()
        self._waiting: Deferred[None] | None = None
        self._deflater: Any = None
        self._inflater: Any = None

    def dataReceived(self, data: bytes) -> None:
        try:
            if self._inflater is not None:
                data = self._inflater.decompress(data, 2 * MAX_RESPONSE)
            self._responses.extend(self._splitter.receive(data))
        except (ResponseTooLong, zlib.error):
            self.overflow = True
            self.abort()
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def abort(self) -> None:
        """
        Hang up at once.  Idempotent.
        """
        transport: Any = self.transport
        if transport is not None and not self.lost:
            transport.abortConnection()

    def say(self, data: bytes) -> None:
        """
        Send bytes.
        """
        transport: Any = self.transport
        if self._deflater is None:
            transport.write(data)
        else:
            transport.write(self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH))
        for line in data.removesuffix(b"\r\n").split(b"\r\n"):
            self.log.append(f"C: {_shown(line)}")

    def deflate(self) -> None:
        """
        Compress from now on, both ways.
        """
        self.log.append("C: (DEFLATE)")
        self._deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)

    def inflate(self) -> None:
        """
        Compress no more, neither way.
        """
        self.log.append("C: (no DEFLATE)")
        self._deflater = self._inflater = None

    def take(self) -> Response | None:
        """
        The next response, if it is there.
        """
        if not self._responses:
            return None
        response = self._responses.popleft()
        self.log.append(f"S: {_shown(response.whole)}")
        return response

    def look(self) -> Response | None:
        """
        The next response, which is left there.
        """
        return self._responses[0] if self._responses else None

    @property
    def rest(self) -> bytes:
        """
        What came and is no response.
        """
        return self._splitter.rest

    def changed(self) -> Deferred[None]:
        """
        Fires when something has come, or the connection is gone.
        """
        waiting: Deferred[None] = Deferred(self._cancelled)
        self._waiting = waiting
        return waiting

    def _cancelled(self, waiting: Deferred[None]) -> None:
        self._waiting = None


class _Conversation:
    """
    One playing of a script.
    """

    def __init__(
        self,
        script: Script,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        patience: float,
        end: float,
    ) -> None:
        self._script = script
        self._endpoint = endpoint
        self._clock = clock
        self._patience = patience
        self._end = end
        self._peers: dict[str, _Peer] = {}
        self._values: dict[str, bytes] = {}
        #: What goes out with the next line that is no C{C:}.
        self._unsent: dict[str, list[bytes]] = {}

    async def hold(self) -> None:
        """
        From the first connection to the last.
        """
        script = self._script
        for name, sign_in in script.header.sessions.items():
            await self._signIn(name, sign_in)
        await self._require()
        for step in script.steps:
            if not isinstance(step, Send) or step.session not in self._unsent:
                self._flush()
            await self._do(step)
        self._flush()
        for peer in tuple(self._peers.values()):
            await self._logOut(peer)

    def end(self) -> None:
        """
        Hang up everywhere.
        """
        for peer in self._peers.values():
            peer.abort()

    # --- before and after ----------------------------------------------------------

    async def _signIn(self, name: str, sign_in: SignIn) -> None:
        step = Step(0, name, f"sign-in of {sign_in.user}")
        peer = await self._peer(step)
        await self._greeting(peer, step)
        password = self._script.header.users[sign_in.user]
        peer.say(b"in LOGIN %s %s\r\n" % (_quoted(sign_in.user), _quoted(password)))
        await self._done(peer, step, b"in OK")
        if sign_in.folder:
            peer.say(b"in SELECT %s\r\n" % _quoted(sign_in.folder))
            await self._done(peer, step, b"in OK")

    async def _done(self, peer: _Peer, step: Step, wanted: bytes) -> None:
        """
        Pass over what comes before a tagged reply, which must be this.
        """
        while True:
            response = await self._response(peer, step, f"{wanted.decode()} ...")
            if response.text.startswith(wanted):
                return
            if not response.text.startswith(b"* "):
                self._fail(step, peer, f"{wanted.decode()} ...", _shown(response.whole))

    async def _require(self) -> None:
        wanted = self._script.header.requires
        if not wanted:
            return
        step = Step(0, next(iter(self._script.header.sessions), ""), "Require: " + " ".join(wanted))
        peer = self._peers.get(step.session)
        probe = peer is None
        if peer is None:
            peer = await self._peer(step)
            await self._greeting(peer, step)
        peer.say(b"cap CAPABILITY\r\n")
        response = await self._response(peer, step, "* CAPABILITY ...")
        if not response.text.startswith(b"* CAPABILITY "):
            self._fail(step, peer, "* CAPABILITY ...", _shown(response.whole))
        names = response.text.decode("ascii", "replace").upper().split()
        # NAME=VALUE is also NAME.
        announced = {*names, *(each.partition("=")[0] for each in names)}
        response = await self._response(peer, step, "cap OK ...")
        if not response.text.startswith(b"cap OK"):
            self._fail(step, peer, "cap OK ...", _shown(response.whole))
        if probe:
            peer.abort()
            del self._peers[step.session]
        missing = [each for each in wanted if each.upper() not in announced]
        if missing:
            raise NotOffered(f"{self._script.name}: the server does not announce {' '.join(missing)}")

    async def _greeting(self, peer: _Peer, step: Step) -> None:
        response = await self._response(peer, step, "a greeting")
        peer.greeted = True
        if not response.text.startswith((b"* OK", b"* PREAUTH")):
            self._fail(step, peer, "a greeting", _shown(response.whole))

    async def _logOut(self, peer: _Peer) -> None:
        """
        Find what was said too much.
        """
        if peer.ended:
            return
        step = Step(self._script.steps[-1].line, peer.name, "the end of the script")
        if peer.lost:
            self._fail(step, peer, "an open connection", _left(peer) or "the server closed it")
        peer.say(b"end LOGOUT\r\n")
        for wanted in (b"* BYE", b"end OK"):
            response = await self._response(peer, step, f"{wanted.decode()} ...")
            if not response.text.startswith(wanted):
                self._fail(step, peer, "nothing more, and then " + wanted.decode(), _shown(response.whole))

    # --- steps -------------------------------------------------------------------

    async def _do(self, step: Step) -> None:
        peer = await self._peer(step)
        expects = isinstance(step, (Expect, ExpectAll, Closed))
        if not peer.greeted:
            if expects:
                peer.greeted = True
            else:
                await self._greeting(peer, step)
        if isinstance(step, Send):
            if peer.lost:
                self._fail(step, peer, "an open connection", _left(peer) or "the server closed it")
            self._unsent.setdefault(step.session, []).append(step.data.render(self._known(step.session)))
        elif isinstance(step, Expect):
            await self._expect(peer, step)
        elif isinstance(step, ExpectAll):
            await self._expectAll(peer, step)
        elif isinstance(step, Closed):
            await self._expectClosed(peer, step)
        elif isinstance(step, Close):
            peer.ended = True
            transport: Any = peer.transport
            transport.loseConnection()
        elif isinstance(step, Deflate):
            peer.deflate()
        elif isinstance(step, Inflate):
            peer.inflate()
        elif isinstance(step, (Deaf, Hear)):
            transport = peer.transport
            if isinstance(step, Deaf):
                transport.pauseProducing()
            else:
                transport.resumeProducing()
        else:
            assert isinstance(step, StartTls), step
            await self._startTls(peer)

    def _known(self, session: str) -> dict[str, bytes]:
        """
        What was kept, and what a session's connection is known by, under names that nothing is kept under.
        """
        return self._values | channelBindings(self._peers[session].transport)

    async def _startTls(self, peer: _Peer) -> None:
        from twisted.internet.ssl import CertificateOptions

        peer.log.append("C: (TLS)")
        startTls(peer, CertificateOptions(), self._clock, client=True)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, {}
        for name, pieces in unsent.items():
            self._peers[name].say(b"".join(pieces))

    async def _expect(self, peer: _Peer, step: Expect) -> None:
        response = await self._response(peer, step, _wanted(step), leave=step.optional)
        kept = self._matches(step, response)
        if kept is not None:
            self._values |= kept
            if step.optional:
                peer.take()
        elif not step.optional:
            self._fail(step, peer, _wanted(step), _shown(response.whole))

    async def _expectAll(self, peer: _Peer, step: ExpectAll) -> None:
        left = list(step.responses)
        while left:
            wanted = "\n              ".join(_wanted(each) for each in left)
            response = await self._response(peer, left[0], wanted)
            for each in left:
                kept = self._matches(each, response)
                if kept is not None:
                    self._values |= kept
                    left.remove(each)
                    break
            else:
                self._fail(left[0], peer, wanted, _shown(response.whole))

    def _matches(self, step: Expect, response: Response) -> dict[str, bytes] | None:
        """
        @return: what is to be kept; C{None} if the response is another.
        """
        if not step.text.names - step.text.kept <= self._values.keys():
            # Something optional that did not come would have been kept.
            return None
        kept = step.text.match(response.text, self._known(step.session))
        if kept is None or len(response.literals) != len(step.literals):
            return None
        for wanted, literal in zip(step.literals, response.literals, strict=True):
            if wanted is None:
                continue
            more = wanted.match(literal, {**self._values, **kept})
            if more is None:
                return None
            kept |= more
        return kept

    async def _expectClosed(self, peer: _Peer, step: Closed) -> None:
        while not peer.lost and peer.look() is None:
            await self._changed(peer, step, "the connection closed")
        if peer.look() is not None or peer.rest:
            self._fail(step, peer, "the connection closed", _left(peer))
        peer.log.append("S: (closed)")
        peer.ended = True

    # --- connections -------------------------------------------------------------

    async def _peer(self, step: Step) -> _Peer:
        """
        The session's connection, made if there is none yet.
        """
        peer = self._peers.get(step.session)
        if peer is not None:
            return peer
        peer = self._peers[step.session] = _Peer(step.session)
        found = peer
        connecting = self._endpoint.connect(Factory.forProtocol(lambda: found))
        try:
            await self._within(connecting)
        except _TooLate:
            self._fail(step, peer, "a connection", "nothing in time")
        except TranscriptFailed:
            raise
        except Exception as error:
            self._fail(step, peer, "a connection", f"{type(error).__name__}: {error}")
        return peer

    async def _response(self, peer: _Peer, step: Step, wanted: str, leave: bool = False) -> Response:
        """
        The next response.

        @param leave: whether it stays the next.
        """
        while True:
            response = peer.look() if leave else peer.take()
            if response is not None:
                return response
            if peer.overflow:
                self._fail(step, peer, wanted, "no response: too long, or not compressed as it should be")
            if peer.lost:
                self._fail(step, peer, wanted, _left(peer) or "the server closed the connection")
            await self._changed(peer, step, wanted)

    async def _changed(self, peer: _Peer, step: Step, wanted: str) -> None:
        try:
            await self._within(peer.changed())
        except _TooLate:
            self._fail(step, peer, wanted, _left(peer) or "nothing in time")

    async def _within(self, work: Deferred[_Result]) -> _Result:
        """
        Wait for something as long as may be waited.
        """
        left = min(self._patience, self._end - self._clock.seconds())
        work.addTimeout(max(left, 0.0), self._clock)
        try:
            return await work
        except DeferredTimeout as error:
            raise _TooLate() from error

    # --- failures ----------------------------------------------------------------

    def _fail(self, step: Step, peer: _Peer, expected: str, got: str) -> NoReturn:
        place = f"{self._script.name}:{step.line}" if step.line else self._script.name
        session = f"session {peer.name}" if peer.name else "the session"
        lines = [
            f"{place}: {session}: {step.source}",
            f"    expected: {expected}",
            f"    got:      {got}",
            "    the last lines:",
            *(f"        {line}" for line in peer.log),
        ]
        raise TranscriptFailed("\n".join(lines))


def _wanted(step: Expect) -> str:
    """
    What a step expects, as it is written.
    """
    return step.source.partition("S")[2][2:] if not step.session else step.source.partition(" S")[2][2:]


def _left(peer: _Peer) -> str:
    """
    What has come and was not taken.
    """
    response = peer.look()
    if response is not None:
        return _shown(response.whole)
    return f"half a line: {_shown(peer.rest)}" if peer.rest else ""


def _shown(data: bytes) -> str:
    """
    Bytes for people.
    """
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n           ").rstrip("\n")
    text = "".join(char if char == "\n" or char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}... ({len(data)} bytes)"


def _quoted(text: str) -> bytes:
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


__all__ = ["DEADLINE", "PATIENCE", "NotOffered", "TranscriptFailed", "play"]
