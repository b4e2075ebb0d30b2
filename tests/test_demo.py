"""
Tests for L{mailstore.demo} and L{mailstore.stores}.
"""

from __future__ import annotations

import email
import email.policy
import os

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailstore.admin.commands import folderNames
from mailstore.auth.keys import verify
from mailstore.demo import PASSWORD, USERS, fillDemo
from mailstore.engine.limits import EngineLimits
from mailstore.model import FetchSpec, Section
from mailstore.stores import StoreOpenError, openStore, storePath


class DemoTests(SynchronousTestCase):
    """
    L{fillDemo}.
    """

    def test_content(self) -> None:
        """
        The users can sign in, alice is an administrator, and every message is
        one that any mail program can show.
        """
        store = openStore("sqlite::memory:", EngineLimits())

        async def look() -> None:
            await fillDemo(store)
            for user in USERS:
                credentials = await store.credentials(user)
                assert credentials is not None
                self.assertTrue(verify(credentials, PASSWORD))
            names = await folderNames(store)
            self.assertIn("Public Folders/S\u00f8ciety", names)
            self.assertEqual(await store.rights("bob", "Public Folders/Projects/Bridge"), "lrs")
            read = 0
            for name in names:
                if name in ("Public Folders", "Other Users") or name.startswith("Other Users"):
                    continue
                opened = await store.openFolder("alice", name, False)
                self.assertEqual(opened.rights, "lrswipkxtea")
                async for batch in store.fetch(
                    "alice", opened.folder, opened.uids, FetchSpec(sections=(Section(),))
                ):
                    for data in batch.sections[0]:
                        assert isinstance(data, bytes)
                        message = email.message_from_bytes(data, policy=email.policy.default)
                        self.assertEqual(message.defects, [])
                        self.assertTrue(message["subject"] and message["message-id"])
                        read += 1
            self.assertGreater(read, 5)

        self.successResultOf(Deferred.fromCoroutine(look()))


class StoresTests(SynchronousTestCase):
    """
    L{openStore} and L{storePath}.
    """

    def test_missing(self) -> None:
        """
        A store that is not there is not made by accident.
        """
        path = os.path.abspath(self.mktemp())
        error = self.assertRaises(StoreOpenError, openStore, f"sqlite:{path}", EngineLimits())
        self.assertEqual(
            str(error), f"there is no store at {path}: make one with 'mailstore init --store sqlite:{path}'"
        )
        self.assertFalse(os.path.exists(path))

    def test_path(self) -> None:
        """
        The path of each form of URL.
        """
        self.assertEqual(storePath("sqlite:mail.db"), "mail.db")
        self.assertEqual(storePath("sqlite:///var/mail.db"), "/var/mail.db")
        self.assertEqual(storePath("sqlite::memory:"), "")
        self.assertRaises(StoreOpenError, storePath, "postgresql://x")
