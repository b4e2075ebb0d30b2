"""
A front end whose users can sign in by SCRAM.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from mailstore.auth.portal import storeAuthenticator
from mailstore.imap.limits import ImapLimits
from tests.auth.users import Users
from tests.imap.support import Server


def withScram(case: SynchronousTestCase, limits: ImapLimits | None = None, tls: Any = None) -> Server:
    """
    A front end that knows alice by the password C{secret}, and checks it at once.
    """
    server = Server(case, limits, tls)
    authenticator = storeAuthenticator(Users(), lambda function: succeed(function()), 10)
    server.factory.front.authenticator = authenticator
    return server
