"""
One line that names a transport, with options::

    memory:
    unix:/run/mailstore/store:blocks=1024:block_size=4096
    shm:/run/mailstore/store:portable=no:spin=50
    tcp:store.example:9000:certificate=our.pem:key=our.key:ca=ca.pem:peer=front.example

All kinds have C{blocks} and C{block_size}; the rest is in
L{transports._schemes}.  Parts are parted by colons; a backslash takes the
special meaning from the colon, equals sign or backslash that follows it.
Further kinds of transport are found as plugins, see
L{ITransportScheme<transports.interfaces.ITransportScheme>}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs
from twisted.plugin import getPlugins

from transports._schemes import NUMBER, OUR_SCHEMES
from transports.errors import BadDescription
from transports.interfaces import ITransport, ITransportScheme
from transports.limits import Limits

#: Options of every kind of transport; they make its L{Limits}.
_LIMIT_OPTIONS = {"blocks": "capacity", "block_size": "block_size"}

_PART = re.compile(r"(?:[^\\:]|\\.)*", re.DOTALL)
_OPTION = re.compile(r"([a-z][a-z_]*)=(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@attrs.frozen
class Description:
    """
    A description taken apart; nothing is known yet of whether it makes sense.
    """

    #: What stands before the first colon.
    scheme: str
    #: The parts that are no options.
    arguments: tuple[str, ...]
    #: The parts that are, by name.
    options: Mapping[str, str]


def parseDescription(text: str) -> Description:
    """
    Take a description apart.

    @raise BadDescription: it has no scheme, an option twice, or an argument
        after an option.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or not scheme:
        raise BadDescription(f"{text!r} is no transport description: it must begin like one of {_forms()}")
    arguments: list[str] = []
    options: dict[str, str] = {}
    for index, part in enumerate(_split(text, rest)):
        option = _OPTION.fullmatch(part)
        if option is not None:
            name, value = option.group(1), _ESCAPE.sub(r"\1", option.group(2))
            if name in options:
                raise BadDescription(f"{text!r} has the option {name!r} twice")
            options[name] = value
        elif options:
            raise BadDescription(
                f"{text!r}: {part!r} stands after an option and is none itself; write NAME=VALUE"
            )
        else:
            arguments.append(_ESCAPE.sub(r"\1", part))
        if not index and not arguments:
            arguments.append("")
    return Description(scheme, tuple(arguments), options)


def _split(text: str, rest: str) -> list[str]:
    parts = []
    position = 0
    while True:
        match = _PART.match(rest, position)
        assert match is not None
        parts.append(match.group())
        position = match.end()
        if position == len(rest):
            return parts
        if rest[position] != ":":
            raise BadDescription(f"{text!r} ends in a backslash with nothing after it")
        position += 1


def _forms() -> str:
    return ", ".join(sorted(each.form for each in (*OUR_SCHEMES, *getPlugins(ITransportScheme))))


def _schemeNamed(name: str) -> ITransportScheme:
    for each in OUR_SCHEMES:
        if each.scheme == name:
            return each
    for each in getPlugins(ITransportScheme):
        if each.scheme == name:
            return each
    raise BadDescription(f"there is no transport {name!r}; there are {_forms()}")


def _limits(text: str, options: Mapping[str, str]) -> Limits:
    values = {}
    for name, field in _LIMIT_OPTIONS.items():
        if name in options:
            if NUMBER.fullmatch(options[name]) is None:
                raise BadDescription(f"{text!r}: {name} must be a whole number, not {options[name]!r}")
            values[field] = int(options[name])
    try:
        return Limits(**values)
    except ValueError as error:
        raise BadDescription(f"{text!r}: {str(error).replace('capacity', 'blocks')}") from error


def transportFor(description: str, reactor: Any) -> ITransport:
    """
    Make the transport that a description names.  Nothing is opened yet.

    @param description: for example C{"unix:/run/mailstore/store:blocks=1024"}.
    @param reactor: the reactor that the transport will use.
    @raise BadDescription: it makes no sense; the message says what would.
    """
    parsed = parseDescription(description)
    scheme = _schemeNamed(parsed.scheme)
    known = (*_LIMIT_OPTIONS, *scheme.options)
    for name in parsed.options:
        if name not in known:
            raise BadDescription(
                f"{description!r}: there is no option {name!r}; there are {', '.join(known)}"
            )
    own = {name: value for name, value in parsed.options.items() if name in scheme.options}
    return scheme.makeTransport(parsed.arguments, own, _limits(description, parsed.options), reactor)
