"""
What the server says it can do, which is what works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.imap.states import State
from mailstore.imap.wire.extensions import Extension
from mailstore.interfaces import IMechanisms

if TYPE_CHECKING:
    from mailstore.imap.session import Session

#: What every session has.  In place of the first the front end may announce the second
#: (RFC 7888 section 5: never both).
LITERAL_PLUS, LITERAL_MINUS = "LITERAL+", "LITERAL-"
ALWAYS = ("IMAP4rev1", "IMAP4rev2", LITERAL_PLUS, "ID", "ENABLE", "SASL-IR")

#: What the names of mechanisms end with that need channel binding (RFC 5801 section 3.2).
BOUND = "-PLUS"

#: What is of use after sign-in.
SIGNED_IN = (
    *(
        "NAMESPACE",
        "CHILDREN",
        "IDLE",
        "NOTIFY",
        "UIDPLUS",
        "MOVE",
        "MULTIAPPEND",
        "REPLACE",
        "CATENATE",
        "UNSELECT",
        "STATUS=SIZE",
    ),
    *("LIST-EXTENDED", "LIST-STATUS", "LIST-MYRIGHTS", "LIST-METADATA", "SPECIAL-USE", "CREATE-SPECIAL-USE"),
    *("ACL", "RIGHTS=texk", "QUOTA", "QUOTASET", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "METADATA"),
    "APPENDLIMIT",
    *(
        "ESEARCH",
        "PARTIAL",
        "INPROGRESS",
        "SEARCHRES",
        "MULTISEARCH",
        "WITHIN",
        "SORT",
        "ESORT",
        "THREAD=REFERENCES",
        "THREAD=ORDEREDSUBJECT",
    ),
    *("CONDSTORE", "QRESYNC", "OBJECTID", "SAVEDATE", "PREVIEW", "BINARY", "UTF8=ACCEPT"),
)

#: The extensions whose words commands may use: an announced name is enough.
_WORDS = frozenset(
    each for each in Extension if each.value in {name.partition("=")[0] for name in (*ALWAYS, *SIGNED_IN)}
)

#: What ENABLE can switch on (RFC 5161), each by its upper case.
ENABLEABLE = {name.upper(): name for name in ("CONDSTORE", "QRESYNC", "IMAP4rev2", "UTF8=ACCEPT")}

#: The same for a client that has not enabled QRESYNC (RFC 7162 section 3.2.3).
_WORDS_BEFORE_QRESYNC = _WORDS - {Extension.QRESYNC}


def extensions(session: Session) -> frozenset[Extension]:
    """
    What the grammar knows in a session: the words of an extension are taken where it is announced.
    """
    return _WORDS if session.qresync else _WORDS_BEFORE_QRESYNC


def mayLogin(session: Session) -> bool:
    """
    Whether a password may be sent: under TLS, or where nobody can listen (RFC
    9051 section 11.3).
    """
    return bool(session.link.secure or session.link.local)


def mechanisms(session: Session) -> tuple[str, ...]:
    """
    The SASL mechanisms that work, the best first; C{PLAIN} always does.
    """
    authenticator = session.front.authenticator
    more: tuple[str, ...] = ()
    if IMechanisms.providedBy(authenticator):
        more = authenticator.mechanisms
    bound = tuple(each for each in more if each.endswith(BOUND))
    if bound and not session.link.bindings:
        more = tuple(each for each in more if each not in bound)
    return (*more, "PLAIN")


def capabilities(session: Session) -> str:
    """
    The capabilities of a session at this moment, separated by spaces.
    """
    names = list(ALWAYS)
    if session.state is State.NOT_AUTHENTICATED:
        if session.link.can_start_tls:
            names.append("STARTTLS")
        if mayLogin(session):
            offered = mechanisms(session)
            session.bound_offered |= any(each.endswith(BOUND) for each in offered)
            names += [f"AUTH={each}" for each in offered]
        else:
            names.append("LOGINDISABLED")
    else:
        if session.front.unauthenticate:
            names.append("UNAUTHENTICATE")
        if session.compression is None:
            names.append("COMPRESS=DEFLATE")
    names += SIGNED_IN
    # RFC 7889 section 2: it is the same for all folders.
    names[names.index("APPENDLIMIT")] += f"={session.limits.max_message}"
    if session.front.literal_minus:
        names[names.index(LITERAL_PLUS)] = LITERAL_MINUS
    return " ".join(names)
