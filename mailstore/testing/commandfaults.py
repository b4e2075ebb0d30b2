"""
Commands that are refused, that take long, or at which the connection is dropped.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

import attrs
from zope.interface import implementer

from mailstore.imap.command import Bad, No, Reply
from mailstore.imap.intercepting import IInterceptor
from mailstore.imap.registry import COMMANDS
from mailstore.imap.session import Session, SessionOver

#: Commands that L{Interceptor.heard} remembers.
MOST_HEARD = 10_000


@attrs.frozen
class Heard:
    """
    A command that a client gave.
    """

    #: Who had signed in, or C{""}.
    user: str
    #: In upper case: C{"SELECT"}, C{"UID FETCH"}.
    name: str


def commandNames(name: str) -> frozenset[str]:
    """
    The commands that a name means: C{FETCH} is that and C{UID FETCH}, C{UID FETCH} only itself.

    @raise ValueError: there is no such command.
    """
    upper = " ".join(name.upper().split())
    found = frozenset((upper, f"UID {upper}")) & COMMANDS.keys()
    if not found:
        near = difflib.get_close_matches(upper, COMMANDS, 1, 0.6)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no command {name!r}{hint}")
    return found


class Fault:
    """
    Something that goes wrong until it is removed, or so many times.  In a C{with} it is
    removed at the end.

    @ivar hits: how many times it has gone wrong.
    """

    def __init__(self, remove: Callable[[Fault], None], times: int | None) -> None:
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError(f"times must be at least 1, or None for always, not {times!r}")
        self.hits = 0
        self._times = times
        self._remove = remove

    @property
    def spent(self) -> bool:
        """
        Whether it has gone wrong as often as was wanted.
        """
        return self._times is not None and self.hits >= self._times

    def remove(self) -> None:
        """
        All is well again.  Idempotent.
        """
        self._remove(self)

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.remove()


@attrs.define(eq=False)
class Rule:
    """
    What a fault is about, and what it does.
    """

    fault: Fault
    names: frozenset[str]
    #: Whose commands; C{""} for everybody's.
    user: str
    #: Seconds that pass first.
    seconds: float = 0.0
    #: The answer, in place of carrying it out.
    reply: Reply | None = None
    #: Whether the connection is dropped before the command is carried out, or after it.
    drop_before: bool = False
    drop_after: bool = False

    def isAbout(self, session: Session, name: str) -> bool:
        """
        Whether it is the turn of this command.
        """
        return not self.fault.spent and name in self.names and self.user in ("", session.user)


def reply(text: str, code: str, bad: bool) -> Reply:
    """
    The answer of a fault.

    @raise ValueError: that can be no answer.
    """
    for part in (text, code):
        if not part.isascii() or not (part + "x").isprintable() or "]" in code:
            raise ValueError(f"not a line of printable ASCII: {part!r}")
    return Bad(text, code) if bad else No(text, code)


@implementer(IInterceptor)
class Interceptor:
    """
    Applies the rules to all commands, the oldest first.

    @ivar heard: the last L{MOST_HEARD} commands that were understood.
    @ivar rules: what goes wrong.
    """

    def __init__(self) -> None:
        self.heard: deque[Heard] = deque(maxlen=MOST_HEARD)
        self.rules: list[Rule] = []

    async def before(self, session: Session, name: str) -> Reply | None:
        """
        See L{IInterceptor.before}.
        """
        self.heard.append(Heard(session.user, name))
        for rule in tuple(self.rules):
            if rule.drop_after or not rule.isAbout(session, name):
                continue
            rule.fault.hits += 1
            if rule.seconds:
                await session.sleep(rule.seconds)
            if rule.drop_before:
                self._drop(session)
            if rule.reply is not None:
                return rule.reply
        return None

    async def after(self, session: Session, name: str) -> None:
        """
        See L{IInterceptor.after}.
        """
        for rule in tuple(self.rules):
            if rule.drop_after and rule.isAbout(session, name):
                rule.fault.hits += 1
                self._drop(session)

    def _drop(self, session: Session) -> None:
        link: Any = session.link
        link.abort()
        raise SessionOver
