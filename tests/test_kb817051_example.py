"""
The example that re-enacts KB 817051: a small performance of it, and what it makes of what it sees.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import attrs
from twisted.trial.unittest import SynchronousTestCase, TestCase

from examples import _charts, _stage, kb817051
from examples._crowd import Outcome
from examples._stage import Run, Scene
from mailstore.ipc.statistics import QueueCounters
from transports.errors import BadDescription
from transports.limits import Limits
from transports.memory import MemoryTransport
from transports.testing.broken import NeverFull

_ROOT = pathlib.Path(__file__).parents[1]

_SMALL = ("--clients", "40", "--folders", "100", "--calm", "1", "--seconds", "1")

_SCENE = Scene(clients=320, folders=10, calm=2.0, seconds=7.0)


class PerformanceTests(SynchronousTestCase):
    """
    The program itself, with few clients.
    """

    def test_small(self) -> None:
        """
        It draws both runs, counts what became of the clients, and sees the difference.
        """
        done = subprocess.run(
            [sys.executable, str(_ROOT / "examples" / "kb817051.py"), *_SMALL],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            cwd=tempfile.gettempdir(),
            capture_output=True,
            timeout=100,
            text=True,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        drawn, _, told = done.stdout.partition("\n\n")
        self.assertIn("####", drawn)
        self.assertEqual(self._row(told, "clients"), [40, 40])
        hung, none_hung = self._row(told, "  hung")
        self.assertGreater(hung, 0)
        self.assertEqual(none_hung, 0)
        unanswered, none_unanswered = self._row(told, "  never answered")
        self.assertGreaterEqual(unanswered, hung)
        self.assertEqual(none_unanswered, 0)
        never_refused, refused = self._row(told, "  refused, NO [UNAVAILABLE]")
        self.assertEqual(never_refused, 0)
        self.assertGreater(refused, 0)
        peak, capacity, real_peak, real_capacity = self._row(told, "Blocks Allocated, peak")
        self.assertEqual((capacity, real_capacity), (16, 16))
        self.assertGreater(peak, 3 * capacity)
        self.assertLessEqual(real_peak, capacity)
        left, none_left = self._row(told, "Blocks Allocated, at the end")
        self.assertGreater(left, capacity)
        self.assertEqual(none_left, 0)

    def _row(self, told: str, name: str) -> list[int]:
        """
        The numbers in the row of this name.
        """
        rows = [line for line in told.splitlines() if re.fullmatch(f"{re.escape(name)} {{2,}}.*", line)]
        self.assertEqual(len(rows), 1, told)
        return [int(each.replace(",", "")) for each in re.findall(r"[\d,]+", rows[0].removeprefix(name))]


class CeilingTests(TestCase):
    """
    A queue that is never full is stopped, however long its run was to be.
    """

    async def _endless(self) -> Run:
        """
        Let a queue grow that would go on growing for an hour.
        """
        from twisted.internet import reactor

        transport = MemoryTransport(reactor, Limits(block_size=32, capacity=16))
        transport.channel_class = NeverFull
        scene = Scene(clients=40, folders=10, calm=0.5, seconds=3600.0)
        return await _stage.Performance(reactor, scene, transport).run("endless", cut=True)

    async def test_blocks(self) -> None:
        """
        It ends when too many blocks are allocated, and says so.
        """
        self.patch(_stage, "CEILING_BLOCKS", 60)
        run = await self._endless()
        self.assertEqual(run.ended, "stopped at its ceiling of 60 blocks")
        self.assertGreaterEqual(run.queue.blocks_allocated, 60)
        self.assertLess(run.queue.blocks_allocated, 60 + 40 * 4)

    async def test_seconds(self) -> None:
        """
        It ends when it has taken too long.
        """
        self.patch(_stage, "CEILING_SECONDS", 0.6)
        run = await self._endless()
        self.assertRegex(run.ended, r"^stopped at its ceiling of \d+ s$")


class ComplaintsTests(SynchronousTestCase):
    """
    When the example is not satisfied with what it saw.
    """

    def _runs(self) -> tuple[Run, Run]:
        """
        Two runs as they must be.
        """
        hung = Outcome(
            clients=9,
            served=0,
            refused=0,
            hung=9,
            commands_answered=5,
            commands_refused=0,
            commands_hung=20,
        )
        refused = attrs.evolve(hung, refused=9, hung=0, commands_refused=20, commands_hung=0)
        full = QueueCounters(blocks_capacity=4, blocks_high_water=4)
        broken = Run(
            title="broken",
            samples=(),
            busy=(1.0, 2.0),
            queue=QueueCounters(blocks_capacity=4, blocks_high_water=500, blocks_allocated=499),
            back=full,
            sessions=9,
            outcome=hung,
            ended="stopped",
        )
        return broken, attrs.evolve(broken, title="real", queue=full, outcome=refused)

    def test_none(self) -> None:
        """
        A difference as it must be is no reason to complain.
        """
        self.assertEqual(kb817051.complaints(*self._runs()), [])

    def test_each(self) -> None:
        """
        Whatever of the difference is not seen is said.
        """
        broken, real = self._runs()
        full = real.queue
        for wrong, words in (
            ((attrs.evolve(broken, queue=full), real), "did not outgrow its 4 blocks"),
            ((attrs.evolve(broken, outcome=real.outcome), real), "no client hung"),
            ((broken, attrs.evolve(real, outcome=broken.outcome)), "9 clients hung"),
            (
                (broken, attrs.evolve(real, queue=attrs.evolve(full, blocks_high_water=5))),
                "to the store held 5",
            ),
            ((broken, attrs.evolve(real, back=attrs.evolve(full, blocks_high_water=5))), "back held 5"),
            ((broken, attrs.evolve(real, queue=attrs.evolve(full, blocks_allocated=1))), "1 blocks"),
            ((broken, attrs.evolve(real, back=attrs.evolve(full, blocks_allocated=1))), "1 blocks"),
        ):
            found = kb817051.complaints(*wrong)
            self.assertEqual(len(found), 1, found)
            self.assertIn(words, found[0])


class CommandTests(SynchronousTestCase):
    """
    What it makes of its arguments.
    """

    def test_completed(self) -> None:
        """
        A transport gets a place and a small queue, unless it has its own.
        """
        queue = ":blocks=40:block_size=32"
        for given, made in (
            ("memory:", f"memory:{queue}"),
            ("memory:name", f"memory:name{queue}"),
            ("unix:", f"unix:/dir/store{queue}"),
            ("unix:/here", f"unix:/here{queue}"),
            ("unix:blocks=8", "unix:/dir/store:blocks=8:block_size=32"),
            ("shm:", f"shm:/dir/store{queue}"),
            ("tcp:", f"tcp:127.0.0.1:0{queue}"),
        ):
            self.assertEqual(kb817051.completed(given, _SCENE, "/dir"), made)
        self.assertRaises(BadDescription, kb817051.completed, "memory", _SCENE, "/dir")

    def _refused(self, *words: str) -> str:
        """
        What is said of a command line that cannot be used.
        """
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            refused = self.assertRaises(SystemExit, kb817051.arguments, words)
        self.assertEqual(refused.code, 2)
        return said.getvalue()

    def test_tooSmall(self) -> None:
        """
        A scene in which there would be nothing to see is refused.
        """
        for words in (("--clients", "29"), ("--folders", "0"), ("--seconds", "0"), ("--calm", "-1")):
            self.assertIn("at least 30 clients", self._refused(*words))

    def test_withoutMatplotlib(self) -> None:
        """
        A picture that cannot be drawn is refused before anything is run, with what to install.
        """
        self.patch(_charts, "CAN_DRAW", False)
        self.assertIn("pip install 'mailstore[charts]'", self._refused("--output", "chart.png"))


class ChartTests(SynchronousTestCase):
    """
    The charts.
    """

    def _panels(self) -> list[_charts.Panel]:
        """
        A queue of 4 blocks that outgrows them, and one that does not.
        """
        grows = [_charts.Sample(float(at), at**4, at**2) for at in range(11)]
        stays = [_charts.Sample(float(at), min(at, 4), min(at, 2)) for at in range(11)]
        return [
            _charts.Panel("grows", grows, 4, (1.0, 9.0), ("one", "two")),
            _charts.Panel("stays", stays, 4, (1.0, 9.0), ("three", "four")),
        ]

    def test_text(self) -> None:
        """
        Panels stand side by side, on the same scale, with their capacity and notes.
        """
        lines = _charts.text(self._panels(), ascii_only=True).splitlines()
        self.assertTrue(lines[0].split() == ["grows", "stays"], lines[0])
        for label in ("10,000", "1,000", "100", "10", "1", "0"):
            self.assertEqual(sum(line.split("|")[0].strip() == label for line in lines), 1, label)
        top = next(line for line in lines if line.strip().startswith("10,000"))
        grown, stayed = top.split("|")[1:]
        self.assertTrue(grown.rstrip().endswith(":"), top)
        self.assertEqual(stayed.strip(), "")
        self.assertTrue(any(line.split() == ["two", "four"] for line in lines))
        for line in lines:
            line.encode("ascii")

    def test_canPrint(self) -> None:
        """
        The finer characters are used where they can be written.
        """
        self.assertTrue(_charts.canPrint("utf-8"))
        for encoding in ("ascii", "latin-1", "no-such-encoding", None):
            self.assertFalse(_charts.canPrint(encoding), encoding)
        self.assertIn("█", _charts.text(self._panels()))

    def test_picture(self) -> None:
        """
        The same as a PNG where matplotlib is installed; else it is said that it is not.
        """
        path = self.mktemp() + ".png"
        if _charts.CAN_DRAW:
            _charts.picture(self._panels(), path)
            self.assertTrue(pathlib.Path(path).read_bytes().startswith(b"\x89PNG"))
        else:
            self.assertRaises(ImportError, _charts.picture, self._panels(), path)
