"""
Which messages belong together: identifiers of messages (RFC 5322 section 3.6.4) in
the header.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import attrs

#: Bytes of an identifier as it is kept: as good as different for different identifiers.
SIZE = 16

#: References of one message that are kept: the first, and the last ones.
MAX_REFERENCES = 100

# msg-id = "<" id-left "@" id-right ">"; what people's programs write there has no other rule that holds.
_ID = re.compile(rb"<([^<>]{1,1000})>")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)"(?=@)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]+")


@attrs.frozen
class References:
    """
    What a message says of itself and of those it answers, as hashes of L{SIZE} bytes.
    """

    #: Its own identifier.
    message: bytes | None
    #: Those it refers to, the oldest first, one after another.
    references: bytes
    #: The first message of them all: what has the same is one conversation.
    thread: bytes | None


def identifiers(raw: bytes) -> Iterator[bytes]:
    """
    The identifiers in a field's value in their order, each in its one spelling (RFC
    5256 section 3: with quoting and white space that mean nothing taken away).
    """
    for match in _ID.finditer(raw):
        found = _SPACE.sub(b"", match[1])
        if b"@" in found:
            yield _QUOTED.sub(lambda quoted: _ESCAPE.sub(rb"\1", quoted[1]), found)


def references(own: bytes, refers: bytes, replies: bytes) -> References:
    """
    What the values of Message-ID, References and In-Reply-To say; those that are not there are empty.
    """
    message = next(identifiers(own), None)
    found = list(identifiers(refers))
    if not found:
        # RFC 5256 section 3: "use the first (if any) valid Message ID found in the
        # In-Reply-To header line as the only reference".
        found = list(identifiers(replies))[:1]
    if len(found) > MAX_REFERENCES:
        found[1 : 1 - MAX_REFERENCES] = []
    first = found[0] if found else message
    return References(
        message=None if message is None else _hash(message),
        references=b"".join(map(_hash, found)),
        thread=None if first is None else _hash(first),
    )


def _hash(identifier: bytes) -> bytes:
    return hashlib.sha256(identifier).digest()[:SIZE]
