"""
Who decides whether somebody is who they say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from zope.interface import Attribute, Interface


class IAuthenticator(Interface):
    """
    Who decides whether somebody is who they say.
    """

    def authenticate(user: str, password: str) -> Awaitable[str]:
        """
        Check a name and a password.

        @return: the one spelling of the user's name, to be used from now on.
        @raise SignInRefused: no such user, or not this password: which of the
            two, is not to be told by the answer or by its time.
        @raise StoreError: as every method of L{IStore}: it could not be found out.
        """


class IMechanisms(IAuthenticator):
    """
    An authenticator that can do more than look at a password.
    """

    mechanisms: tuple[str, ...] = Attribute(
        "Names of SASL mechanisms (RFC 4422 section 3.1) beside C{PLAIN}, the best first; they work now."
        "  Those that end with C{-PLUS} are offered only where there is channel binding."
    )

    def converse(
        mechanism: str,
        first: bytes | None,
        ask: Callable[[bytes], Awaitable[bytes]],
        bindings: Mapping[str, bytes],
    ) -> Awaitable[str]:
        """
        Lead a client through a mechanism.

        @param mechanism: one of L{mechanisms}.
        @param first: the client's first words, if it has sent them already.
        @param ask: sends a challenge and gives the client's answer, both
            without any encoding.  What it raises is let through.
        @param bindings: what the connection is known by, by the names of the types of channel binding
            (RFC 5056); none if no mechanism with channel binding was offered on it.
        @return: as L{authenticate}; the client has been told and agreed.
        @raise SignInRefused: as L{authenticate}.
        @raise SignInGarbled: the client does not follow the mechanism.
        @raise StoreError: as L{authenticate}.
        """
