"""
Tests of L{mailstore.imap.states}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.states import ANY, TRANSITIONS, Event, State, after


class StatesTests(SynchronousTestCase):
    """
    The state machine of RFC 9051 section 3.
    """

    def test_everySessionEnds(self) -> None:
        """
        Every state can end, and nothing follows.
        """
        for state in State:
            self.assertIs(after(state, Event.ENDED), State.LOGOUT)
        self.assertEqual([event for state, event in TRANSITIONS if state is State.LOGOUT], [Event.ENDED])

    def test_signInOnce(self) -> None:
        """
        Who is signed in cannot sign in again.
        """
        self.assertRaises(ValueError, after, State.AUTHENTICATED, Event.SIGNED_IN)
        self.assertRaises(ValueError, after, State.SELECTED, Event.SIGNED_IN)

    def test_signOut(self) -> None:
        """
        Who is signed in can become nobody again, with no folder open.
        """
        self.assertIs(after(State.AUTHENTICATED, Event.SIGNED_OUT), State.NOT_AUTHENTICATED)
        self.assertRaises(ValueError, after, State.SELECTED, Event.SIGNED_OUT)
        self.assertRaises(ValueError, after, State.NOT_AUTHENTICATED, Event.SIGNED_OUT)

    def test_nothingOpensBeforeSignIn(self) -> None:
        """
        A folder can be opened only after sign-in.
        """
        self.assertRaises(ValueError, after, State.NOT_AUTHENTICATED, Event.OPENED)

    def test_noCommandAfterLogout(self) -> None:
        """
        No command belongs to the last state.
        """
        self.assertEqual(ANY, frozenset(State) - {State.LOGOUT})
