"""
What is compared: the commands, what they must be answered, and the gates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from benchmarks import _corpus
from benchmarks._load import COUNTER
from benchmarks._servers import Server, Size

#: Messages of which the whole text is fetched at once.
_WINDOW = 250

#: Messages that each client has to file, in turn.
_FILED = 20

#: The commands of one client, by its number.
Commands: TypeAlias = Callable[[Server, Size, int], tuple[bytes, ...]]


@attrs.frozen
class Row:
    """
    One command.
    """

    name: str
    commands: Commands
    #: At least so many times what Dovecot does, with 20 clients.
    gate: float
    #: What each reply has in it, and how many times.
    sign: bytes
    count: Callable[[Size], int]
    unit: str = "/s"
    #: Whether the big folder is open.
    opened: bool = True
    #: Whether pymap can do it.
    pymap: bool = True
    #: What one client does afterwards, with the folder where messages were filed open.
    tidy: tuple[bytes, ...] = ()


def quoted(server: Server, name: str) -> bytes:
    """
    A public folder, as it stands in commands.
    """
    return f'"{server.prefix}{name}"'.encode()


def _same(*lines: bytes) -> Commands:
    return lambda server, size, client: lines


def _fetch(items: bytes) -> Commands:
    return _same(b"FETCH 1:* " + items)


def _some(names: list[str], client: int) -> list[str]:
    """
    Two hundred of them, others for each client.
    """
    start = client * 97 % len(names)
    return (names[start:] + names[:start])[:200]


def _status(server: Server, size: Size, client: int) -> tuple[bytes, ...]:
    names = _some(list(_corpus.folders(size.folders)), client)
    return tuple(b"STATUS %b (MESSAGES UNSEEN UIDNEXT)" % quoted(server, name) for name in names)


def _select(server: Server, size: Size, client: int) -> tuple[bytes, ...]:
    return (b"SELECT %b" % quoted(server, _corpus.BIG),)


def _whole(server: Server, size: Size, client: int) -> tuple[bytes, ...]:
    windows = max(1, size.messages // _WINDOW)
    starts = [(client * 7 + each) % windows * _WINDOW + 1 for each in range(windows)]
    return tuple(
        b"FETCH %d:%d (BODY.PEEK[])" % (start, min(size.messages, start + _WINDOW - 1)) for start in starts
    )


def _store(server: Server, size: Size, client: int) -> tuple[bytes, ...]:
    return tuple(
        b"STORE %d %bFLAGS (\\Flagged)" % (client % size.messages + 1, sign) for sign in (b"+", b"-")
    )


def _append(server: Server, size: Size, client: int) -> tuple[bytes, ...]:
    lines: list[bytes] = []
    for number in range(_FILED):
        data = b"X-Number: %b\r\n" % COUNTER + _corpus.message((client + number) % _FILED)
        lines.append(b"APPEND %b {%d+}\r\n%b" % (quoted(server, _corpus.INCOMING), len(data), data))
    return tuple(lines)


def _one(size: Size) -> int:
    return 1


def _all(size: Size) -> int:
    return size.messages


_FIELDS = b"(UID BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID REFERENCES)])"

#: The table.
ROWS = (
    Row("LIST", _same(b'LIST "" "*"'), 2, b"* LIST ", lambda size: size.folders, opened=False),
    Row(
        "LIST-STATUS",
        _same(b'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))'),
        5,
        b"* STATUS ",
        lambda size: size.folders,
        opened=False,
        pymap=False,
    ),
    Row("STATUS", _status, 0.5, b"* STATUS ", _one, opened=False),
    Row("SELECT", _select, 0.5, b" EXISTS\r\n", _one, opened=False),
    Row("FETCH (UID FLAGS)", _fetch(b"(UID FLAGS)"), 0.3, b" FETCH (", _all, "msg/s"),
    Row("FETCH (UID ENVELOPE)", _fetch(b"(UID ENVELOPE)"), 1, b" FETCH (", _all, "msg/s"),
    Row("FETCH (UID BODYSTRUCTURE)", _fetch(b"(UID BODYSTRUCTURE)"), 0.5, b" FETCH (", _all, "msg/s"),
    Row("FETCH HEADER.FIELDS", _fetch(_FIELDS), 0.5, b" FETCH (", _all, "msg/s"),
    Row(
        "FETCH BODY.PEEK[]",
        _whole,
        0.5,
        b" FETCH (",
        lambda size: min(size.messages, _WINDOW),
        "MB/s",
    ),
    Row("STORE", _store, 0.5, b"FLAGS (", _one),
    Row(
        "APPEND",
        _append,
        0.5,
        b" OK ",
        _one,
        opened=False,
        tidy=(b"STORE 1:* +FLAGS.SILENT (\\Deleted)", b"EXPUNGE"),
    ),
    Row(
        "SEARCH SUBJECT",
        _same(b"SEARCH SUBJECT " + _corpus.SUBJECT_WORD.encode()),
        2,
        b"* SEARCH 8",
        _one,
    ),
    Row(
        "SEARCH TEXT",
        _same(b"SEARCH TEXT " + _corpus.TEXT_WORD.encode()),
        50,
        b"* SEARCH 12",
        _one,
    ),
)
