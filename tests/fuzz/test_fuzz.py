"""
The fuzzers in their short form; and that they notice what they are for.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap import registry
from mailstore.imap.wire.framer import Framer
from mailstore.imap.wire.reader import Reader
from tests.fuzz import framertarget, messagetarget, readertarget
from tests.fuzz.__main__ import main
from tests.fuzz.examples import COMMANDS
from tests.fuzz.mutation import Mutator
from tests.fuzz.runner import MAX_GROWTH, MAX_SECONDS, Failed, run
from tests.fuzz.target import Target, check
from tests.fuzz.targets import TARGETS
from tests.imap.wire.production import Production

#: Inputs of each target here; half a second of each on a slow machine.
_INPUTS = {"framer": 600, "reader": 800, "names": 1_000, "message": 80, "connection": 150, "session": 40}


class ShortTests(SynchronousTestCase):
    """
    A few inputs for each target.
    """

    def short(self, name: str) -> None:
        """
        Run one target.
        """
        inputs = _INPUTS[name]
        summary = run(TARGETS[name](), range(inputs), 0, total=inputs)
        self.assertEqual((summary.target, summary.inputs), (name, inputs))

    def test_framer(self) -> None:
        """
        Commands keep their bounds, whatever is in them and in whatever pieces they come.
        """
        self.short("framer")

    def test_reader(self) -> None:
        """
        Every grammar reads any bytes or refuses them with a sentence.
        """
        self.short("reader")

    def test_names(self) -> None:
        """
        A name has one spelling.
        """
        self.short("names")

    def test_message(self) -> None:
        """
        Any bytes are a message of which everything that is said is well formed.
        """
        self.short("message")

    def test_connection(self) -> None:
        """
        A session answers any command once and goes on, or ends.
        """
        self.short("connection")

    def test_session(self) -> None:
        """
        Two clients at once are told what is so.
        """
        self.short("session")

    def test_allCommands(self) -> None:
        """
        Every command that there is is among the examples.
        """
        first = {
            b" ".join(each.split(b" ")[:words]).decode("latin-1") for each in COMMANDS for words in (1, 2)
        }
        self.assertEqual(set(registry.COMMANDS) - first, set())

    def test_allAreHere(self) -> None:
        """
        No target is left out, and each goes by its name.
        """
        self.assertEqual(set(TARGETS), set(_INPUTS))
        for name, target in TARGETS.items():
            self.assertEqual(target.name, name)


class NoticeTests(SynchronousTestCase):
    """
    Faults are found soon, and named so that they can be looked at again.
    """

    def failure(self, target: Target, inputs: int = 400) -> str:
        """
        What running it ends with.
        """
        failed = self.assertRaises(Failed, run, target, range(inputs), 0, total=inputs)
        self.assertIn(f"--target {target.name} --seed 0 --only ", str(failed))
        return str(failed)

    def test_literalsRun(self) -> None:
        """
        A framer that takes the bytes of a refused literal for commands.
        """

        class Credulous(Framer):
            def refuseLiteral(self) -> None:
                self._verdict()
                self._newCommand()

        self.patch(framertarget, "Framer", Credulous)
        self.assertIn("Broken", self.failure(framertarget.FramerTarget()))

    def test_hoarded(self) -> None:
        """
        A framer that knows no bound for a line.
        """

        class Hoarder(Framer):
            def __init__(self, limits: Any) -> None:
                super().__init__(attrs.evolve(limits, max_line=1 << 20))

        self.patch(framertarget, "Framer", Hoarder)
        self.assertIn("too much is buffered", self.failure(framertarget.FramerTarget()))

    def test_otherErrors(self) -> None:
        """
        A grammar that fails with something else than L{ParseError}.
        """

        def read(reader: Reader) -> int:
            return int(reader.atom())

        broken = Production("broken", read, lambda value: b"%d" % value)
        self.patch(readertarget, "PRODUCTIONS", (broken,) * 6)
        self.assertIn("ValueError", self.failure(readertarget.ReaderTarget()))

    def test_misread(self) -> None:
        """
        A grammar that does not read what was written.
        """
        broken = Production("broken", Reader.astring, lambda value: b'"%b"' % value)
        self.patch(readertarget, "PRODUCTIONS", (broken,) * 6)
        self.failure(readertarget.ReaderTarget())

    def test_malformed(self) -> None:
        """
        A rendition that no client can read.
        """
        self.patch(
            messagetarget, "RENDITIONS", {"envelope": lambda message: b'("' + message.data[:50] + b'")'}
        )
        self.failure(messagetarget.MessageTarget(), 20)


class _Probe(Target):
    """
    Notes what it is given.
    """

    name = "probe"
    era = 3

    def __init__(self, act: Callable[[bytes], None] = lambda data: None) -> None:
        self._act = act
        self.inputs: list[bytes] = []
        self.renewed: list[int] = []
        self.closed = 0

    def renew(self) -> None:
        """
        Note it.
        """
        self.renewed.append(len(self.inputs))

    def close(self) -> None:
        """
        Note it.
        """
        self.closed += 1

    def make(self, rng: random.Random) -> bytes:
        """
        Some bytes.
        """
        return rng.randbytes(4)

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        Note it, and do what was asked for.
        """
        self.inputs.append(data)
        self._act(data)


