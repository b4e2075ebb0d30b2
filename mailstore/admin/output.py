"""
What the C{mailstore} command says to its user.
"""

from __future__ import annotations


class CommandFailed(Exception):
    """
    A command cannot be carried out; the message is one line that says why.

    @ivar code: the exit code.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def shown(text: str) -> str:
    """
    C{text} for a terminal: on one line, with bytes that are no UTF-8 and
    control characters written out.
    """
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def counted(number: int, singular: str, plural: str = "") -> str:
    """
    C{"1 message"}, C{"2 messages"}.
    """
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
