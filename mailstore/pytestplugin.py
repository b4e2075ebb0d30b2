"""
Fixtures for pytest: a mail server for each test that asks for one.

It is there wherever C{mailstore} is installed (C{-p no:mailstore} turns it off)::

    import imaplib
    import pytest

    @pytest.mark.mailserver(users={"alice": "secret"}, folders=["Public Folders/News"])
    def test_news(mailserver):
        mailserver.deliver(b"Subject: hello\\r\\n\\r\\nworld\\r\\n", "alice")
        client = imaplib.IMAP4(mailserver.host, mailserver.port)
        client.login("alice", "secret")

What all tests of a project or a module have in common is said by a fixture of theirs in place of
C{mailserver_options}; a mark adds to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mailstore.testing.server import MailServer


def pytest_configure(config: pytest.Config) -> None:
    """
    Make the mark known.
    """
    config.addinivalue_line(
        "markers",
        "mailserver(**options): how the server of the fixture mailserver is made (MailServer's arguments)",
    )


@pytest.fixture
def mailserver_options() -> dict[str, Any]:
    """
    The arguments with which servers are made, for projects to override.
    """
    return {}


@pytest.fixture
def mailserver_factory(mailserver_options: dict[str, Any]) -> Iterator[Callable[..., MailServer]]:
    """
    Makes running servers, L{MailServer<mailstore.testing.MailServer>}, each with its own arguments beside
    those of C{mailserver_options}.  They are stopped when the test ends.
    """
    # Not before somebody asks: most tests of most projects need no server.
    from mailstore.testing.server import MailServer

    with ExitStack() as running:

        def make(**options: Any) -> MailServer:
            return running.enter_context(MailServer(**{**mailserver_options, **options}))

        yield make


@pytest.fixture
def mailserver(request: pytest.FixtureRequest, mailserver_factory: Callable[..., MailServer]) -> MailServer:
    """
    A running server, L{MailServer<mailstore.testing.MailServer>}, new for each test.
    """
    options: dict[str, Any] = {}
    # The nearest mark comes first: it has the last word.
    for mark in reversed(list(request.node.iter_markers("mailserver"))):
        if mark.args:
            raise pytest.UsageError("the mark mailserver takes arguments with names only")
        options |= mark.kwargs
    return mailserver_factory(**options)
