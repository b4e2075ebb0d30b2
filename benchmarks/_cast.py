"""
Who takes part in the transport benchmark.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks import _peers
from benchmarks._contestants import Channel, Contestant, startPeer
from benchmarks._floors import BareEvents, BareSocket, EventLoop, RawSocket, SocketLoop
from benchmarks._rivals import FasterFifo, Int32, ProcessQueue, Zmq
from transports.description import transportFor

#: Names of those whom gates are about.
RAW = "raw blocking AF_UNIX"
INT32 = "Int32StringReceiver"
QUEUE = "multiprocessing.Queue"
BARE_SOCKET = "reactor: recv, send"
BARE_EVENTS = "reactor: eventfd"

#: Those who never look for the next message before the reactor sleeps.
SHM_SLEEPS = "shm, spin=0"
UNIX_SLEEPS = "unix, spin=0"


class Cast:
    """
    All contestants, each with its other process.

    @ivar trips: those who make round trips.
    @ivar one_way: those who send one way, by the size of the messages.
    @ivar missing: sentences about who cannot take part.
    """

    def __init__(self, reactor: Any, directory: str, one_way_sizes: Iterable[int]) -> None:
        """
        @param directory: for sockets.
        """
        self.trips: list[Contestant] = []
        self.one_way: dict[int, list[Contestant]] = {size: [] for size in one_way_sizes}
        self.missing: list[str] = []
        self._reactor = reactor
        self._directory = directory
        self._everybody: list[Contestant] = []

    @property
    def pids(self) -> list[int]:
        """
        The other processes.
        """
        return [pid for each in self._everybody for pid in each.pids]

    def descriptions(self) -> Mapping[str, str]:
        """
        The transports between processes, by the names they have in the table.
        """
        place = f"{self._directory}/"
        found = {
            "shm": f"shm:{place}m",
            SHM_SLEEPS: f"shm:{place}ms:spin=0",
            "shm, portable": f"shm:{place}mp:portable=yes",
            "unix": f"unix:{place}u",
            UNIX_SLEEPS: f"unix:{place}us:spin=0",
            "tcp": "tcp:127.0.0.1:0",
        }
        if importlib.util.find_spec("cryptography") is not None:
            from tests.transports.certificates import certificates

            made = certificates()
            files = f"certificate={made.ours.path}:key={made.ours.key}:ca={made.authority.path}"
            found["tcp with TLS"] = f"tcp:127.0.0.1:0:{files}"
        return found

    async def start(self) -> None:
        """
        Start everybody.
        """
        reactor = self._reactor
        self._join(RawSocket(RAW, _peers.rawPeer))
        for size, contestants in self.one_way.items():
            sink = RawSocket(RAW, _peers.rawSinkPeer, size)
            self._everybody.append(sink)
            contestants.append(sink)
        self._join(SocketLoop("loop: epoll, recv, send", _peers.socketLoopPeer))
        self._join(EventLoop("loop: epoll, eventfd", _peers.eventLoopPeer))
        self._join(BareSocket(BARE_SOCKET, _peers.bareSocketPeer, reactor))
        self._join(BareEvents(BARE_EVENTS, _peers.bareEventPeer, reactor))
        int32 = Int32(INT32)
        await int32.open(reactor, f"{self._directory}/int32", _peers.int32Peer)
        self._join(int32)
        for name, description in self.descriptions().items():
            self._join(await self.openChannel(name, description), one_way=True)
        memory = Channel("memory (no other process)")
        await memory.open(transportFor("memory:", reactor), None, reactor)
        self._join(memory)
        self._join(ProcessQueue(QUEUE), trips=False, one_way=True)
        if importlib.util.find_spec("zmq") is None:
            self.missing.append("pyzmq is not installed")
        else:
            zmq = Zmq("pyzmq PAIR, blocking", f"{self._directory}/zmq", _peers.zmqPeer)
            self._join(zmq, one_way=True)
        if importlib.util.find_spec("faster_fifo") is None:
            self.missing.append("faster-fifo is not installed")
        else:
            self._join(FasterFifo("faster-fifo, blocking"), one_way=True)

    def _join(self, contestant: Contestant, trips: bool = True, one_way: bool = False) -> None:
        self._everybody.append(contestant)
        if trips:
            self.trips.append(contestant)
        if one_way:
            for contestants in self.one_way.values():
                contestants.append(contestant)

    async def openChannel(self, name: str, description: str) -> Channel:
        """
        A channel to a process that is started for it.
        """
        transport = transportFor(description, self._reactor)
        channel = Channel(name)

        def start() -> Any:
            # A port of 0 has become a real one by now.
            place = description.replace(":0", f":{getattr(transport, 'port', 0)}", 1)
            return startPeer(_peers.channelPeer, place)

        await channel.open(transport, start, self._reactor)
        return channel

    async def stop(self) -> None:
        """
        End everybody.
        """
        for each in self._everybody:
            await each.stop()
