"""
Tests of scripts that bring their own server.
"""

from __future__ import annotations

import io
import sys
import textwrap
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.testing import transcripts
from mailstore.testing.transcripts import NotOffered, Script, ScriptError, TranscriptFailed, run, runIn
from mailstore.testing.transcripts.__main__ import main


def documented() -> str:
    """
    The script in the documentation.
    """
    assert transcripts.__doc__ is not None
    _, _, text = transcripts.__doc__.partition("::\n\n")
    return textwrap.dedent(text.partition("\nPlay it")[0])


HEADER = """\
User: ann s3cret
User: bob
Folder: Public Folders/News
Rights: lrsi bob Public Folders/News
Message: (\\Flagged) Other Users/ann/INBOX
| Subject: x
|
| y
Messages: 3 Public Folders/News
Limit: imap.max_literal = 1000

C: b LOGIN ann s3cret
S: b OK ...
C: c STATUS INBOX (MESSAGES SIZE)
S: * STATUS INBOX (MESSAGES 1 SIZE 17)
S: c OK ...
C: d STATUS "Public Folders/News" (MESSAGES)
S: * STATUS "Public Folders/News" (MESSAGES 3)
S: d OK ...
C: e STATUS {1001}
S: e NO [TOOBIG] ...
B C: a LOGIN bob secret
B S: a OK ...
B C: b MYRIGHTS "Public Folders/News"
B S: * MYRIGHTS "Public Folders/News" ${/[lrsi]{4}/}
B S: b OK ...
"""

TLS = """\
TLS: yes
User: ann

C: a STARTTLS
S: a OK ...
C: ${tls}
C: b LOGIN ann secret
S: b OK ...
"""


DEAF = """\
Session: A ann in INBOX
Message: Other Users/ann/INBOX
| x

A C: ${deaf}
A C: a FETCH 1 RFC822.SIZE
B C: a NOOP
B S: a OK ...
A C: ${hear}
A S: * 1 FETCH (RFC822.SIZE 3)
A S: a OK ...
"""


class RunInTests(TestCase):
    """
    L{runIn}, in this program's own reactor.
    """

    async def test_header(self) -> None:
        """
        It is the same as L{run}.
        """
        from twisted.internet import reactor

        await runIn(reactor, Script.parse(HEADER))
        with self.assertRaises(TranscriptFailed):
            await runIn(reactor, Script.parse(HEADER.replace("MESSAGES 3", "MESSAGES 4")))

    async def test_tls(self) -> None:
        """
        A client can start TLS, and talk under it.
        """
        from twisted.internet import reactor

        await runIn(reactor, Script.parse(TLS))

    async def test_deaf(self) -> None:
        """
        A client can stop to read for a while, and hears nothing if it does not begin again.
        """
        from twisted.internet import reactor

        await runIn(reactor, Script.parse(DEAF))
        with self.assertRaises(TranscriptFailed):
            await runIn(reactor, Script.parse(DEAF.replace("A C: ${hear}\n", "")), patience=0.05)


class RunTests(SynchronousTestCase):
    """
    L{run}.
    """

    def test_documented(self) -> None:
        """
        The script in the documentation passes, and fails when it is wrong.
        """
        run(Script.parse(documented()))
        wrong = documented().replace("B S: * 1 EXPUNGE", "B S: * 2 EXPUNGE")
        error = self.assertRaises(TranscriptFailed, run, Script.parse(wrong))
        self.assertIn("got:      * 1 EXPUNGE", str(error))

    def test_header(self) -> None:
        """
        Users with passwords, folders, rights, messages and limits are there.
        """
        run(Script.parse(HEADER))

    def test_tls(self) -> None:
        """
        A client can start TLS, and talk under it.
        """
        run(Script.parse(TLS))

    def test_never(self) -> None:
        """
        An answer that does not come is waited for no longer than wanted.
        """
        script = Script.parse("Session: ann\nC: a IDLE\nS: + ...\nS: * 1 EXISTS\n")
        error = self.assertRaises(TranscriptFailed, run, script, patience=0.05)
        self.assertIn("nothing in time", str(error))

    def test_notOffered(self) -> None:
        """
        What the server cannot do is told.
        """
        script = Script.parse("Require: XYZZY\nSession: ann\nC: a NOOP\nS: a OK ...")
        self.assertRaises(NotOffered, run, script)

    def test_bad(self) -> None:
        """
        A header that cannot be fulfilled is told with the script's name.
        """
        for line in (
            "Limit: imap.max_lnie = 3",
            "Limit: imap.max_line = x",
            "Limit: imap.max_line = 1",
            "Setting: x.y = 1",
        ):
            script = Script.parse(f"{line}\nC: a NOOP\nS: a OK ...", "x.txt")
            self.assertTrue(str(self.assertRaises(ScriptError, run, script)).startswith("x.txt: "))


class MainTests(SynchronousTestCase):
    """
    C{python -m mailstore.testing.transcripts}.
    """

    def main(self, *arguments: str) -> tuple[int, str, str]:
        """
        Its exit code, and what it prints.
        """
        output, errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", output)
        self.patch(sys, "stderr", errors)
        return main(arguments), output.getvalue(), errors.getvalue()

    def write(self, text: str) -> str:
        """
        A file with a script.
        """
        path = Path(self.mktemp())
        path.write_text(text)
        return str(path)

    def test_played(self) -> None:
        """
        Scripts that pass are counted, those that fail are shown, each by its own server.
        """
        good = self.write("Session: ann\nC: a CREATE x\nS: a OK ...\n")
        bad = self.write("Session: ann\nC: a NOOP\nS: a NO ...\n")
        missing = self.write("Messages: 1 Public Folders/None\nC: a NOOP\nS: a OK ...\n")
        self.assertEqual(self.main(good, good), (0, "2 played, 0 failed\n", ""))
        code, output, _ = self.main(good, bad, missing)
        self.assertEqual(code, 1)
        self.assertIn(f"{bad}:3: the session: S: a NO ...\n", output)
        self.assertIn(f"{missing}: ", output)
        self.assertIn("3 played, 2 failed\n", output)

    def test_wrong(self) -> None:
        """
        What is no script, no file and no option is told in a line.
        """
        for arguments in ((), ("/none",), (self.write("what"),), ("--what",)):
            code, output, errors = self.main(*arguments)
            self.assertEqual((code, output, errors.count("\n")), (2, "", 1))
            self.assertTrue(errors.startswith("mailstore.testing.transcripts: "))
