"""
Tokens that a test gives out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from mailstore.auth.bearer import IBearerToken


@implementer(ICredentialsChecker)
class TokenChecker:
    """
    Knows tokens and whose they are.
    """

    credentialInterfaces = (IBearerToken,)

    def __init__(self, tokens: Mapping[str, str]) -> None:
        """
        @param tokens: users by their tokens.
        """
        self._tokens = {token.encode(): user.encode() for token, user in tokens.items()}

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        See L{ICredentialsChecker}.
        """
        user = self._tokens.get(credentials.token)
        if user is None or credentials.username not in (b"", user):
            return fail(UnauthorizedLogin("no such token"))
        return succeed(user)
