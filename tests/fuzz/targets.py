"""
All targets.
"""

from __future__ import annotations

from typing import Final

from tests.fuzz.connectiontarget import ConnectionTarget
from tests.fuzz.framertarget import FramerTarget
from tests.fuzz.messagetarget import MessageTarget
from tests.fuzz.readertarget import NameTarget, ReaderTarget
from tests.fuzz.sessiontarget import SessionTarget
from tests.fuzz.target import Target

#: Each by its name.
TARGETS: Final[dict[str, type[Target]]] = {
    "framer": FramerTarget,
    "reader": ReaderTarget,
    "names": NameTarget,
    "message": MessageTarget,
    "connection": ConnectionTarget,
    "session": SessionTarget,
}
