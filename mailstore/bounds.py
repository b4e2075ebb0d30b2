"""
Checks of the numbers that bound something, for the classes of limits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs


def between(least: float, most: float) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """
    A validator for an attribute of type C{int} or C{float}.

    @raise ValueError: (the validator) the value is no number of that type, or not from C{least} to
        C{most}; the message names the attribute.
    """

    def check(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        whole = attribute.type in (int, "int")
        good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not good or not least <= value <= most:
            kind = "a whole number" if whole else "a number"
            raise ValueError(f"{attribute.name} must be {kind} from {least} to {most}, not {value!r}")

    return check
