"""
Tests for L{mailstore.pytestplugin}: the fixtures, as another project uses them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mailstore.supervisor import childEnvironment
from tests.channels import shortDirectory

CONFTEST = """
import pytest

@pytest.fixture
def mailserver_options():
    return {"users": {"alice": "secret"}, "folders": ["Public Folders/Common"]}
"""

TESTS = """
import imaplib
import pytest

def signIn(server, user="alice", password="secret"):
    client = imaplib.IMAP4(server.host, server.port)
    client.login(user, password)
    return client

def test_plain(mailserver):
    mailserver.deliver(b"Subject: hello\\r\\n\\r\\nworld\\r\\n", "alice")
    assert signIn(mailserver).select() == ("OK", [b"1"])

def test_anew(mailserver):
    assert mailserver.messages("INBOX", "alice") == ()
    assert mailserver.messages("Public Folders/Common") == ()

@pytest.mark.mailserver(users={"bob": "geheim"}, tls=True)
class TestMarked:
    def test_class(self, mailserver):
        signIn(mailserver, "bob", "geheim")
        assert mailserver.tls_port

    @pytest.mark.mailserver(users={"carol": "x"})
    def test_nearest(self, mailserver):
        signIn(mailserver, "carol", "x")
        assert mailserver.tls_port

def test_several(mailserver_factory):
    first, second = mailserver_factory(), mailserver_factory(users={"dave": "x"})
    signIn(first)
    signIn(second, "dave", "x")

def test_fault(mailserver):
    client = signIn(mailserver)
    with mailserver.faults.refuse("SELECT"):
        assert client.select()[0] == "NO"

def test_failing(mailserver):
    mailserver.waitFor("INBOX", "alice", timeout=0.01)

@pytest.mark.mailserver("alice")
def test_misused(mailserver):
    pass
"""

IDLE = """
import sys

def test_nothing():
    assert "mailstore.testing.server" not in sys.modules
    assert "twisted" not in sys.modules
"""


class PluginTests(SynchronousTestCase):
    """
    pytest, run in a directory of its own.
    """

    def pytest(self, **files: str) -> str:
        """
        What it says of some files.
        """
        directory = Path(shortDirectory(self))
        for name, text in files.items():
            (directory / f"{name}.py").write_text(text, "utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "mailstore.pytestplugin", "-p", "no:cacheprovider"),
                *("--strict-markers", "-rA", "--rootdir", str(directory), str(directory)),
            ],
            env={**os.environ, **childEnvironment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            cwd=directory,
            capture_output=True,
            timeout=120,
        )
        return done.stdout.decode()

    def test_fixtures(self) -> None:
        """
        The fixtures, the mark, and what a project says for all its tests; each test has a server of its own,
        and what does not arrive is a failure that says what is there.
        """
        said = self.pytest(conftest=CONFTEST, test_it=TESTS)
        outcomes = {
            name.rpartition("::")[2]: outcome
            for outcome, name in re.findall(r"^(PASSED|FAILED|ERROR) (\S+)", said, re.MULTILINE)
        }
        wanted = dict.fromkeys(
            ("test_plain", "test_anew", "test_class", "test_nearest", "test_several", "test_fault"), "PASSED"
        )
        self.assertEqual(outcomes, {**wanted, "test_failing": "FAILED", "test_misused": "ERROR"}, said)
        self.assertIn("0 of 1 messages in INBOX", said)
        self.assertIn("the mark mailserver takes arguments with names only", said)

    def test_idle(self) -> None:
        """
        Projects that do not use it do not pay for it: nothing is imported before it is needed.
        """
        self.assertIn("1 passed", self.pytest(test_idle=IDLE))

    def test_installed(self) -> None:
        """
        The distribution tells pytest where it is.
        """
        parser = ConfigParser()
        parser.read(Path(__file__).parents[1] / "setup.cfg", "utf-8")
        self.assertIn("mailstore = mailstore.pytestplugin", parser["options.entry_points"]["pytest11"])
