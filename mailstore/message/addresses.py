"""
Lists of addresses (RFC 5322 section 3.4), read with tolerance for what mail
really holds: every list of bytes gives some addresses, in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import attrs

#: Bytes of a field whose addresses are kept for the next who asks.
_KEPT = 256

#: Addresses of one field that are kept.
MAX_ADDRESSES = 10_000

_SPACE = b" \t\r\n"

# White space, and then an atom (whatever is between specials, so also dots and
# domain literals) or one special character.
_NEXT = re.compile(rb'([ \t\r\n]*+)(?:([^ \t\r\n()<>,;:@"]++)|(.))', re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_IN_COMMENT = re.compile(rb"(?:[^()\\]|\\.)++", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


@attrs.frozen
class Address:
    """
    One member of an address list, in the four fields of an IMAP envelope (RFC 9051 section 7.5.2).

    With C{host} C{None} it opens a group named C{mailbox}, or closes it if
    that is C{None} too.  An address without a domain has an empty host.
    """

    #: Display name as it came, without quotes; encoded words are left as they are.
    name: bytes | None = None
    #: The source route (RFC 5322 section 4.4, C{obs-route}), such as C{@a,@b}.
    route: bytes | None = None
    mailbox: bytes | None = None
    host: bytes | None = None


GROUP_END = Address()


class _Token(NamedTuple):
    # "word", "comment", or a special character.
    kind: str
    text: bytes
    # White space came before it.
    spaced: bool


def addresses(value: bytes) -> tuple[Address, ...]:
    """
    The addresses in an unfolded field value, at most L{MAX_ADDRESSES}.  Groups are
    always closed; what is no address at all becomes a mailbox without host.
    """
    return _kept(value) if len(value) <= _KEPT else tuple(_found(value))


@lru_cache(1024)
def _kept(value: bytes) -> tuple[Address, ...]:
    # The same people write all the time, and each field is asked for more than once.
    return tuple(_found(value))


def _found(value: bytes) -> list[Address]:
    result: list[Address] = []
    in_group = False
    pending: list[_Token] = []
    # Where in pending the last "<" is, while its ">" has not come.
    angle = -1
    for token in _tokens(value):
        if len(result) >= MAX_ADDRESSES:
            pending = []
            break
        kind = token.kind
        if kind == ">":
            angle = -1
        elif kind == "<":
            angle = len(pending)
        elif kind == "," and not (angle >= 0 and _isRoute(pending, angle)):
            _finish(pending, result)
            pending = []
            angle = -1
            continue
        elif kind == ";":
            if angle >= 0:
                continue
            _finish(pending, result)
            pending = []
            if in_group:
                result.append(GROUP_END)
                in_group = False
            continue
        elif kind == ":" and angle < 0 and not in_group:
            name = _phrase(pending)
            pending = []
            if name:
                result.append(Address(mailbox=name))
                in_group = True
            continue
        pending.append(token)
    _finish(pending, result)
    if in_group:
        result.append(GROUP_END)
    return result


def _tokens(value: bytes) -> Iterator[_Token]:
    position = 0
    # Once a quote or comment was found not to be closed, no later one of its kind can be.
    quotes = comments = True
    # What stands before a quote or parenthesis that is passed over.
    passed_space = False
    while True:
        match = _NEXT.match(value, position)
        if match is None:
            return
        blank, atom, special = match.groups()
        spaced = bool(blank) or passed_space
        passed_space = False
        position = match.end()
        if atom is not None:
            yield _Token("word", atom, spaced)
        elif special == b'"':
            match = _QUOTED.match(value, position - 1) if quotes else None
            quotes = match is not None
            if match is not None:
                yield _Token("word", _ESCAPE.sub(rb"\1", match[1]), spaced)
                position = match.end()
            else:
                passed_space = spaced
        elif special == b"(":
            end = _commentEnd(value, position) if comments else -1
            comments = end >= 0
            if comments:
                text = _ESCAPE.sub(rb"\1", value[position : end - 1])
                yield _Token("comment", text.strip(_SPACE), spaced)
                position = end
            else:
                passed_space = spaced
        elif special == b")":
            passed_space = spaced
        else:
            yield _Token(special.decode("ascii"), special, spaced)


def _commentEnd(value: bytes, position: int) -> int:
    # Where the comment ends whose "(" is before position; comments nest.
    depth = 1
    while position < len(value):
        match = _IN_COMMENT.match(value, position)
        if match is not None:
            position = match.end()
            continue
        special = value[position : position + 1]
        position += 1
        depth += (special == b"(") - (special == b")")
        if depth == 0:
            return position
    return -1


def _isRoute(pending: list[_Token], angle: int) -> bool:
    # Whether what stands after the "<" so far begins a source route.
    return len(pending) > angle + 1 and pending[angle + 1].kind == "@"


def _finish(pending: list[_Token], result: list[Address]) -> None:
    comments = [token.text for token in pending if token.kind == "comment" and token.text]
    tokens = [token for token in pending if token.kind != "comment"]
    if not tokens:
        return
    opening = next((at for at in range(len(tokens) - 1, -1, -1) if tokens[at].kind == "<"), None)
    route: bytes | None = None
    if opening is not None:
        name = _phrase(tokens[:opening])
        inner = tokens[opening + 1 :]
        closing = next((at for at, token in enumerate(inner) if token.kind == ">"), len(inner))
        inner = inner[:closing]
        if inner and inner[0].kind == "@":
            colon = next((at for at, token in enumerate(inner) if token.kind == ":"), None)
            if colon is not None:
                route = _joined(inner[:colon])
                inner = inner[colon + 1 :]
        local, host = _split(inner)
    else:
        before, host = _splitTokens([token for token in tokens if token.kind != ">"])
        # Words before the one that the "@" belongs to are a name that lacks its "<".
        start = next((at for at in range(len(before) - 1, 0, -1) if before[at].spaced and host), 0)
        name = _phrase(before[:start])
        local = _joined(before[start:]) if host else _phrase(before)
    if not name and comments:
        # The comment after an address was where names stood before RFC 822.
        name = comments[-1]
    if name or local or host or route:
        result.append(Address(name or None, route, local, host))


def _splitTokens(tokens: list[_Token]) -> tuple[list[_Token], bytes]:
    at = next((at for at in range(len(tokens) - 1, -1, -1) if tokens[at].kind == "@"), None)
    if at is None:
        return tokens, b""
    return tokens[:at], _joined(tokens[at + 1 :])


def _split(tokens: list[_Token]) -> tuple[bytes, bytes]:
    local, host = _splitTokens(tokens)
    return _joined(local), host


def _joined(tokens: list[_Token]) -> bytes:
    return b"".join(token.text for token in tokens)


def _phrase(tokens: list[_Token]) -> bytes:
    # Words with one space wherever there was any (RFC 5322 section 3.2.5, phrase).
    text = b"".join(
        b" " + token.text if token.spaced else token.text for token in tokens if token.kind != "comment"
    )
    return text.strip(_SPACE)
