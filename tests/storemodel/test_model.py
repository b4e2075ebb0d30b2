"""
The store against its model; C{MAILSTORE_MODEL=1000} in the environment plays so many games of each kind.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from mailstore.engine import delivery, moving
from mailstore.model import UidSet
from tests.storemodel.machine import ChannelMachine, SharedMachine, StoreMachine

_ASKED = int(os.environ.get("MAILSTORE_MODEL", "0"))


class ModelTests(SynchronousTestCase):
    """
    Two users' requests in random sequences.
    """

    timeout = 36000 if _ASKED else 240

    def _play(self, machine: type[StoreMachine], games: int, **more: Any) -> None:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=_ASKED or games,
                stateful_step_count=40,
                deadline=None,
                derandomize=not _ASKED,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
                **more,
            ),
        )

    def test_engine(self) -> None:
        """
        The engine does what the model does.
        """
        self._play(StoreMachine, 60)

    def test_channel(self) -> None:
        """
        So does an engine with group commit behind a channel, with up to four requests under way.
        """
        self._play(ChannelMachine, 25)

    def test_shared(self) -> None:
        """
        And over shared memory, with a reactor of its own.
        """
        self._play(SharedMachine, 10)

    def test_notices(self) -> None:
        """
        A store that forgets to expunge, or to keep flags, is found out.
        """
        for module, name, fault in (
            (moving, "expunge", lambda *_: UidSet()),
            (delivery, "viewerFlagRights", lambda *_: 0),
        ):
            patched = self.patch(module, name, fault)
            self.assertRaises(
                AssertionError,
                self._play,
                StoreMachine,
                300,
                phases=(Phase.generate,),
                report_multiple_bugs=False,
            )
            patched.restore()
