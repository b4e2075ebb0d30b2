"""
What the C{mailstore} command says to its user.
"""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def say(line: str) -> None:
    """
    Say something on standard output.
    """
    print(line)


def complain(line: str) -> None:
    """
    Say on standard error what is wrong.
    """
    print(f"mailstore: {shown(line)}", file=sys.stderr)


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


def sized(size: int) -> str:
    """
    C{"512 bytes"}, C{"1.5 MiB"}.
    """
    if size < 1024:
        return counted(size, "byte")
    units = ("KiB", "MiB", "GiB", "TiB")
    power = min(len(units), (size.bit_length() - 1) // 10)
    return f"{size / 1024**power:.1f} {units[power - 1]}"


def bytesBar() -> Any:
    """
    A progress bar of bytes; without a terminal (disable=None) there is none.
    """
    return tqdm(unit="B", unit_scale=True, disable=None, leave=False)
