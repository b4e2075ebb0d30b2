"""
Lists of options behind a command or one of its arguments, as RFC 4466 has them
for all extensions::

    tagged-ext       = tagged-ext-label SP tagged-ext-val
    select-params    = SP "(" select-param *(SP select-param) ")"
    select-param     = select-param-name [SP select-param-value]

and in the same way C{create-params}, C{fetch-modifiers} and C{store-modifiers}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError

_Value = TypeVar("_Value")


def withoutValue() -> bool:
    """
    Reads nothing: for an option that is only a name.
    """
    return True


def withValue(reader: Reader, value: Callable[[], _Value]) -> Callable[[], _Value]:
    """
    A function that reads C{SP value}.
    """

    def read() -> _Value:
        reader.space()
        return value()

    return read


def readOptions(reader: Reader, known: Mapping[str, Callable[[], Any]], what: str) -> dict[str, Any]:
    """
    Read a list of options in parentheses, at least one.

    @param known: by name, in upper case, what reads its value with the space before it.
    @param what: what they are options of, for the error's sentence.
    @return: the values by name.
    @raise ParseError: an option is not known, or stands twice.
    """
    found: dict[str, Any] = {}

    def option() -> None:
        name = reader.word()
        read = known.get(name)
        if read is None:
            raise ParseError(f"Unknown option of {what}")
        if name in found:
            raise ParseError(f"An option of {what} stands twice")
        found[name] = read()

    reader.parenthesized(option)
    return found
