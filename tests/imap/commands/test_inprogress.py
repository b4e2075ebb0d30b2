"""
Tests of INPROGRESS (RFC 9585).
"""

from __future__ import annotations

from typing import Any

from mailstore.imap.progress import INTERVAL
from mailstore.model import ThreadColumns
from tests.imap.commands.messagecase import MessageCase, plain

_TOLD = '* OK [INPROGRESS ("T3" NIL NIL)] Still looking'


class InProgressTests(MessageCase):
    """
    A store that takes its time.
    """

    def slow(self, method: str, *seconds: float) -> None:
        """
        Let the batches of an answer take so long; the last is what there is.
        """

        async def take(method: Any, *arguments: Any) -> Any:
            for each in seconds[:-1]:
                self.server.clock.advance(each)
                yield empty
            self.server.clock.advance(seconds[-1])
            async for batch in method(*arguments):
                yield batch

        empty: Any = b""
        if method == "threads":
            empty = ThreadColumns(b"", b"")
        self.store.instead[method] = take

    def test_told(self) -> None:
        """
        Who waits long for SEARCH, SORT or THREAD is told so every ten seconds, before the response.
        """
        self.fill(plain("one"))
        for method, command, response in (
            ("search", "SEARCH ALL", "* SEARCH 1"),
            ("sort", "SORT (DATE) UTF-8 ALL", "* SORT 1"),
            ("threads", "THREAD REFERENCES UTF-8 ALL", "* THREAD (1)"),
        ):
            self.slow(method, INTERVAL - 1, 1.0, INTERVAL - 1, 0.5, INTERVAL)
            lines = self.client().command(command)
            self.assertEqual(lines[:2], [_TOLD] * 2)
            self.assertEqual(lines[2:-1], [response])
            self.assertOk(lines)

    def test_quick(self) -> None:
        """
        Who does not wait long is told nothing.
        """
        self.fill(plain("one"))
        self.slow("search", INTERVAL - 1, 0.5)
        self.assertEqual(self.client().command("SEARCH ALL")[:-1], ["* SEARCH 1"])

    def test_announced(self) -> None:
        """
        It is announced.
        """
        self.assertIn("INPROGRESS", self.client().command("CAPABILITY")[0].split())
