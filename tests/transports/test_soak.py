"""
L{tests.transports.soak} in its short form, with C{MAILSTORE_SOAK} set in the
environment in its long one: 5,000,000 messages over each transport.
"""

from __future__ import annotations

import os
import random
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.transports.endurance import EnduranceTests
from tests.transports.traffic import Sink, Source, drawSizes
from transports.limits import Limits

LONG = bool(os.environ.get("MAILSTORE_SOAK"))

LIMITS = Limits(block_size=64, capacity=8)


class _SoakTests(EnduranceTests):
    """
    Sustained overload.
    """

    module = "tests.transports.soak"
    timeout = 7200.0 if LONG else 120.0
    #: How many messages are offered.
    messages: ClassVar[int] = 5_000_000 if LONG else 30_000

    async def test_overload(self) -> None:
        """
        What is accepted is delivered, in order and whole; the rest is refused;
        nothing grows.
        """
        said = await self.runProgram(self.description(), "--messages", str(self.messages))
        self.assertIn(f" {self.messages} offered, ", said)


class UnixSoakTests(_SoakTests, TestCase):
    """
    Over C{unix:}.
    """

    scheme = "unix"

    async def test_honest(self) -> None:
        """
        When nothing works the exit code says so.
        """
        said = await self.runProgram("unix:/nowhere/s", "--messages", "1000", code=1)
        self.assertIn("FAILED", said)


class SharedMemorySoakTests(_SoakTests, TestCase):
    """
    Over C{shm:}.
    """

    scheme = "shm"


class PortableSoakTests(_SoakTests, TestCase):
    """
    Over C{shm:} without memfd and eventfd.
    """

    scheme = "shm"
    options = ":portable=yes"


class TrafficTests(SynchronousTestCase):
    """
    The messages by which the endurance programs judge.
    """

    def setUp(self) -> None:
        """
        Make some messages.
        """
        self.source = Source(LIMITS, random.Random(1))
        self.messages = []
        for _ in range(200):
            message = self.source.make()
            self.source.accepted(message)
            self.messages.append(message)

    def judge(self, messages: list[bytes]) -> bool:
        """
        Whether they pass.
        """
        sink = Sink()
        for message in messages:
            sink.receive(message)
        return not sink.faults and sink.tally() == self.source.tally()

    def test_right(self) -> None:
        """
        What was sent passes.
        """
        self.assertTrue(self.judge(self.messages))

    def test_wrong(self) -> None:
        """
        Reordered, doubled, lost and torn messages are found out, wherever it
        happens.
        """
        for at in range(199):
            one, two = self.messages[at : at + 2]
            before, after = self.messages[:at], self.messages[at + 2 :]
            for changed in (
                [*before, two, one, *after],
                [*before, one, one, two, *after],
                [*before, one, *after],
                [*before, one + two, *after],
                [*before, one[:-1], two, *after],
                [*before, one, bytes(len(two)), *after],
            ):
                if changed != self.messages:
                    self.assertFalse(self.judge(changed), f"at {at}")

    def test_refused(self) -> None:
        """
        A message that was not accepted leaves no gap.
        """
        self.source.make()
        message = self.source.make()
        self.source.accepted(message)
        self.assertTrue(self.judge([*self.messages, message]))

    def test_sizes(self) -> None:
        """
        All sizes that matter occur: nothing, an exact fit, one byte over, the
        whole queue.
        """
        sizes = set(drawSizes(LIMITS, random.Random(1)))
        self.assertEqual(max(sizes), LIMITS.max_message)
        self.assertLessEqual({0, 1, 47, 48, 49, 111, 112, 113}, sizes)
