"""
What commands mean that clients give again and again in the same words, read once for all sessions.

What a command means depends on its words and on how the session reads them, and on nothing else; its
arguments never change.  Whether it may be given now is decided each time.  Only short commands without
literals are kept, after sign-in only, so that no password is ever among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from mailstore.lru import Cache

if TYPE_CHECKING:
    from mailstore.imap.command import Command
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.wire.extensions import Extension

#: The words behind the tag, whether names are in UTF-8, and the extensions whose words are taken.
Words: TypeAlias = "tuple[bytes, bool, frozenset[Extension]]"

#: Bytes of a command that is kept, at most.
_LONGEST = 512

#: Bytes that one costs, and that it costs for each byte in it: what it means takes more than its words.
_COST, _COST_OF_BYTE = 600, 8


class KnownCommands:
    """
    The commands that one front end has read.
    """

    def __init__(self, limits: ImapLimits) -> None:
        self._known: Cache[Words, tuple[Command, Any]] = Cache(limits.max_known_commands)

    @property
    def cost(self) -> int:
        """
        Bytes that all that is kept has, by estimate.
        """
        return self._known.cost

    def get(self, words: Words) -> tuple[Command, Any] | None:
        """
        The command, and its arguments.
        """
        return self._known.get(words)

    def add(self, words: Words, command: Command, arguments: Any) -> None:
        """
        Keep what was read; what was given longest ago goes for it.
        """
        size = len(words[0])
        if size <= _LONGEST:
            self._known.put(words, (command, arguments), _COST + _COST_OF_BYTE * size)