class RunnerTests(SynchronousTestCase):
    """
    L{run}.
    """

    def test_reproducible(self) -> None:
        """
        The same seed and number make the same input, another seed another.
        """
        first, again, part, other = _Probe(), _Probe(), _Probe(), _Probe()
        run(first, range(10), 1, total=10)
        run(again, range(10), 1, total=10)
        run(part, range(6, 8), 1, total=2)
        run(other, range(10), 2, total=10)
        self.assertEqual(first.inputs, again.inputs)
        self.assertEqual(part.inputs, first.inputs[6:8])
        self.assertFalse(set(first.inputs) & set(other.inputs))

    def test_eras(self) -> None:
        """
        What inputs leave behind is forgotten at the beginning of each era, and at the end.
        """
        target = _Probe()
        run(target, range(7), 0, total=7)
        self.assertEqual((target.renewed, target.closed), ([0, 3, 6], 1))

    def test_failed(self) -> None:
        """
        The first failure ends it; its input is there.
        """
        target = _Probe(lambda data: check(len(target.inputs) < 3, "three is too many"))
        failed = self.assertRaises(Failed, run, target, range(9), 5, total=9)
        self.assertEqual(failed.data, target.inputs[2])
        self.assertEqual((len(target.inputs), target.closed), (3, 1))
        self.assertIn("probe, input 2 of seed 5: Broken: three is too many", str(failed))

    def test_slow(self) -> None:
        """
        An input that takes too long.
        """
        now = 0.0

        def wait(data: bytes) -> None:
            nonlocal now
            now += 0.1 if len(target.inputs) < 4 else MAX_SECONDS + 1

        target = _Probe(wait)
        failed = self.assertRaises(Failed, run, target, range(9), 0, total=9, clock=lambda: now)
        self.assertEqual(len(target.inputs), 4)
        self.assertIn("it took 6.0 s", str(failed))

    def test_growth(self) -> None:
        """
        Memory that is not given back; what the first inputs take is not counted.
        """
        sizes = iter((1 << 20, (1 << 20) + MAX_GROWTH + (1 << 20)))
        failed = self.assertRaises(Failed, run, _Probe(), range(20), 0, total=20, memory=lambda: next(sizes))
        self.assertIn(f"grown by {(MAX_GROWTH >> 20) + 1} MiB", str(failed))
        sizes = iter((1 << 20, (1 << 20) + MAX_GROWTH))
        summary = run(_Probe(), range(20), 0, total=20, memory=lambda: next(sizes))
        self.assertEqual(summary.growth, MAX_GROWTH)


class MutatorTests(SynchronousTestCase):
    """
    L{Mutator}.
    """

    def test_bounded(self) -> None:
        """
        Inputs are of many kinds and never too long.
        """
        mutator = Mutator([b"", b"A1 FETCH 1:* (FLAGS)", b"x" * 300], [b"token"], 400)
        rng = random.Random(1)
        made = [mutator.make(rng) for _ in range(2_000)]
        self.assertLessEqual(max(map(len, made)), 400)
        self.assertGreater(len(set(made)), 500)
        self.assertTrue(any(b"token" in each for each in made))
        self.assertIn(b"A1 FETCH 1:* (FLAGS)", made)


class CommandTests(SynchronousTestCase):
    """
    C{python -m tests.fuzz}.
    """

    def main(self, *arguments: str) -> tuple[int, str, str]:
        """
        Its exit status, and what it prints and complains of.
        """
        out, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(errors):
            status = main([*arguments])
        return status, out.getvalue(), errors.getvalue()

    def test_run(self) -> None:
        """
        One line for each target.
        """
        status, out, _ = self.main("--inputs", "20", "--target", "names", "--target", "reader")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"\Anames: 20 inputs in .*\nreader: 20 inputs in .*\n\Z")

    def test_only(self) -> None:
        """
        One input, with those of its era before it.
        """
        probes: list[_Probe] = []

        class Again(_Probe):
            def __init__(self) -> None:
                super().__init__(lambda data: check(len(self.inputs) < 3, "again"))
                probes.append(self)

        TARGETS["probe"] = Again
        self.addCleanup(TARGETS.pop, "probe")
        status, _, errors = self.main("--target", "probe", "--only", "8")
        self.assertEqual((status, len(probes[-1].inputs)), (1, 3))
        self.assertIn("probe, input 8 of seed 0: Broken: again", errors)
        status, _, _ = self.main("--target", "probe", "--only", "7")
        self.assertEqual((status, len(probes[-1].inputs)), (0, 2))

    def test_wrong(self) -> None:
        """
        Arguments that make no sense.
        """
        for arguments in (("--inputs", "0"), ("--target", "nothing"), ("--inputs", "x")):
            self.assertRaises(SystemExit, self.main, *arguments)
