"""
For the tests of other projects, and of this one.

L{MailServer} is a real IMAP server in one line.  C{storetests} holds what every
implementation of L{IStore<mailstore.interfaces.IStore>} must pass; it needs
trial, and is imported by its own name.
"""

from mailstore.testing.server import MailServer, NotLoaded

__all__ = ["MailServer", "NotLoaded"]
