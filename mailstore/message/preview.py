"""
The first words of a message (RFC 8970), for somebody who looks through a list.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from mailstore.message.structure import Message, Part
from mailstore.message.text import partText

#: Characters of a preview (RFC 8970 section 3.1: "SHOULD limit the length ... to 200").
MAX_PREVIEW = 200

#: Characters of a part that are looked into.
_ROOM = 1 << 14

# What is no text of an HTML document, up to its end or that of what is looked into.
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|big|code|em|font|i|mark|s|small|span|strong|sub|sup|tt|u)\b[^<>]*+>", re.IGNORECASE
)
_TAG = re.compile(r"</?[A-Za-z!?][^<>]*+(?:>|\Z)")


def preview(message: Message) -> str:
    """
    The beginning of the first text in a message that says anything, on one line: plain text if
    there is any, or HTML without its tags; at most L{MAX_PREVIEW} characters.
    """
    fallback = ""
    for part in _texts(message.root):
        text = partText(message, part, _ROOM)[:_ROOM]
        if part.subtype == b"html":
            text = _INLINE.sub("", _UNSEEN.sub(" ", text))
            fallback = fallback or _line(html.unescape(_TAG.sub(" ", text)))
        elif found := _line(text):
            return found
    return fallback


def _texts(root: Part) -> Iterator[Part]:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.message is not None:
            waiting.append(part.message)
        elif part.parts:
            waiting += reversed(part.parts)
        elif part.type == b"text" and (part.disposition is None or part.disposition[0] != b"attachment"):
            yield part


def _line(text: str) -> str:
    # The last piece, if there are so many, is all the rest.
    line = " ".join(text.split(None, 2 * MAX_PREVIEW)[: 2 * MAX_PREVIEW])
    if not line[: 2 * MAX_PREVIEW].isprintable():
        line = " ".join(text.split())
        # Control characters say nothing to a reader, and IMAP's strings lack some of them.
        line = " ".join("".join(each if each.isprintable() else " " for each in line).split())
    return line[:MAX_PREVIEW].rstrip()
