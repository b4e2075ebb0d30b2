"""
The values of MIME header fields (RFC 2045 section 5.1, RFC 2183): read with
tolerance, kept as bytes.
"""

from __future__ import annotations

import re

from mailstore.message.headers import iterFields, unfold

#: Name and value pairs of a Content-Type or Content-Disposition, names in
#: lower case, values without quotes.  Continuations are put together (RFC 2231 section 6);
#: the charsets of extended values are left for the reader, as is all else.
Params = tuple[tuple[bytes, bytes], ...]

#: Parameters of one field that are kept.
MAX_PARAMS = 50

#: Languages of one Content-Language that are kept.
MAX_LANGUAGES = 20

# token = 1*<any CHAR except SPACE, CTLs, tspecials>, RFC 2045 section 5.1.
_TOKEN = rb"[!#-'*+\-.0-9A-Z^-~]+"

_MEDIA_TYPE = re.compile(rb"\s*(%s)\s*/\s*(%s)" % (_TOKEN, _TOKEN))
_FIRST_TOKEN = re.compile(rb"\s*(%s)" % _TOKEN)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)("?)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)

# The names of RFC 2231 section 7: attribute, section, and "*" if the value is extended.
_CONTINUATION = re.compile(rb"([^*]+)\*(0|[1-9][0-9]{0,2})(\*?)")
# What is no attribute-char, the same, and so cannot stand as it is in an extended value.
_NO_ATTRIBUTE_CHAR = re.compile(rb"[^!#$&+\-.0-9A-Z^_`a-z{|}~]")

_LANGUAGE = re.compile(rb"[A-Za-z0-9-]+")

#: RFC 2045 section 6.1.
_ENCODINGS = frozenset((b"7bit", b"8bit", b"binary", b"quoted-printable", b"base64"))

#: The fields that say what a part is; the first of each name counts.
_NAMES = frozenset(
    b"content-" + each
    for each in (
        b"type",
        b"transfer-encoding",
        b"id",
        b"description",
        b"md5",
        b"disposition",
        b"language",
        b"location",
    )
)


def contentFields(header: bytes) -> dict[bytes, bytes]:
    """
    The first field of each name that says what a part is: name in lower case
    without C{content-}, and unfolded value.
    """
    found: dict[bytes, bytes] = {}
    for name, raw in iterFields(header):
        lowered = name.lower()
        if lowered in _NAMES:
            found.setdefault(lowered[8:], unfold(raw))
    return found


def contentType(value: bytes) -> tuple[bytes, bytes, Params] | None:
    """
    Type and subtype in lower case, and parameters; C{None} when the value
    names no type (what then holds, RFC 2045 section 5.2 says).
    """
    match = _MEDIA_TYPE.match(value)
    if match is None:
        return None
    return match[1].lower(), match[2].lower(), parameters(value, match.end())


def disposition(value: bytes) -> tuple[bytes, Params] | None:
    """
    The kind of disposition in lower case, and its parameters; C{None} when it names none.
    """
    match = _FIRST_TOKEN.match(value)
    if match is None:
        return None
    return match[1].lower(), parameters(value, match.end())


def encoding(value: bytes) -> bytes:
    """
    The content transfer encoding in lower case; C{7bit} when none is named
    (RFC 2045 section 6.1), or something that is none, such as C{text/html}.
    """
    match = _FIRST_TOKEN.match(value)
    if match is None:
        return b"7bit"
    name = match[1].lower()
    rest = value[match.end() :].strip(b" \t\r\n;")
    right = name in _ENCODINGS or not rest or (rest.startswith(b"(") and rest.endswith(b")"))
    return name if right else b"7bit"


def languages(value: bytes) -> tuple[bytes, ...]:
    """
    The tags of a Content-Language (RFC 3282 section 2).
    """
    return tuple(match[0] for match, _ in zip(_LANGUAGE.finditer(value), range(MAX_LANGUAGES), strict=False))


def parameters(value: bytes, start: int = 0) -> Params:
    """
    The parameters in C{value} from the first C{;} on: each once, the first of
    a name counts.  A value without quotes that is no token (a file name with spaces
    in it) is taken up to the next C{;}.
    """
    found: dict[bytes, bytes] = {}
    position = value.find(b";", start)
    while position >= 0 and len(found) < MAX_PARAMS:
        equals = value.find(b"=", position)
        if equals < 0:
            break
        name = value[position + 1 : equals]
        # An attribute without a value: "; foo; bar=1".
        name = name[name.rfind(b";") + 1 :].strip().lower()
        position = equals + 1
        while value[position : position + 1] in (b" ", b"\t"):
            position += 1
        quoted = _QUOTED.match(value, position)
        if quoted is not None:
            content = _ESCAPE.sub(rb"\1", quoted[1])
            position = value.find(b";", quoted.end())
        else:
            stop = value.find(b";", position)
            content = _withoutComment(value[position : len(value) if stop < 0 else stop].strip())
            position = stop
        if name:
            found.setdefault(name, content)
    if any(b"*" in name for name in found):
        found = _joined(found)
    return tuple(found.items())


def _joined(found: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """
    Parameters with their continuations put together: C{a*0="x"; a*1="y"} is C{a="xy"}, and if one of the
    sections is extended so is the whole, C{a*}.  A section for which one before is missing is left as it is.
    """
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    for name, value in found.items():
        match = _CONTINUATION.fullmatch(name)
        if match is not None:
            sections.setdefault(match[1], {}).setdefault(int(match[2]), (value, match[3] == b"*"))
    result: dict[bytes, bytes] = {}
    for name, value in found.items():
        match = _CONTINUATION.fullmatch(name)
        run = [] if match is None else _run(sections[match[1]])
        if match is None or int(match[2]) >= len(run):
            result.setdefault(name, value)
        elif match[2] == b"0":
            extended = any(each for _, each in run)
            whole = b"".join(_extended(text) if extended and not each else text for text, each in run)
            if extended and not run[0][1]:
                # Neither charset nor language.
                whole = b"''" + whole
            result.setdefault(match[1] + b"*" * extended, whole)
    return result


def _run(sections: dict[int, tuple[bytes, bool]]) -> list[tuple[bytes, bool]]:
    """
    The sections from 0 on, as far as there are all.
    """
    run: list[tuple[bytes, bool]] = []
    while len(run) in sections:
        run.append(sections[len(run)])
    return run


def _extended(value: bytes) -> bytes:
    """
    A value that is not extended, as a section of one that is.
    """
    return _NO_ATTRIBUTE_CHAR.sub(lambda match: b"%%%02X" % ord(match[0]), value)


def _withoutComment(value: bytes) -> bytes:
    # RFC 2045 section 5.1: charset=us-ascii (Plain text)
    if value.endswith(b")"):
        start = value.rfind(b"(")
        if start > 0 and value[start - 1 : start] in (b" ", b"\t"):
            return value[:start].rstrip()
    return value
