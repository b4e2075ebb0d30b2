"""
For the tests of other projects, and of this one.

L{MailServer} is a real IMAP server in one line, with L{faults<mailstore.testing.faults.Faults>} that can
be injected; under pytest there is the fixture C{mailserver} (L{mailstore.pytestplugin}).
C{transcripts} plays conversations.  C{storetests} holds what every implementation of
L{IStore<mailstore.interfaces.IStore>} must pass; it needs trial, and is imported by its own name.
"""

from mailstore.testing.commandfaults import Fault
from mailstore.testing.contents import NotArrived, NotDelivered, NotLoaded
from mailstore.testing.server import MailServer
from mailstore.testing.stored import Mail

__all__ = ["Fault", "Mail", "MailServer", "NotArrived", "NotDelivered", "NotLoaded"]
