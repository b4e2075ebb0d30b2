"""
Tests for L{mailstore.imap.wire.selectargs.QResync}.  How it is written is in L{tests.imap.wire.test_grammar}.
"""

from __future__ import annotations

from itertools import islice

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.selectargs import QResync
from tests.imap.wire.encoding import frame
from tests.imap.wire.extensioncases import QRESYNC


class SampleTests(SynchronousTestCase):
    """
    What a client knows of sequence numbers and UIDs.
    """

    def qresync(self, sample: bytes) -> QResync:
        """
        The parameter with that C{seq-match-data}.
        """
        arguments = QRESYNC.readAll(frame(b"a (QRESYNC (1 1%b))" % sample))
        found = arguments.qresync
        assert isinstance(found, QResync)
        return found

    def test_pairs(self) -> None:
        """
        The first number belongs to the first UID and so on, whatever the ranges.
        """
        self.assertEqual(list(self.qresync(b"").samples()), [])
        self.assertEqual(list(self.qresync(b" 1:5").samples()), [])
        self.assertEqual(
            list(self.qresync(b" (1,4:6 2,9:10,12)").samples()), [(1, 2), (4, 9), (5, 10), (6, 12)]
        )

    def test_huge(self) -> None:
        """
        A range of all numbers that there are costs nothing before it is looked at.
        """
        pairs = self.qresync(b" (1:4294967294 2:4294967295)").samples()
        self.assertEqual(list(islice(pairs, 2)), [(1, 2), (2, 3)])
