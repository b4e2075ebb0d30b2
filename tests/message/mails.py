"""
Messages for tests: the real ones of C{tests/mail}, and made ones.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies

from mailstore.message.index import Ranges
from mailstore.message.lines import canonicalChunks

MAIL = Path(__file__).parent.parent / "mail"


def served(data: bytes) -> bytes:
    """
    The served form of a message.
    """
    return b"".join(canonicalChunks([data]))


def lines(*each: str | bytes) -> bytes:
    """
    A message of these lines.
    """
    return b"".join((line if isinstance(line, bytes) else line.encode("utf-8")) + b"\r\n" for line in each)


def realMessages() -> list[tuple[str, bytes]]:
    """
    The real messages by their names, in their served form.
    """
    found = [
        (path.relative_to(MAIL).as_posix(), served(path.read_bytes()))
        for path in sorted(MAIL.glob("*/*.eml"))
    ]
    assert len(found) == 103
    return found


def realMessage(name: str) -> bytes:
    """
    One real message in its served form.
    """
    return served((MAIL / name).read_bytes())


def everyPart(part: Ranges, numbers: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], Ranges]]:
    """
    All parts of a message by their numbers as RFC 9051 section 6.4.5.1 gives
    them, the message itself first.  Messages held by parts are not parts.
    """
    found: list[tuple[tuple[int, ...], Ranges]] = [(numbers, part)] if not numbers else []
    for number, each in enumerate(part.parts or (part,), 1):
        at = (*numbers, number)
        found.append((at, each))
        if each.message is not None:
            found += everyPart(each.message, at)
        elif each is not part and each.parts:
            found += everyPart(each, at)
    return found


# Words that broken messages are made of, so that random ones have a structure.
_FRAGMENTS = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"--",
    b"--a",
    b"--a\r\n",
    b"\r\n--a\r\n",
    b"\r\n--a--\r\n",
    b"\r\n--ab\r\n",
    b"--ab--",
    b"Content-Type: multipart/mixed; boundary=a\r\n",
    b'Content-Type: multipart/digest; boundary="ab"\r\n\r\n',
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Type: text/plain; charset=",
    b"Content-Type: ",
    b"Content-Disposition: attachment; filename=",
    b"Content-Language: ",
    b"Content-Transfer-Encoding: ",
    b"base64",
    b"quoted-printable",
    b"utf-8",
    b"utf-7",
    b"iso-2022-jp",
    b"From: ",
    b"To: ",
    b"Subject: ",
    b"Date: ",
    b"=?utf-8?q?=C3=A4?=",
    b"=?iso-8859-1?b?5A==?=",
    b"<a@b>",
    b"group: ",
    b";",
    b",",
    b'"',
    b"\\",
    b"(",
    b")",
    b"\xc3\xa4",
    b"\xff",
    b"=3D",
    b":",
]

#: Bytes that are more or less a message.
brokenMessages = strategies.lists(
    strategies.one_of(strategies.sampled_from(_FRAGMENTS), strategies.binary(max_size=8)), max_size=60
).map(b"".join)
