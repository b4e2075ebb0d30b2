"""
L{transports.description}.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

from twisted.internet.task import Clock
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

import transports.interfaces
from tests.transports import pigeon_plugin
from tests.transports.certificates import certificates
from tests.transports.pigeon_plugin import PigeonTransport, pigeon
from transports import description
from transports._schemes import OUR_SCHEMES
from transports.description import Description, parseDescription, transportFor
from transports.errors import BadDescription
from transports.interfaces import ITransport, ITransportScheme
from transports.limits import DEFAULT_BLOCK_SIZE, DEFAULT_BLOCKS, Limits
from transports.memory import MemoryTransport
from transports.sharedmemory import SharedMemoryTransport
from transports.sockets import SocketTransport, TcpTransport, UnixTransport


class DescriptionTests(SynchronousTestCase):
    """
    One line names a transport.
    """

    def transport(self, text: str) -> ITransport:
        """
        The transport of a description.
        """
        transport = transportFor(text, Clock())
        verifyObject(ITransport, transport)
        return transport

    def bad(self, text: str, *says: str) -> None:
        """
        The description is refused, and the error says certain things.
        """
        error = self.assertRaises(BadDescription, transportFor, text, Clock())
        for part in says:
            self.assertIn(part, str(error))

    def test_memory(self) -> None:
        """
        C{memory:} and C{memory:NAME}.
        """
        plain = self.transport("memory:")
        self.assertIsInstance(plain, MemoryTransport)
        self.assertEqual(plain.description, "memory:")
        self.assertEqual(plain.limits, Limits(DEFAULT_BLOCK_SIZE, DEFAULT_BLOCKS))
        self.assertFalse(plain.crosses_processes)
        named = self.transport("memory:store:blocks=4:block_size=128")
        self.assertEqual(named.description, "memory:store")
        self.assertEqual(named.limits, Limits(block_size=128, capacity=4))
        self.assertEqual(self.transport("memory:blocks=4").limits.capacity, 4)

    def test_unix(self) -> None:
        """
        C{unix:PATH}, with options.
        """
        transport = self.transport("unix:/run/mailstore/store:blocks=16:block_size=512")
        assert isinstance(transport, UnixTransport)
        self.assertEqual(transport.path, "/run/mailstore/store")
        self.assertEqual(transport.description, "unix:/run/mailstore/store")
        self.assertEqual(transport.limits, Limits(block_size=512, capacity=16))
        self.assertTrue(transport.crosses_processes)

    def test_escapes(self) -> None:
        """
        A backslash makes a colon, an equals sign or a backslash part of the path.
        """
        cases = {
            "unix:/a\\:b": "/a:b",
            "unix:/a=b": "/a=b",
            "unix:a\\=b": "a=b",
            "unix:/a\\\\b:blocks=3": "/a\\b",
            "unix:/mäil": "/mäil",
        }
        for text, path in cases.items():
            transport = self.transport(text)
            assert isinstance(transport, UnixTransport)
            self.assertEqual(transport.path, path)

    def test_parse(self) -> None:
        """
        Taking apart knows nothing of schemes.
        """
        self.assertEqual(parseDescription("memory:"), Description("memory", ("",), {}))
        self.assertEqual(parseDescription("a:b:c:d=e:f="), Description("a", ("b", "c"), {"d": "e", "f": ""}))
        self.assertEqual(parseDescription("a:d=e"), Description("a", ("",), {"d": "e"}))

    def test_noScheme(self) -> None:
        """
        What is no description is answered with what would be one.
        """
        for text in ("", "memory", "/run/store", ":", ":x"):
            self.bad(text, "memory:NAME", "unix:PATH")

    def test_unknownScheme(self) -> None:
        """
        An unknown scheme is named, with those there are.
        """
        self.bad("epoxy:x", "'epoxy'", "memory:NAME", "unix:PATH")

    def test_options(self) -> None:
        """
        Options are checked one by one.
        """
        self.bad("memory:x:block=4", "'block'", "blocks, block_size")
        self.bad("memory:x:blocks=4:blocks=5", "twice")
        self.bad("memory:x:blocks=4:y", "'y'")
        for value in ("", "x", "-1", "1.5", " 4", "٤", "4k", "99999999999"):
            self.bad(f"memory:x:blocks={value}", "blocks must be a whole number")
        self.bad("memory:x:blocks=0", "blocks must be a whole number from 1")
        self.bad("memory:x:block_size=16", "block_size must be a whole number from 32")

    def test_arguments(self) -> None:
        """
        Too many or impossible arguments are refused.
        """
        self.bad("memory:a:b", "one name")
        self.bad("unix:", "needs a path")
        self.bad("unix:blocks=4", "needs a path")
        self.bad("unix:/a:/b", "one path")
        self.bad("unix:/a\0b", "needs a path")
        self.bad("unix:/" + "x" * 200, "201 bytes")
        self.bad("unix:/" + "ä" * 60, "121 bytes")
        self.bad("unix:/a\\", "backslash")
        self.bad("unix:/\ud800", "no file can have such a name")

    def test_numbersHaveBounds(self) -> None:
        """
        A number out of its bounds is answered with them.
        """
        self.bad("memory:x:blocks=16777217", "blocks must be a whole number from 1 to 16777216")
        self.bad("tcp:127.0.0.1:65536", "the port must be a whole number from 0 to 65535, not '65536'")
        for value in ("", "-1", "0.5", "1001", "9999999999"):
            self.bad(f"unix:/a:spin={value}", "spin (microseconds) must be a whole number from 0 to 1000")

    def test_spin(self) -> None:
        """
        C{spin} is in microseconds, and known to all that cross processes.
        """
        for text in ("unix:/a:spin=50", "tcp:localhost:0:spin=50"):
            transport = self.transport(text)
            assert isinstance(transport, SocketTransport)
            self.assertEqual(transport.spin, 0.00005)
        self.bad("memory:x:spin=50", "no option 'spin'")

    def test_sharedMemory(self) -> None:
        """
        C{shm:PATH}, with options.
        """
        for text in (
            "shm:/run/mailstore/store:blocks=16384:block_size=256",
            "shm:/run/store:portable=yes:spin=20",
            "shm:/run/store:portable=no",
        ):
            transport = self.transport(text)
            self.assertIsInstance(transport, SharedMemoryTransport)
            self.assertTrue(transport.crosses_processes)
        self.assertEqual(self.transport("shm:/s:blocks=2:block_size=256").limits, Limits(256, 2))
        self.bad("shm:/s:portable=maybe", "portable must be yes or no, not 'maybe'")
        self.bad("shm:/s:spin=x", "shm: spin (microseconds)")
        self.bad("shm:", "shm:PATH")
        self.bad("shm:/a:/b", "one path")
        self.bad("shm:/s:key=x", "there are blocks, block_size, portable, spin")

    def test_tcp(self) -> None:
        """
        C{tcp:HOST:PORT} without TLS is for this machine alone.
        """
        for text, host, port in (
            ("tcp:127.0.0.1:9000", "127.0.0.1", 9000),
            ("tcp:127.8.1.7:1", "127.8.1.7", 1),
            ("tcp:localhost:0", "localhost", 0),
            ("tcp:\\:\\:1:65535", "::1", 65535),
        ):
            transport = self.transport(f"{text}:blocks=2")
            assert isinstance(transport, TcpTransport)
            self.assertEqual((transport.host, transport.port, transport.contexts), (host, port, None))
            self.assertEqual(transport.description, text)
            self.assertEqual(transport.limits.capacity, 2)
        for host in ("0.0.0.0", "192.0.2.1", "store.example", "localhost.example", "\\:\\:", "127.1"):
            self.bad(f"tcp:{host}:9000", "needs TLS", "certificate=FILE:key=FILE:ca=FILE", "localhost")

    def test_tcpArguments(self) -> None:
        """
        What is missing or too much is named.
        """
        for text in ("tcp:", "tcp:localhost", "tcp::9000", "tcp:blocks=4"):
            self.bad(text, "tcp:HOST:PORT")
        self.bad("tcp:::1:9000", "IPv6", "\\:")
        self.bad("tcp:localhost:imap", "the port must be a whole number", "'imap'")
        for host in ("a b", "-x", "x..y", "mäil.example", "x/y", "x" * 300):
            self.bad(f"tcp:{host}:1", "neither the name of a host nor an address")

    def test_tls(self) -> None:
        """
        The TLS options go together, and say whose certificate is expected.
        """
        made = certificates()
        files = {"certificate": made.ours.path, "key": made.ours.key, "ca": made.authority.path}
        options = "".join(f":{name}={path}" for name, path in files.items())
        transport = self.transport(f"tcp:store.example:9000{options}:peer=front.example")
        assert isinstance(transport, TcpTransport) and transport.contexts is not None
        self.assertEqual(transport.contexts.peer, "front.example")
        self.assertEqual(transport.description, "tcp:store.example:9000")
        for name in files:
            rest = "".join(f":{each}={path}" for each, path in files.items() if each != name)
            self.bad(f"tcp:localhost:1{rest}", f"{name}=FILE is missing", "certificate, key and ca")
            self.bad(f"tcp:localhost:1{rest}:{name}=", f"{name}=FILE is missing")
            self.bad(f"tcp:localhost:1{rest}:{name}=/none/x.pem", f"{name}: cannot read /none/x.pem")
        self.bad("tcp:localhost:1:peer=x", "peer needs TLS")
        self.bad(f"tcp:localhost:1{options}:peer=", "peer is empty")
        self.bad(f"tcp:localhost:1{options}:peer=a b", "peer: 'a b'")

    def test_scheme(self) -> None:
        """
        A third party's transport gets its parts and options, and is named
        where the known ones are.
        """
        for each in (*OUR_SCHEMES, pigeon):
            verifyObject(ITransportScheme, each)
        self.patch(description, "getPlugins", lambda interface: iter([pigeon]))
        transport = self.transport("pigeon:home:wind=3:blocks=2")
        assert isinstance(transport, PigeonTransport)
        self.assertEqual((transport.wind, transport.limits.capacity), (3, 2))
        self.bad("pigeon:home:speed=3", "blocks, block_size, wind")
        self.bad("pigeon:home:away", "pigeon:LOFT")
        self.bad("epoxy:x", "pigeon:LOFT", "tcp:HOST:PORT", "shm:PATH")


class PluginTests(TestCase):
    """
    A distribution adds a kind of transport by putting one file on the path.
    """

    async def test_found(self) -> None:
        """
        A fresh Python that has the plugin's directory on its path opens a
        channel by the new scheme; without it, the scheme is unknown.
        """
        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        with_plugin, without = os.path.join(directory, "with"), os.path.join(directory, "without")
        for each in (with_plugin, without):
            os.makedirs(os.path.join(each, "twisted", "plugins"))
            os.symlink(os.path.dirname(transports.interfaces.__file__), os.path.join(each, "transports"))
        shutil.copy(pigeon_plugin.__file__, os.path.join(with_plugin, "twisted", "plugins"))
        self.assertEqual(await self.use(with_plugin), "pigeon:home 3 delivered")
        self.assertIn("there is no transport 'pigeon'", await self.use(without))

    async def use(self, path: str) -> str:
        """
        Use C{pigeon:} in a Python with this on its path.

        @return: the last line it says.
        """
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        out, error, _ = await getProcessOutputAndValue(
            sys.executable, ["-c", _PROGRAM], env=environment, path=path
        )
        return bytes(out or error).decode().strip().splitlines()[-1]


#: Opens a channel over C{pigeon:} and sends one message.
_PROGRAM = """
from twisted.internet.task import Clock
from transports.description import transportFor

class Receiver:
    def messageReceived(self, message):
        print(transport.description, transport.wind, message.decode())
    def channelLost(self, reason):
        pass

clock = Clock()
transport = transportFor("pigeon:home:wind=3", clock)
transport.listen(lambda channel: Receiver())
transport.connect(Receiver()).addCallback(lambda channel: channel.send(b"delivered"))
clock.pump([0] * 3)
"""
