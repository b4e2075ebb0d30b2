"""
Which folder names a LIST pattern means (RFC 9051 section 6.3.9).

C{*} matches anything, C{%} anything without the separator, every other character
itself.  The time a match takes grows with the length of the name times the length of
the pattern and no faster, whatever the client sends.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mailstore.model import INBOX, PUBLIC_ROOT, SEPARATOR

#: Characters no name has more of than a client can send us, as an end for a range of names.
_LAST = "\U0010ffff"


class Pattern:
    """
    A pattern, made ready.

    @ivar text: its normal form: wildcards in a row are one, INBOX is in upper case.
    @ivar prefix: what every matching name begins with.
    """

    def __init__(self, reference: str, pattern: str) -> None:
        text = reference + pattern
        text = re.sub(r"[*%]*\*[*%]*", "*", text)
        text = re.sub(r"%+", "%", text)
        first, separator, rest = text.partition(SEPARATOR)
        if first.upper() == INBOX:
            text = INBOX + separator + rest
        self.text = text
        wildcard = re.search(r"[*%]", text)
        self.prefix = text if wildcard is None else text[: wildcard.start()]
        self.matches: Callable[[str], bool] = _matcher(text)

    @property
    def wildcards(self) -> int:
        """
        How many wildcards are left in the normal form.
        """
        return self.text.count("*") + self.text.count("%")

    @property
    def namesPublic(self) -> bool:
        """
        Whether it asks for public folders by name: it begins with the name of their root, written out.
        """
        return self.prefix == PUBLIC_ROOT or self.prefix.startswith(PUBLIC_ROOT + SEPARATOR)

    @property
    def end(self) -> str:
        """
        Greater than every matching name.
        """
        return self.prefix + _LAST


def _matcher(text: str) -> Callable[[str], bool]:
    if "*" in text and "%" in text:
        return _states(text)
    wildcard, anything = ("*", ".") if "*" in text else ("%", "[^/]")
    # Within one level (for "%") or the whole name (for "*"), taking each piece at the first place where it
    # stands is always right, so the groups are atomic: nothing is tried twice.  Only the last is bound to
    # the end.
    levels = text.split(SEPARATOR) if wildcard == "%" else [text]
    parts = []
    for level in levels:
        first, *others = (re.escape(each) for each in level.split(wildcard))
        last = others.pop() if others else None
        expression = first + "".join(f"(?>{anything}*?{each})" for each in others)
        parts.append(expression if last is None else f"{expression}{anything}*{last}")
    match = re.compile(re.escape(SEPARATOR).join(parts), re.DOTALL).fullmatch
    return lambda name: match(name) is not None


def _states(text: str) -> Callable[[str], bool]:
    """
    Both wildcards in one pattern: follow all places in the pattern at once, one bit each.
    """
    stars = percents = 0
    places: dict[str, int] = {}
    for at, each in enumerate(text):
        if each == "*":
            stars |= 1 << at
        elif each == "%":
            percents |= 1 << at
        else:
            places[each] = places.get(each, 0) | 1 << at
    wild = stars | percents
    done = 1 << len(text)
    start = 1 | (1 & wild) << 1

    def matches(name: str) -> bool:
        here = start
        for each in name:
            stay = stars if each == SEPARATOR else wild
            here = (here & stay) | (here & places.get(each, 0)) << 1
            if not here:
                return False
            here |= (here & wild) << 1
        return bool(here & done)

    return matches
