"""
L{mailstore.admin.publishing}.
"""

from __future__ import annotations

import errno
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from mailstore.admin.publishing import publish


class PublishTests(SynchronousTestCase):
    """
    A file gets its name, once, on file systems of every kind.
    """

    def setUp(self) -> None:
        """
        A file that is whole.
        """
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.part = self.directory / "a.part"
        self.part.write_bytes(b"whole")
        self.destination = self.directory / "a"

    def _publish(self, code: int) -> None:
        if not code:
            publish(str(self.part), str(self.destination))
            return
        with patch("mailstore.admin.publishing.os.link", side_effect=OSError(code, "no")):
            publish(str(self.part), str(self.destination))

    def test_published(self) -> None:
        """
        It is there, and no more under its other name.
        """
        for code in (0, errno.EPERM, errno.ENOTSUP):
            self.part.write_bytes(b"whole")
            self._publish(code)
            self.assertEqual(self.destination.read_bytes(), b"whole")
            self.assertFalse(self.part.exists())
            self.destination.unlink()

    def test_neverOver(self) -> None:
        """
        What is there already stays.
        """
        self.destination.write_bytes(b"precious")
        for code in (0, errno.EPERM):
            self.assertRaises(FileExistsError, self._publish, code)
            self.assertEqual(self.destination.read_bytes(), b"precious")
            self.assertTrue(self.part.exists())

    def test_failed(self) -> None:
        """
        Any other failure is told.
        """
        error = self.assertRaises(OSError, self._publish, errno.EIO)
        self.assertEqual(error.errno, errno.EIO)
        self.assertFalse(self.destination.exists())
