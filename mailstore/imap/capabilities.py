"""
What the server says it can do, which is what works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.imap.states import State

if TYPE_CHECKING:
    from mailstore.imap.session import Session

#: What every session has.
ALWAYS = ("IMAP4rev1", "LITERAL+", "ID", "ENABLE", "SASL-IR")

#: What is of use after sign-in.
SIGNED_IN = ("NAMESPACE", "CHILDREN", "IDLE", "UIDPLUS", "MOVE", "MULTIAPPEND", "UNSELECT", "STATUS=SIZE")

#: What ENABLE can switch on (RFC 5161).
ENABLEABLE: frozenset[str] = frozenset()


def mayLogin(session: Session) -> bool:
    """
    Whether a password may be sent: under TLS, or where nobody can listen (RFC
    9051 section 11.3).
    """
    return bool(session.link.secure or session.link.local)


def capabilities(session: Session) -> str:
    """
    The capabilities of a session at this moment, separated by spaces.
    """
    names = list(ALWAYS)
    if session.state is State.NOT_AUTHENTICATED:
        if session.link.can_start_tls:
            names.append("STARTTLS")
        names.append("AUTH=PLAIN" if mayLogin(session) else "LOGINDISABLED")
    return " ".join((*names, *SIGNED_IN))
