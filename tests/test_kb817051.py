"""
The scene of Microsoft KB 817051: many IMAP clients browse a heavily populated
list of public folders over a small queue.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailstore.config import Config
from mailstore.imap.limits import ImapLimits
from mailstore.ipc.limits import IpcLimits
from mailstore.testing import MailServer
from tests.channels import describe
from tests.clients.rawclient import RawClient

_CLIENTS = 50
_FOLDERS = 2000
_BLOCKS = 4

#: Of all clients, each time.
_COMMANDS = _CLIENTS * 11


class FullQueueTests(SynchronousTestCase):
    """
    Fifty clients at once, two thousand folders, four blocks.
    """

    def _check(self, kind: str) -> None:
        """
        Let all clients list, look and open at once, first without patience and then with it.

        Without, what does not fit is refused at once; with, every command gets
        its OK.  Either way each has one answer, and no block is left.
        """
        config = attrs.evolve(
            Config(imap_limits=ImapLimits(login_delay=0.0, max_sessions_per_user=_CLIENTS)),
            ipc_limits=IpcLimits(patience=5.0),
        )
        folders = [f"Public Folders/Team {number % 20}/Folder {number:04}" for number in range(_FOLDERS)]
        transport = describe(self, kind, f":blocks={_BLOCKS}")
        with MailServer(
            users={"alice": "secret"}, folders=folders, transport=transport, config=config
        ) as server:
            clients = [RawClient(server.port) for _ in range(_CLIENTS)]
            try:
                for client in clients:
                    self.assertIn(b" OK", client.command(b"LOGIN alice secret")[-1])
                answered, refused = self._browse(server, clients, folders, 0.0)
                self.assertEqual(answered + refused, _COMMANDS)
                self.assertGreater(refused, 0)
                self.assertGreater(answered, 0)
                self.assertEqual(self._browse(server, clients, folders, 60.0), (_COMMANDS, 0))
            finally:
                for client in clients:
                    client.close()

    def _browse(
        self, server: MailServer, clients: list[RawClient], folders: list[str], patience: float
    ) -> tuple[int, int]:
        """
        Let all clients list, look and open at once.

        @return: how many commands were answered OK, and how many NO [UNAVAILABLE].
        """
        remote, store = server.service.remote, server.service.server
        assert remote is not None and store is not None

        async def setPatience() -> None:
            remote.limits = attrs.evolve(remote.limits, patience=patience)

        async def allocated() -> list[int]:
            return [each.statistics().blocks_allocated for each in (remote, store)]

        async def peaks() -> list[int]:
            return [each.statistics().blocks_high_water for each in (remote, store)]

        server.call(setPatience)
        outcomes = self._all(clients, [folder.encode() for folder in folders])
        # What is left of credits and replies is under way for a few turns of the reactor.
        for _ in range(1000):
            if server.call(allocated) == [0, 0]:
                break
        self.assertEqual(server.call(allocated), [0, 0])
        for peak in server.call(peaks):
            self.assertGreater(peak, 0)
            self.assertLessEqual(peak, _BLOCKS)
        refused = sum(reply.startswith(b"NO [UNAVAILABLE]") for reply in outcomes)
        answered = sum(reply.startswith(b"OK") for reply in outcomes)
        self.assertEqual(refused + answered, len(outcomes), outcomes[:5])
        return answered, refused

    def _all(self, clients: list[RawClient], names: list[bytes]) -> list[bytes]:
        """
        Give every client its commands, all before any answer is read.

        @return: what stands behind the tag in each tagged reply, one for each command.
        """
        expected: list[tuple[RawClient, list[bytes]]] = []
        for number, client in enumerate(clients):
            lines = [b'LIST "" "*"', b'LIST "" "Public Folders/%"', b'LSUB "" "*"']
            for step in range(4):
                name = names[(number * 37 + step) % len(names)]
                lines += [b'STATUS "%s" (MESSAGES UNSEEN)' % name, b'EXAMINE "%s"' % name]
            expected.append((client, [client.begin(line) for line in lines]))

        def read(each: tuple[RawClient, list[bytes]]) -> list[bytes]:
            client, tags = each
            replies = []
            for tag in tags:
                responses = client.finish(tag)
                replies.append(responses[-1].removeprefix(tag + b" "))
                assert all(each.startswith(b"* ") for each in responses[:-1]), "a second tagged reply"
                if tag == tags[0] and replies[-1].startswith(b"OK"):
                    listed = sum(b"/Folder " in response for response in responses)
                    assert listed == len(names), listed
            # Nothing more comes, in particular no second reply to the last command.
            assert len(client.command(b"CAPABILITY")) == 2
            return replies

        with ThreadPoolExecutor(len(clients)) as pool:
            return [reply for replies in pool.map(read, expected) for reply in replies]

    def test_memory(self) -> None:
        """
        Within four blocks, over C{memory:}.
        """
        self._check("memory")

    def test_unix(self) -> None:
        """
        Within four blocks, over C{unix:}.
        """
        self._check("unix")

    def test_tcp(self) -> None:
        """
        Within four blocks, over C{tcp:}.
        """
        self._check("tcp")

    def test_tls(self) -> None:
        """
        Within four blocks, over C{tcp:} with mutual TLS.
        """
        self._check("tls")

    def test_sharedMemory(self) -> None:
        """
        Within four blocks, over C{shm:}.
        """
        self._check("shm")

    def test_portableSharedMemory(self) -> None:
        """
        Within four blocks, over C{shm:} without what only Linux has.
        """
        self._check("portable")
