"""
Reading everything that a user has, as any client would.
"""

from __future__ import annotations

import re

import attrs

from tests.clients.rawclient import RawClient
from tests.crash.ledger import Found, Letter

_LIST = re.compile(rb'^\* LIST \(([^)]*)\) "/" (?:"([^"]*)"|(\S+))')
_STATUS = re.compile(rb'^\* STATUS (?:"([^"]*)"|(\S+)) \(([^)]*)\)')
_FETCH = re.compile(rb"^\* \d+ FETCH \((.*) BODY\[\] (?:\{\d+\}\r\n(.*)|\"([^\"]*)\")\)\r\n\Z", re.DOTALL)

#: Attempts to be heard by a store that is being started, of a few seconds each.
_ATTEMPTS = 20


@attrs.frozen
class Read:
    """
    What a user has.
    """

    folders: dict[bytes, Found]
    subscribed: set[bytes]


def read(port: int, user: str, wanted: tuple[bytes, ...]) -> Read:
    """
    Sign in, and read all folders with their messages.

    @param wanted: what the names of the folders begin with.
    @raise AssertionError: what the server says does not fit together.
    """
    client = RawClient(port)
    try:
        _ask(client, b"LOGIN %s password" % user.encode())
        _ask(client, b"ENABLE CONDSTORE")
        options = b"RETURN (SUBSCRIBED STATUS (UIDVALIDITY UIDNEXT HIGHESTMODSEQ MESSAGES))"
        names: dict[bytes, bytes] = {}
        statuses: dict[bytes, dict[bytes, int]] = {}
        for response in _ask(client, b'LIST "" "*" ' + options):
            if (listed := _LIST.search(response)) and b"\\Noselect" not in listed[1]:
                name = listed[2] or listed[3]
                assert name not in names, f"{name!r} is listed twice"
                names[name] = listed[1]
            elif counted := _STATUS.search(response):
                statuses[counted[1] or counted[2]] = _numbers(counted[3])
        names = {name: flags for name, flags in names.items() if name.startswith(wanted)}
        subscribed = {name for name, flags in names.items() if b"\\Subscribed" in flags}
        subscribed |= {name for name in _subscribed(client) if name.startswith(wanted)}
        existing = {name for name, flags in names.items() if b"\\NonExistent" not in flags}
        return Read({name: _folder(client, name, statuses[name]) for name in existing}, subscribed)
    finally:
        client.close()


def _ask(client: RawClient, line: bytes) -> list[bytes]:
    for _ in range(_ATTEMPTS):
        responses = client.command(line)
        reply = responses[-1].partition(b" ")[2]
        if not reply.startswith(b"NO [UNAVAILABLE]"):
            break
    assert reply.startswith(b"OK"), f"{line!r} was answered {reply!r}"
    return responses


def _numbers(items: bytes) -> dict[bytes, int]:
    words = items.split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}


def _subscribed(client: RawClient) -> set[bytes]:
    found = (_LIST.search(each.replace(b"* LSUB", b"* LIST", 1)) for each in _ask(client, b'LSUB "" "*"'))
    return {each[2] or each[3] for each in found if each is not None}


def _folder(client: RawClient, name: bytes, status: dict[bytes, int]) -> Found:
    letters: dict[int, Letter] = {}
    modseqs: dict[int, int] = {}
    if status[b"MESSAGES"]:
        _ask(client, b'EXAMINE "%s"' % name)
        for response in _ask(client, b"UID FETCH 1:* (UID FLAGS INTERNALDATE MODSEQ BODY.PEEK[])"):
            fetched = _FETCH.search(response)
            if fetched is None:
                continue
            uid = _one(rb"UID (\d+)", fetched[1])
            flags = frozenset(_one(rb"FLAGS \(([^)]*)\)", fetched[1]).split()) - {b"\\Recent"}
            date = _one(rb'INTERNALDATE "([^"]*)"', fetched[1])
            text = fetched[3] if fetched[2] is None else fetched[2]
            letters[int(uid)] = Letter(text, date, flags)
            modseqs[int(uid)] = int(_one(rb"MODSEQ \((\d+)\)", fetched[1]))
    assert len(letters) == status[b"MESSAGES"], f"{name!r}: {status} and {sorted(letters)}"
    return Found(status[b"UIDVALIDITY"], status[b"UIDNEXT"], status[b"HIGHESTMODSEQ"], letters, modseqs)


def _one(pattern: bytes, items: bytes) -> bytes:
    found = re.search(pattern, items)
    assert found is not None, f"{pattern!r} is not in {items!r}"
    return found[1]
