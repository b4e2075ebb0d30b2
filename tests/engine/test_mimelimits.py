"""
How far messages are taken apart.
"""

from __future__ import annotations

from mailstore.engine import EngineLimits, Store
from mailstore.message.structure import Message, Part
from mailstore.model import FetchSpec, Section, SectionKind, UidSet
from tests.engine.enginecase import EngineCase

_ALL = UidSet(((1, 1000),))

_MIXED = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"


def _counts(message: Message) -> bytes:
    """
    How deep it is, and how many parts its outermost multipart has.
    """
    depth, part = 0, message.root
    while part.parts or part.message is not None:
        inner: Part | None = part.parts[0] if part.parts else part.message
        assert inner is not None
        depth, part = depth + 1, inner
    return b"%d deep, %d parts" % (depth, len(message.root.parts))


class MimeLimitsTests(EngineCase):
    """
    C{max_mime_depth} and C{max_mime_parts}.
    """

    def _open(self, path: str, **limits: int) -> Store:
        return self.open(path, EngineLimits(**limits), renditions={"counts": _counts})

    def _said(self, store: Store) -> list[bytes]:
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        batches = self.all(store.fetch("alice", folder, _ALL, FetchSpec(renditions=("counts",))))
        return [each for batch in batches for each in batch.renditions[0]]

    def test_reached(self) -> None:
        """
        A message is taken apart down to the bounds, and no further; its sections can be read as far.
        """
        store = self._open(":memory:", max_mime_depth=3, max_mime_parts=6)
        self.users(store, "alice")
        deep = b"".join(_MIXED % (at, at) for at in range(10)) + b"\r\nx\r\n"
        wide = _MIXED % (0, 0) + b"\r\nx\r\n--b0\r\n" * 10
        self.append(store, "alice", "INBOX", deep, wide)
        self.assertEqual(self._said(store), [b"3 deep, 1 parts", b"1 deep, 5 parts"])
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        found = []
        for part in ((5,), (6,)):
            spec = FetchSpec(sections=(Section(SectionKind.ALL, part, (), None),))
            (batch,) = self.all(store.fetch("alice", folder, UidSet(((2, 2),)), spec))
            found.append(batch.sections[0][0])
        self.assertTrue(found[0])
        self.assertFalse(found[1])

    def test_changed(self) -> None:
        """
        When a bound is changed, what is kept of the messages that are there is made again.
        """
        path = self.path()
        first = self._open(path)
        self.users(first, "alice")
        self.append(first, "alice", "INBOX", b"".join(_MIXED % (at, at) for at in range(70)))
        self.assertEqual(self._said(first), [b"50 deep, 1 parts"])
        self.now(first.close())
        second = self._open(path, max_mime_depth=100)
        self.assertEqual(self._said(second), [b"70 deep, 1 parts"])
        self.now(second.close())
        self.assertEqual(self._said(self._open(path, max_mime_depth=1)), [b"1 deep, 1 parts"])

    def test_bounds(self) -> None:
        """
        They cannot be set beyond what the rest can take.
        """
        for name, value in (("max_mime_depth", 0), ("max_mime_depth", 101), ("max_mime_parts", 10_001)):
            error = self.assertRaises(ValueError, EngineLimits, **{name: value})
            self.assertIn(name, str(error))
