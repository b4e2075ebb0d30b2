"""
The state machine of a session (RFC 9051 section 3), on one screen.

::

                      +----------------------+
                      |connection established|
                      +----------------------+
                                 ||
                                 \\/
               +--------------------------------------+
               |           NOT_AUTHENTICATED          |--- logout, bounds, loss --+
               +--------------------------------------+                           |
                    || sign-in     /\\ unauthenticate                              |
                    \\/             ||                                             |
               +--------------------------------------+                           |
               |             AUTHENTICATED            |--- logout, bounds, loss --+
               +--------------------------------------+                           |
                    || opened     /\\ closed, or opening another failed            |
                    \\/            ||                                              |
               +--------------------------------------+                           |
               |               SELECTED               |--- logout, bounds, loss --+
               +--------------------------------------+    folder deleted         |
                                                                                  \\/
                                                                             +--------+
                                                                             | LOGOUT |
                                                                             +--------+
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """
    Where a session is.
    """

    # Each is there once: Enum's own hash is that of its name, and slow.
    __hash__ = object.__hash__

    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


class Event(enum.Enum):
    """
    What can move a session from one state to another.
    """

    # Each is there once: Enum's own hash is that of its name, and slow.
    __hash__ = object.__hash__

    #: A sign-in succeeded.
    SIGNED_IN = "signed in"
    #: The client is nobody any more (RFC 8437).
    SIGNED_OUT = "signed out"
    #: A folder was opened.
    OPENED = "opened"
    #: The open folder was closed, or is not there any more.
    CLOSED = "closed"
    #: The session is over.
    ENDED = "ended"


#: The whole machine; what is not here cannot happen.
TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.NOT_AUTHENTICATED, Event.SIGNED_IN): State.AUTHENTICATED,
    (State.AUTHENTICATED, Event.OPENED): State.SELECTED,
    (State.SELECTED, Event.OPENED): State.SELECTED,
    (State.SELECTED, Event.CLOSED): State.AUTHENTICATED,
    (State.AUTHENTICATED, Event.CLOSED): State.AUTHENTICATED,
    (State.AUTHENTICATED, Event.SIGNED_OUT): State.NOT_AUTHENTICATED,
    (State.NOT_AUTHENTICATED, Event.ENDED): State.LOGOUT,
    (State.AUTHENTICATED, Event.ENDED): State.LOGOUT,
    (State.SELECTED, Event.ENDED): State.LOGOUT,
    (State.LOGOUT, Event.ENDED): State.LOGOUT,
}

#: States for commands, as the registry's rows name them.
ANY = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
BEFORE_LOGIN = frozenset({State.NOT_AUTHENTICATED})
SIGNED_IN = frozenset({State.AUTHENTICATED, State.SELECTED})
SELECTED = frozenset({State.SELECTED})


def after(state: State, event: Event) -> State:
    """
    Where C{event} leads from C{state}.

    @raise ValueError: it cannot happen there; a mistake in this program.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"{event.value!r} cannot happen in the state {state.value!r}") from None
