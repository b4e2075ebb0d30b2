"""
Tests of L{mailstore.imap.refusals}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import (
    NoSuchFolder,
    PermissionDenied,
    StoreError,
    StoreFault,
    StoreUnavailable,
    allErrors,
)
from mailstore.imap.refusals import CODES, refusal


class RefusalsTests(SynchronousTestCase):
    """
    The table from store errors to response codes.
    """

    def test_closedSet(self) -> None:
        """
        Every error that a store can raise has its row, and there is no other row.
        """
        self.assertEqual(set(CODES), set(allErrors()))

    def test_createFirst(self) -> None:
        """
        Only a command that could follow a CREATE is told TRYCREATE.
        """
        error = NoSuchFolder("no x")
        self.assertEqual(refusal(error, True).code, "TRYCREATE")
        self.assertEqual(refusal(error, False).code, "NONEXISTENT")
        self.assertEqual(refusal(PermissionDenied("no"), True).code, "NOPERM")

    def test_words(self) -> None:
        """
        The store's words for the person are passed on; an error without any gets
        the table's.
        """
        self.assertEqual(refusal(NoSuchFolder("there is no folder x")).text, "there is no folder x")
        self.assertEqual(refusal(NoSuchFolder()).text, "There is no such folder")

    def test_insideStaysInside(self) -> None:
        """
        What a store says about its own inside is for its log.
        """
        for error in (StoreFault("disk I/O error at /x"), StoreUnavailable("/run/x: refused")):
            self.assertNotIn("/", refusal(error).text)

    def test_unknownError(self) -> None:
        """
        An error that is not in the set tells the client nothing.
        """

        class Odd(StoreError):
            """
            Not in the set.
            """

        reply = refusal(Odd("secret"))
        self.assertEqual(reply.code, "SERVERBUG")
        self.assertNotIn("secret", reply.text)
