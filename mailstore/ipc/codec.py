"""
Messages to frames and back.  Sans-IO.

A frame is what one channel message carries.  A message that is longer than
a frame may be travels as several, one right behind the other; only one
message is ever under way in a direction::

     0      1       2                6
    +------+-------+----------------+----------------------+
    | kind | flags | call, 32 bits  | a piece of the body  |
    +------+-------+----------------+----------------------+
                 bit 0 of flags: more pieces follow

All numbers big-endian.  Bodies are MessagePack, made and checked against types
by msgspec; nothing that can name code (pickle, marshal) is ever read.

Measured (CPython 3.11, msgspec 0.22, cbor2 6.3; microseconds to encode and to
decode into checked values, best of 7):

  - L{FetchBatch<mailstore.model.FetchBatch>} of 1,000 rows with flags, sizes
    and an envelope each: msgspec 27 and 47, cbor2 (which checks no types) 55
    and 63; as 1,000 rows in place of columns, msgspec 88 and 290.
  - L{FolderColumns<mailstore.model.FolderColumns>} of 1,000 rows: msgspec 14
    and 70, cbor2 74 and 133.
"""

from __future__ import annotations

import struct
from typing import Any, Final, Generic, TypeVar

import attrs
import msgspec

from mailstore.ipc.messages import Asked, Changed, Control, Failed, Hello, Kind, Welcome
from transports.limits import HEADER_SIZE, Limits

_HEADER: Final = struct.Struct(">BBI")
_MORE: Final = 1

#: Bytes of a channel message that the queue must at least be able to carry.
MIN_MESSAGE: Final = 32

#: Bytes of the first message in each direction, before anything is agreed.
MAX_GREETING: Final = 1024

T = TypeVar("T")

_KINDS: Final = {int(each): each for each in Kind}
_encode = msgspec.msgpack.Encoder().encode


class CodecError(Exception):
    """
    The peer sent what the protocol does not allow.  The text says what, and
    repeats nothing of what was sent.
    """


class CannotEncode(Exception):
    """
    A value of our own that no message can carry: a number beyond 64 bits, or
    text that is no Unicode.
    """


class QueueTooSmall(ValueError):
    """
    The queue of a transport cannot carry even the shortest messages.
    """


@attrs.define
class Message:
    """
    One whole message; not to be changed.
    """

    kind: Kind
    call: int
    body: bytes


def encode(value: object) -> bytes:
    """
    The body that carries a value.

    @raise CannotEncode:
    """
    try:
        return _encode(value)
    except (OverflowError, ValueError, RecursionError) as error:
        raise CannotEncode("a value that no message can carry") from error


class Decoder(Generic[T]):
    """
    Bodies back to values of one type.

    @param type_: the type, as msgspec understands it.
    """

    def __init__(self, type_: Any) -> None:
        self._decode = msgspec.msgpack.Decoder(type_).decode
        self._name = getattr(type_, "__name__", str(type_))

    def __call__(self, body: bytes) -> T:
        """
        @raise CodecError: the bytes are no value of the type.
        """
        try:
            value: T = self._decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError, MemoryError) as error:
            raise CodecError(f"a body that is no {self._name}") from error
        return value


decodeHello: Final[Decoder[Hello]] = Decoder(Hello)
decodeWelcome: Final[Decoder[Welcome]] = Decoder(Welcome)
decodeAsked: Final[Decoder[Asked]] = Decoder(Asked)
decodeControl: Final[Decoder[Control]] = Decoder(Control)
decodeFailed: Final[Decoder[Failed]] = Decoder(Failed)
decodeChanged: Final[Decoder[Changed]] = Decoder(Changed)


def pieceSize(limits: Limits) -> int:
    """
    Bytes of body that one frame carries through a queue: a quarter of the queue
    at most, so that a long message does not hold up all others, and never
    less than the shortest frame needs.

    @raise QueueTooSmall: the queue cannot carry L{MIN_MESSAGE} bytes.
    """
    if limits.max_message < MIN_MESSAGE:
        raise QueueTooSmall(
            f"a queue of {limits.capacity} blocks of {limits.block_size} bytes is too small:"
            f" it must hold {MIN_MESSAGE + HEADER_SIZE} bytes at least"
        )
    blocks = max(1, limits.capacity // 4, limits.blocksFor(MIN_MESSAGE))
    return blocks * limits.block_size - HEADER_SIZE - _HEADER.size


def onlyFrame(message: Message) -> bytes:
    """
    The frame of a message that fits into one.
    """
    return _HEADER.pack(message.kind, 0, message.call) + message.body


class Fragments:
    """
    A message on its way out, frame by frame.

    @ivar started: the first frame has left.
    @ivar done: the last frame has left.
    """

    def __init__(self, message: Message, piece: int) -> None:
        self._message = message
        self._piece = piece
        self._sent = 0
        self.started = False
        self.done = False

    def frame(self) -> bytes:
        """
        The next frame; the same again until L{advance}.
        """
        message = self._message
        end = self._sent + self._piece
        more = _MORE if end < len(message.body) else 0
        return _HEADER.pack(message.kind, more, message.call) + message.body[self._sent : end]

    def advance(self) -> None:
        """
        The frame has left.
        """
        self.started = True
        self._sent += self._piece
        self.done = self._sent >= len(self._message.body)


class Assembler:
    """
    Frames of one direction, put together to messages.

    @ivar bound: bytes that a message's body may have.
    """

    def __init__(self, bound: int = MAX_GREETING) -> None:
        self.bound = bound
        self._head: tuple[int, int] | None = None
        self._pieces = bytearray()

    @property
    def held(self) -> int:
        """
        Bytes of an incomplete message held here.
        """
        return len(self._pieces)

    def feed(self, frame: bytes) -> Message | None:
        """
        Take a frame; give the message it completes, if it does.

        @raise CodecError: this is no frame, or not the one that must come now.
        """
        if len(frame) < _HEADER.size:
            raise CodecError("a frame without a whole header")
        kind, flags, call = _HEADER.unpack_from(frame)
        if kind not in _KINDS or flags & ~_MORE:
            raise CodecError("a frame of no known kind")
        if self._head is not None and self._head != (kind, call):
            raise CodecError("a frame in the middle of another message")
        length = len(frame) - _HEADER.size
        if len(self._pieces) + length > self.bound:
            raise CodecError("a message longer than agreed")
        if flags & _MORE:
            if not length:
                raise CodecError("a piece of a message without anything in it")
            self._head = (kind, call)
            self._pieces += memoryview(frame)[_HEADER.size :]
            return None
        if self._head is None:
            return Message(_KINDS[kind], call, frame[_HEADER.size :])
        self._pieces += memoryview(frame)[_HEADER.size :]
        whole = Message(_KINDS[kind], call, bytes(self._pieces))
        self._head = None
        self._pieces = bytearray()
        return whole
