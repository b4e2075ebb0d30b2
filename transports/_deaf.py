"""
The receiver of a channel that nobody wants.
"""

from __future__ import annotations

from twisted.python.failure import Failure
from zope.interface import implementer

from transports.interfaces import IReceiver


@implementer(IReceiver)
class Deaf:
    """
    Hears nothing.  A channel that is about to be aborted is started with it, so
    that whoever has called its C{close} meanwhile is told that it is closed.
    """

    def messageReceived(self, message: bytes) -> None:
        """
        See L{IReceiver}.
        """

    def channelLost(self, reason: Failure) -> None:
        """
        See L{IReceiver}.
        """
