"""
The text of a line of a script, with its variables: what the client's side sends, and
what the server's side must look like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Union

import attrs

from mailstore.testing.transcripts.scram import bindingOf, exchange

#: What kinds of text can be waited for, as regular expressions over the bytes of a line.
KINDS: dict[str, bytes] = {
    "number": rb"[0-9]+",
    "word": rb'[^\s()\[\]{}"]+',
    "date": rb"[ 0-3][0-9]-[A-Z][a-z]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} [-+][0-9]{4}",
    "text": rb"[^\r\n]*",
}

#: Words that no variable can be called.
RESERVED = frozenset(
    (
        *(*KINDS, "hex", "repeat", "proof", "answer"),
        *("close", "closed", "tls", "deflate", "inflate", "deaf", "hear"),
    )
)

#: Bytes that one C{${repeat}} may make.
MAX_REPEATED = 64 << 20

#: What a line is made of.
Part = Union[bytes, "Variable", "Wanted", "Scram", "Size"]

_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_HEX = re.compile(r"hex ((?:[0-9A-Fa-f]{2})+)")
_SCRAM = re.compile(rf"(proof|answer) ([A-Za-z0-9+/]+=*) (\S+) ({_NAME})")
_REPEAT = re.compile(r"repeat ([0-9]{1,9}) (.+)", re.DOTALL)
_KIND = re.compile(
    rf"(?:(?P<name>{_NAME})=)?(?:/(?P<regex>.+)/|(?P<kind>{'|'.join(KINDS)})(?:>(?P<above>{_NAME}))?)",
    re.DOTALL,
)
_SIZE = re.compile(r"\{#(\+?)\}\Z")
_ANY = "..."


class BadTemplate(ValueError):
    """
    A text cannot be understood; the message says why.
    """


@attrs.frozen
class Variable:
    """
    What was kept under a name.
    """

    name: str


@attrs.frozen
class Wanted:
    """
    Something that a server fills in.
    """

    #: A regular expression without named groups.
    regex: bytes
    #: What to keep it under, or C{""}.
    name: str = ""
    #: What is kept there must be less, as a number; C{""} for no such condition.
    above: str = ""


@attrs.frozen
class Scram:
    """
    What one side of a SCRAM-SHA-256 exchange says last (RFC 5802 section 3), in base64.
    """

    #: C{"proof"}, which is the client's, or C{"answer"}, the server's to it.
    kind: str
    #: The client's first message, in base64.
    first: str
    password: str
    #: Under which name the server's challenge was kept, in base64.
    challenge: str

    def render(self, values: Mapping[str, bytes]) -> bytes:
        """
        The bytes, which are none of use if the challenge was none.
        """
        first = self.first.encode()
        binding = values.get(bindingOf(first), b"")
        spoken = exchange(first, self.password, values[self.challenge], binding)
        return spoken.proof if self.kind == "proof" else spoken.answer


@attrs.frozen
class Size:
    """
    The announcement of a literal.
    """

    #: What it holds; C{None} for anything.
    data: Template | None
    #: C{"+"} if it does not wait.
    plus: str = ""


@attrs.frozen
class Template:
    """
    A text with variables.
    """

    parts: tuple[Part, ...]

    @property
    def constant(self) -> bool:
        """
        Whether it is one text, whatever was kept.
        """
        return all(isinstance(part, bytes) for part in self.parts)

    @property
    def names(self) -> frozenset[str]:
        """
        The names that something must have been kept under before.
        """
        used = {part.name for part in self.parts if isinstance(part, Variable)}
        used |= {part.challenge for part in self.parts if isinstance(part, Scram)}
        return frozenset(
            used | {part.above for part in self.parts if isinstance(part, Wanted) and part.above}
        )

    @property
    def kept(self) -> frozenset[str]:
        """
        The names that something is kept under here.
        """
        return frozenset(part.name for part in self.parts if isinstance(part, Wanted) and part.name)

    def render(self, values: Mapping[str, bytes]) -> bytes:
        """
        The bytes to send.
        """
        pieces = []
        for part in self.parts:
            if isinstance(part, bytes):
                pieces.append(part)
            elif isinstance(part, Variable):
                pieces.append(values[part.name])
            elif isinstance(part, Scram):
                pieces.append(part.render(values))
            elif isinstance(part, Size) and part.data is not None:
                pieces.append(b"{%d%s}" % (len(part.data.render(values)), part.plus.encode()))
            else:
                raise AssertionError("checked when it was read")
        return b"".join(pieces)

    def match(self, text: bytes, values: Mapping[str, bytes]) -> dict[str, bytes] | None:
        """
        Whether C{text} is as wanted.

        @return: what is to be kept, by name; C{None} if it is not.
        """
        pattern, wanted = self._pattern(values)
        found = pattern.fullmatch(text)
        if found is None:
            return None
        kept: dict[str, bytes] = {}
        for number, part in enumerate(wanted):
            value = found[f"w{number}"]
            if part.above:
                least = kept.get(part.above, values.get(part.above, b""))
                if not least.isdigit() or int(value) <= int(least):
                    return None
            if part.name:
                if kept.get(part.name, value) != value:
                    return None
                kept[part.name] = value
        return kept

    def _pattern(self, values: Mapping[str, bytes]) -> tuple[re.Pattern[bytes], list[Wanted]]:
        pieces = []
        wanted: list[Wanted] = []
        for part in self.parts:
            if isinstance(part, bytes):
                pieces.append(re.escape(part))
            elif isinstance(part, Variable):
                pieces.append(re.escape(values[part.name]))
            elif isinstance(part, Scram):
                pieces.append(re.escape(part.render(values)))
            elif isinstance(part, Wanted):
                pieces.append(b"(?P<w%d>%s)" % (len(wanted), part.regex))
                wanted.append(part)
            elif part.data is None or not part.data.constant:
                pieces.append(rb"\{[0-9]+\}\r\n")
            else:
                pieces.append(rb"\{%d\}\r\n" % len(part.data.render(values)))
        return re.compile(b"".join(pieces), re.DOTALL), wanted

    def __add__(self, other: Template) -> Template:
        return Template((*self.parts, *other.parts))


def readSent(text: str, data: Template | None = None) -> Template:
    """
    What a client sends.

    @param data: what the literal holds that is announced at the end.
    @raise BadTemplate:
    """
    return Template(tuple(_parts(text, data, sent=True)))


def readExpected(text: str, data: Template | None = None) -> Template:
    """
    What a server must send.

    @param data: what the literal holds that is announced at the end.
    @raise BadTemplate:
    """
    return Template(tuple(_parts(text, data, sent=False)))


def readData(lines: list[str], sent: bool) -> Template:
    """
    The lines of a literal.

    @raise BadTemplate:
    """
    parts: list[Part] = []
    for number, line in enumerate(lines):
        if number:
            parts.append(b"\r\n")
        parts += _plainParts(line, sent)
    return Template(_joined(parts))


def announces(text: str) -> bool:
    """
    Whether a literal is announced at the end whose size is to be counted.
    """
    return _SIZE.search(text) is not None


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def _parts(text: str, data: Template | None, sent: bool) -> list[Part]:
    end: list[Part] = []
    size = _SIZE.search(text)
    if size is not None:
        text = text[: size.start()]
        if not sent and size[1]:
            raise BadTemplate("a server's literal has no +")
        end.append(Size(data, size[1]))
    elif not sent and text.endswith(_ANY) and (text == _ANY or text[-4] in " ]"):
        text = text[: -len(_ANY)]
        end.append(Wanted(KINDS["text"]))
    if sent:
        return [*_plainParts(text, sent), *end]
    parts: list[Part] = []
    for number, piece in enumerate(text.split("{*}")):
        if number:
            parts.append(Size(None))
        parts += _plainParts(piece, sent)
    return [*parts, *end]


def _plainParts(text: str, sent: bool) -> list[Part]:
    parts: list[Part] = []
    while "${" in text:
        before, _, rest = text.partition("${")
        inside, text = _inside(rest)
        parts += [before.encode(), _special(inside, sent)]
    parts.append(text.encode())
    return [part for part in parts if part != b""]


def _inside(rest: str) -> tuple[str, str]:
    """
    What stands up to the closing brace, and behind it.  A regular expression ends in C{/}} and
    may hold braces.
    """
    expression = re.match(rf"(?:{_NAME}=)?/", rest)
    end = rest.find("/}", expression.end()) + 1 if expression is not None else rest.find("}")
    if end <= 0:
        raise BadTemplate(f"no end of ${{{rest}")
    return rest[:end], rest[end + 1 :]


def _special(inside: str, sent: bool) -> bytes | Variable | Wanted | Scram:
    found = _HEX.fullmatch(inside)
    if found is not None:
        return bytes.fromhex(found[1])
    found = _SCRAM.fullmatch(inside)
    if found is not None:
        return Scram(found[1], found[2], found[3], found[4])
    found = _REPEAT.fullmatch(inside)
    if found is not None:
        if int(found[1]) * len(found[2].encode()) > MAX_REPEATED:
            raise BadTemplate(f"${{repeat}} makes at most {MAX_REPEATED} bytes")
        return found[2].encode() * int(found[1])
    if inside not in RESERVED and re.fullmatch(_NAME, inside):
        return Variable(inside)
    found = _KIND.fullmatch(inside)
    if found is None:
        raise BadTemplate(f"${{{inside}}} means nothing")
    if sent:
        raise BadTemplate(f"${{{inside}}} is something to wait for, not to send")
    name, above = found["name"] or "", found["above"] or ""
    if name in RESERVED:
        raise BadTemplate(f"{name!r} cannot be the name of a variable")
    if above and found["kind"] != "number":
        raise BadTemplate("only a ${number} can be greater than another")
    if found["regex"] is None:
        return Wanted(KINDS[found["kind"]], name, above)
    expression = found["regex"].encode()
    try:
        if re.compile(expression).groupindex:
            raise BadTemplate(f"groups in a script have no names: {found['regex']}")
    except re.error as error:
        raise BadTemplate(f"no regular expression: {found['regex']}: {error}") from error
    return Wanted(b"(?:" + expression + b")", name)
