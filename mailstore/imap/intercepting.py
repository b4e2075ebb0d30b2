"""
Standing between commands and what carries them out: for tests of clients, in which the server is to
do something wrong at the right moment (L{mailstore.testing.faults}).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from mailstore.imap.command import Reply
    from mailstore.imap.session import Session


class IInterceptor(Interface):
    """
    Hears of every command of every session.
    """

    def before(session: Session, name: str) -> Awaitable[Reply | None]:
        """
        A command has been received whole, and is possible in this state.

        @param name: as in the registry, such as C{"UID FETCH"}.
        @return: the reply, if the command is not to be carried out.
        @raise SessionOver: the session ends here.
        """

    def after(session: Session, name: str) -> Awaitable[None]:
        """
        The command has been carried out; its client has not been told.

        @raise SessionOver: the session ends here.
        """
