"""
One test method for each case of a list, so that no failure hides another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

_Class = TypeVar("_Class", bound=type)


class Named(Protocol):
    """
    A case of a list.
    """

    @property
    def name(self) -> str:
        """
        What it shows; different for each case of the list.
        """


_Method = TypeVar("_Method", bound=Callable[..., None])


def over(cases: Iterable[Named]) -> Callable[[_Method], _Method]:
    """
    Mark a test method that takes a case: there is to be one for each.  Its
    class needs L{parametrized}.
    """

    def mark(method: _Method) -> _Method:
        method.__dict__["cases"] = tuple(cases)
        return method

    return mark


def parametrized(cls: _Class) -> _Class:
    """
    Replace each method marked with L{over} by one for each case.
    """
    for name, method in list(vars(cls).items()):
        cases: tuple[Named, ...] = getattr(method, "__dict__", {}).get("cases", ())
        if not cases:
            continue
        delattr(cls, name)
        for case in cases:
            each = f"{name}_{re.sub(r'[^A-Za-z0-9]+', '_', case.name).strip('_')}"
            if hasattr(cls, each):
                raise ValueError(f"two cases are called {case.name!r}")
            setattr(cls, each, _bound(method, case))
    return cls


def _bound(method: Callable[..., None], case: Named) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        method(self, case)

    test.__doc__ = f"{(method.__doc__ or '').strip()}  Case: {case.name}."
    return test
