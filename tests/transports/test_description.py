"""
L{transports.description}.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from transports import description
from transports.description import Description, parseDescription, transportFor
from transports.errors import BadDescription
from transports.interfaces import ITransport, ITransportScheme
from transports.limits import DEFAULT_BLOCK_SIZE, DEFAULT_BLOCKS, Limits
from transports.memory import MemoryTransport
from transports.sockets import UnixTransport


@implementer(ITransportScheme)
class PigeonScheme:
    """
    A transport of a third party.
    """

    scheme = "pigeon"
    form = "pigeon:LOFT:DESTINATION"
    options = ("wind",)

    def makeTransport(
        self, arguments: tuple[str, ...], options: Mapping[str, str], limits: Limits, reactor: object
    ) -> ITransport:
        """
        Note what was asked for.
        """
        self.asked = (arguments, dict(options), limits)
        return MemoryTransport(Clock())


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

    def test_laterSchemes(self) -> None:
        """
        Those that are to come are said not to be in this version.
        """
        for text in ("tcp:127.0.0.1:9000", "shm:/run/store"):
            self.bad(text, "in this version", "unix:PATH")

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

    def test_plugin(self) -> None:
        """
        A third party's transport is found, gets its parts and options, and is
        named where the known ones are.
        """
        pigeon = PigeonScheme()
        verifyObject(ITransportScheme, pigeon)
        self.patch(description, "getPlugins", lambda interface: iter([pigeon]))
        self.transport("pigeon:home:away:wind=3:blocks=2")
        self.assertEqual(
            pigeon.asked, (("home", "away"), {"wind": "3"}, Limits(DEFAULT_BLOCK_SIZE, capacity=2))
        )
        self.bad("pigeon:home:speed=3", "blocks, block_size, wind")
        self.bad("epoxy:x", "pigeon:LOFT:DESTINATION")
