"""
A strict reader of what FETCH says, for tests: RFC 3501 and RFC 9051 section 9,
and nothing beyond them.  It refuses what clients may or may not forgive.
"""

from __future__ import annotations

import re
from typing import Any

#: A parenthesized list is a tuple, a string is bytes, a number is an int, NIL is C{None}.
Value = Any

_NUMBER = re.compile(rb"0|[1-9][0-9]*")
# QUOTED-CHAR of RFC 3501: <any TEXT-CHAR except quoted-specials> / "\" quoted-specials;
# TEXT-CHAR is 7-bit without NUL, CR and LF.
_QUOTED = re.compile(rb'"((?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{(0|[1-9][0-9]*)\}\r\n")


class Malformed(Exception):
    """
    This is not what the RFCs allow.
    """


def read(data: bytes) -> Value:
    """
    Read one value, all of C{data}.

    @raise Malformed: it is none.
    """
    value, position = _value(data, 0)
    if position != len(data):
        raise Malformed(f"something follows at {position}: {data!r}")
    return value


def _value(data: bytes, position: int) -> tuple[Value, int]:
    first = data[position : position + 1]
    if first == b"(":
        return _list(data, position)
    if first == b'"':
        match = _QUOTED.match(data, position)
        if match is None:
            raise Malformed(f"no quoted string at {position}: {data!r}")
        return re.sub(rb"\\(.)", rb"\1", match[1]), match.end()
    if first == b"{":
        match = _LITERAL.match(data, position)
        if match is None:
            raise Malformed(f"no literal at {position}: {data!r}")
        end = match.end() + int(match[1])
        content = data[match.end() : end]
        if len(data) < end or b"\0" in content:
            raise Malformed(f"a literal that is cut short, or with NUL, at {position}: {data!r}")
        return content, end
    if data[position : position + 3] == b"NIL":
        return None, position + 3
    match = _NUMBER.match(data, position)
    if match is None:
        raise Malformed(f"no value at {position}: {data!r}")
    return int(match[0]), match.end()


def _list(data: bytes, position: int) -> tuple[tuple[Value, ...], int]:
    # Members are parted by one space; two lists may also follow each other
    # (1*address, 1*body).
    members: list[Value] = []
    position += 1
    while data[position : position + 1] != b")":
        if members:
            if data[position : position + 1] == b" ":
                position += 1
            elif not (isinstance(members[-1], tuple) and data[position : position + 1] == b"("):
                raise Malformed(f"no space at {position}: {data!r}")
        value, position = _value(data, position)
        members.append(value)
    return tuple(members), position + 1


def _check(condition: bool, what: str, value: Value) -> None:
    if not condition:
        raise Malformed(f"{what}: {value!r}")


def _isNstring(value: Value) -> bool:
    return value is None or isinstance(value, bytes)


def checkEnvelope(value: Value) -> None:
    """
    Check that a value is an C{envelope}.

    @raise Malformed: it is not.
    """
    _check(isinstance(value, tuple) and len(value) == 10, "envelope", value)
    for at in (0, 1, 8, 9):
        _check(_isNstring(value[at]), "nstring", value[at])
    for each in value[2:8]:
        if each is None:
            continue
        _check(isinstance(each, tuple) and len(each) > 0, "address list", each)
        for address in each:
            _check(isinstance(address, tuple) and len(address) == 4, "address", address)
            _check(all(map(_isNstring, address)), "address", address)


def checkBody(value: Value, extended: bool) -> None:
    """
    Check that a value is a C{body}, with all its extension data or without any.

    @raise Malformed: it is not.
    """
    _check(isinstance(value, tuple) and len(value) > 0, "body", value)
    members: list[Value] = list(value)
    if isinstance(members[0], tuple):
        while members and isinstance(members[0], tuple):
            checkBody(members.pop(0), extended)
        _check(bool(members) and isinstance(members.pop(0), bytes), "subtype", value)
        if extended:
            _check(bool(members), "parameters", value)
            _checkParams(members.pop(0))
    else:
        _check(len(members) >= 7, "fields", value)
        media, subtype, params, identity, description, encoding, octets = members[:7]
        del members[:7]
        _check(isinstance(media, bytes) and isinstance(subtype, bytes), "media type", value)
        _checkParams(params)
        _check(_isNstring(identity) and _isNstring(description), "nstrings", value)
        _check(isinstance(encoding, bytes) and isinstance(octets, int), "encoding and octets", value)
        kind = (media.upper(), subtype.upper())
        if kind in ((b"MESSAGE", b"RFC822"), (b"MESSAGE", b"GLOBAL")):
            _check(len(members) >= 3, "message", value)
            checkEnvelope(members.pop(0))
            checkBody(members.pop(0), extended)
        _check(kind[0] != b"MULTIPART", "multipart that has no parts", value)
        if kind[0] == b"TEXT" or kind in ((b"MESSAGE", b"RFC822"), (b"MESSAGE", b"GLOBAL")):
            _check(bool(members) and isinstance(members.pop(0), int), "lines", value)
        if extended:
            _check(bool(members) and _isNstring(members.pop(0)), "MD5", value)
    if extended:
        _check(len(members) == 3, "extension data", value)
        disposition, language, location = members
        if disposition is not None:
            _check(isinstance(disposition, tuple) and len(disposition) == 2, "disposition", value)
            _check(isinstance(disposition[0], bytes), "disposition", value)
            _checkParams(disposition[1])
        if isinstance(language, tuple):
            _check(len(language) > 0 and all(isinstance(each, bytes) for each in language), "language", value)
        else:
            _check(_isNstring(language), "language", value)
        _check(_isNstring(location), "location", value)
    else:
        _check(not members, "extension data", value)


def _checkParams(value: Value) -> None:
    if value is None:
        return
    _check(isinstance(value, tuple) and len(value) > 0 and len(value) % 2 == 0, "parameters", value)
    _check(all(isinstance(each, bytes) for each in value), "parameters", value)
