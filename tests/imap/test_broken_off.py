"""
Clients that go away in the middle of things, through a whole server with a queue of
four blocks: nothing of theirs is left.
"""

from __future__ import annotations

import random
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from tests.imap import support
from tests.imap.wholeserver import WholeServer
from transports.limits import Limits

_LONG = b"Subject: long\r\n\r\n" + b"0123456789abcdef\r\n" * 4_000
_SHORT = b"Subject: short\r\n\r\ntext\r\n"

_COMMANDS = (
    b'LIST "" "*"',
    b"NOOP",
    b"SELECT INBOX",
    b'SELECT "Public Folders/Five/7"',
    b"FETCH 1:* (FLAGS UID ENVELOPE)",
    b"FETCH 1:* BODY[]",
    b"STORE 1:* +FLAGS.SILENT (\\Deleted)",
    b"SEARCH TEXT short",
    b"COPY 1:* INBOX",
    b"EXPUNGE",
    b"STATUS INBOX (MESSAGES)",
    b"IDLE",
    b"DONE",
    b"APPEND INBOX {%d+}\r\n%s" % (len(_SHORT), _SHORT),
    b"APPEND INBOX {%d+}\r\n%s" % (len(_LONG), _LONG),
    b"APPEND INBOX {%d}\r\n%s" % (len(_LONG), _LONG),
)


class BrokenOffTests(SynchronousTestCase):
    """
    Connections that end at random moments.
    """

    def setUp(self) -> None:
        """
        A server with some folders and a narrow queue.
        """
        folders = tuple(f"{team}/{number}" for team in ("Five", "Six") for number in range(20))
        self.server = WholeServer(self, ("Five", "Six", *folders), Limits(block_size=4096, capacity=4))

    def _client(self, user: bytes = b"alice") -> support.Client:
        client = support.Client(cast(support.Server, self.server))
        self.server.clients.append(client)
        client.login(user)
        return client

    def _assertNothingLeft(self) -> None:
        server = self.server
        server.settle()
        (front_end,) = server.store.front_ends
        held = {
            "calls": (server.remote.calls, front_end.calls),
            "waiting": server.remote.waiting,
            "uploads": front_end.uploads,
            "backlog": front_end.backlog,
            "blocks": server.remote.statistics().blocks_allocated,
            "blocks of the store": server.store.statistics().blocks_allocated,
            "sessions": server.factory.front.sessions,
            "links": len(server.factory.connections.links),
        }
        self.assertEqual({name for name, value in held.items() if value not in (0, (0, 0))}, set(), held)
        self.assertEqual(server.alarms, [])

    def test_inLiteral(self) -> None:
        """
        A message that breaks off, wherever that is, leaves nothing in the store and no upload open.
        """
        for command in (
            b"a APPEND INBOX {%d+}\r\n%s" % (len(_LONG), _LONG),
            b"a APPEND INBOX {%d+}\r\n%s {%d+}\r\n%s" % (len(_LONG), _LONG, len(_SHORT), _SHORT),
            b"a APPEND INBOX {%d}\r\n%s" % (len(_LONG), _LONG),
            b"a APPEND INBOX {%d+}\r\n%s" % (len(_SHORT), _SHORT),
        ):
            for part in (0.01, 0.6, 1.0):
                for turns in (0, 3, 30):
                    client = self._client()
                    client.protocol.dataReceived(command[: int(len(command) * part)])
                    for _ in range(turns):
                        self.server.clock.turn()
                    client.disconnect()
                    self.server.clients.remove(client)
                    self._assertNothingLeft()
        status = self.server.result(self.server.engine.status("alice", "INBOX"))
        self.assertEqual(status.messages, 0)

    def test_churn(self) -> None:
        """
        Clients that pipeline whatever they like and hang up at any moment.
        """
        chance = random.Random(11)
        clients: list[support.Client] = []
        for _ in range(50):
            clients.append(self._client(chance.choice((b"alice", b"bob"))))
            for _ in range(chance.randint(0, 12)):
                client = chance.choice(clients)
                data = b"".join(b"t %s\r\n" % chance.choice(_COMMANDS) for _ in range(chance.randint(1, 8)))
                if chance.random() < 0.2:
                    data = data[: chance.randint(0, len(data))]
                client.protocol.dataReceived(data)
                client.transport.clear()
                for _ in range(chance.choice((0, 1, 2, 5, 20))):
                    self.server.clock.turn()
                self.assertLessEqual(self.server.remote.statistics().blocks_allocated, 4)
            if len(clients) > 10 or chance.random() < 0.3:
                client = clients.pop(chance.randrange(len(clients)))
                client.disconnect()
                self.server.clients.remove(client)
        for client in clients:
            client.disconnect()
            self.server.clients.remove(client)
        self.assertEqual(self.server.store.statistics().blocks_high_water, 4)
        self._assertNothingLeft()
