"""
imapflow, the client of Node.js, against C{twist mailstore}.
"""

from __future__ import annotations

import json
import pathlib
import subprocess

from tests.clients.looking import folders, letter, look
from tests.clients.programs import need, nodeDirectory
from tests.clients.servercase import ServerTestCase

_SCRIPT = pathlib.Path(__file__).parent / "imapflow" / "work.mjs"

#: C{Public Folders/Wörker}, as it is written to a server.
_WORK = "Public Folders/W&APY-rker"


class ImapflowTests(ServerTestCase):
    """
    L{work.mjs<tests.clients>} does the work and says what it saw.
    """

    skip = need("node") or (None if nodeDirectory() else "imapflow is not installed (.ci/run installs it)")

    def test_works(self) -> None:
        """
        It lists, files, finds, reads, flags, copies, moves, deletes, renames and subscribes, with
        CONDSTORE enabled; it idles, and hears of a message that comes and one that goes.
        """
        server = self.serve("--demo")
        done = subprocess.run(
            ["node", str(_SCRIPT), str(nodeDirectory()), str(server.port)], capture_output=True, timeout=120
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        seen = json.loads(done.stdout)
        self.assertIn("Public Folders/Søciety", seen["folders"])
        self.assertIn("CONDSTORE", seen["enabled"])
        self.assertEqual(seen["appended"], [1, 2, 2, 3])
        self.assertEqual(seen["found"], [2, 3])
        self.assertEqual(seen["envelope"], ["one INB", "ann@example.org"])
        self.assertEqual(seen["structure"], "text/plain")
        self.assertEqual(seen["source"], letter("one INB").decode())
        self.assertIn("\\Flagged", seen["flags"])
        self.assertEqual(seen["text"], "hello\r\n")
        self.assertEqual(seen["copied"], [[2, 3]])
        self.assertEqual(seen["moved"], [[3, 4]])
        self.assertEqual(seen["left"], 1)
        self.assertEqual((seen["status"]["messages"], seen["status"]["uidNext"]), (4, 5))
        self.assertIn("Public Folders/Wörker", seen["subscribed"])
        self.assertNotIn("Public Folders/News", seen["subscribed"])
        self.assertEqual(seen["heard"], ["Public Folders/News", 1])
        self.assertEqual((seen["gone"], seen["back"]), ("Public Folders/News", 0))
        self.assertEqual(
            look(server, _WORK),
            {
                "one Pub": {"\\Flagged"},
                "two Pub": {"\\Flagged"},
                "one INB": {"\\Flagged", "\\Answered"},
                "two INB": {"\\Answered"},
            },
        )
        self.assertEqual(list(look(server, "INBOX")), ["Your mailbox"])
        self.assertIn(_WORK, folders(server))
