"""
Every script in C{tests/imap/scripts}, over each of the channels that a front end and its store
can be joined by: one test each, with a server of its own (which takes some 20 ms).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from functools import cache
from imaplib import IMAP4_SSL
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import ITLSTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.imap.registry import COMMANDS
from mailstore.testing import MailServer
from mailstore.testing.transcripts import Script, runIn
from mailstore.testing.transcripts.script import Send
from tests.channels import describe
from tests.clients.rawclient import RawClient
from tests.imap.support import REMOTE, Server

SCRIPTS = Path(__file__).parent / "scripts"

#: What servers get wrong and users complain of.  A script is about one of these if its header covers
#: C{point} and the name.
POINTS = (
    "literals in any place",
    "limits",
    "IDLE",
    "EXPUNGE never",
    "pipelined",
    "LIST names",
    "LIST with STATUS",
    "ENVELOPE and BODYSTRUCTURE",
    "STATUS of the selected folder",
    "UNSEEN per user",
    "\\Recent",
    "all or nothing",
    "UIDVALIDITY",
    "client that stops reading",
    "public folders left out of lists",
)


@cache
def scripts() -> dict[str, Script]:
    """
    All scripts by name.
    """
    return {path.stem: Script.load(path) for path in sorted(SCRIPTS.glob("*.txt"))}


def _playing(name: str, kind: str) -> Callable[[TestCase], Coroutine[Any, Any, None]]:
    async def test(self: TestCase) -> None:
        from twisted.internet import reactor

        await runIn(reactor, scripts()[name], describe(self, kind))

    test.__doc__ = f"""
        Over C{{{kind}:}}: {scripts()[name].header.title}.
        """
    return test


def _all(kind: str) -> Callable[[type[TestCase]], type[TestCase]]:
    """
    Gives a class a test for each script.
    """

    def decorate(case: type[TestCase]) -> type[TestCase]:
        for name in scripts():
            method = _playing(name, kind)
            method.__name__ = f"test_{name.replace('-', '_')}"
            method.__qualname__ = f"{case.__qualname__}.{method.__name__}"
            setattr(case, method.__name__, method)
        return case

    return decorate


@_all("memory")
class MemoryTests(TestCase):
    """
    All scripts, front end and store joined in one process.
    """


@_all("unix")
class UnixTests(TestCase):
    """
    All scripts, front end and store joined by a Unix socket.
    """


@_all("shm")
class SharedMemoryTests(TestCase):
    """
    All scripts, front end and store joined by shared memory.
    """


def _names(line: bytes) -> set[str]:
    """
    The capabilities in a response, those with a value without it.
    """
    words = line.decode("ascii").split()[2:]
    return {"APPENDLIMIT" if word.startswith("APPENDLIMIT=") else word for word in words}


class CoverageTests(SynchronousTestCase):
    """
    Nothing is announced, and no command taken, that no script is about.
    """

    def announced(self) -> set[str]:
        """
        Every capability that a client can be told of: before sign-in and after it, with TLS, with TLS to be
        had and without a right to do anything before it, and where literals are restricted.
        """
        names: set[str] = set()
        with MailServer(users={"alice": "secret"}, tls=True, tokens={"x": "alice"}) as server:
            with IMAP4_SSL(server.host, server.tls_port, ssl_context=server.sslContext()) as private:
                names |= _names(b"* CAPABILITY " + private.capability()[1][0])
            client = RawClient(server.port)
            self.addCleanup(client.close)
            names |= _names(client.command(b"CAPABILITY")[0].strip())
            client.command(b"LOGIN alice secret")
            names |= _names(client.command(b"CAPABILITY")[0].strip())
        far = Server(self, tls=object()).connect(REMOTE, provides=(ITLSTransport,))
        names |= _names(far.ask(b"CAPABILITY")[0])
        return names | _names(Server(self, literal_minus=True).connect().ask(b"CAPABILITY")[0])

    def covered(self) -> set[str]:
        """
        What scripts are about.
        """
        return set().union(*(script.covers for script in scripts().values()))

    def test_capabilities(self) -> None:
        """
        Each capability has a script.
        """
        self.assertEqual(self.announced() - self.covered(), set())

    def test_commands(self) -> None:
        """
        Each command has a script, in which it is really given.
        """
        said = {}
        for name, script in scripts().items():
            lines = [part for step in script.steps if isinstance(step, Send) for part in step.data.parts]
            text = b"".join(line for line in lines if isinstance(line, bytes))
            said[name] = text.decode("utf-8", "replace").replace("\r\n", "\n")
        for command in COMMANDS:
            given = re.compile(rf"^\S+ {command}(?: |$)", re.MULTILINE | re.IGNORECASE)
            about = [name for name, script in scripts().items() if command in script.covers]
            self.assertTrue(any(given.search(said[name]) for name in about), f"no script gives {command}")

    def test_points(self) -> None:
        """
        Each point has a script.
        """
        self.assertEqual({f"point {each}" for each in POINTS} - self.covered(), set())

    def test_known(self) -> None:
        """
        Scripts are about nothing else: what is misspelt covers nothing.  Each has a title and an RFC.
        """
        known = self.announced() | set(COMMANDS) | {f"point {each}" for each in POINTS}
        self.assertEqual(self.covered() - known, set())
        for name, script in scripts().items():
            self.assertTrue(script.header.title and script.header.rfc and script.covers, name)

    def test_documented(self) -> None:
        """
        The table in C{docs/imap.md} has the capabilities that are announced, no others, and names scripts and
        tests that are there.
        """
        text = (Path(__file__).parents[2] / "docs" / "imap.md").read_text("utf-8")
        table = text[text.index("| capability |") :].partition("\n\n")[0].split("\n")[2:]
        rows: dict[str, list[str]] = {}
        for line in table:
            name, rfc, _, tests, names, _ = (cell.strip() for cell in line[1:-1].split(" | "))
            self.assertNotIn(name, rows)
            self.assertRegex(rfc, r"^[0-9]{4}")
            rows[name] = re.findall("`([a-z0-9-]+)`", names)
            for test in re.findall("`([a-z0-9_/]+)`", tests):
                place = test if test.startswith("tests/") else f"tests/imap/commands/{test}"
                if test.startswith("wire/"):
                    place = f"tests/imap/{test}"
                at = Path(__file__).parents[2] / place
                self.assertTrue(at.is_dir() or at.with_suffix(".py").exists(), test)
        self.assertEqual(set(rows), self.announced())
        for name, named in rows.items():
            self.assertTrue(named, f"{name} names no script")
            for each in named:
                self.assertIn(name, scripts()[each].covers, each)
