"""
Large stores, made as fast as can be: with rows that the store's own statements write, or that are
copied within the database.
"""

from __future__ import annotations

import asyncio
import base64
import pathlib
import random
import sqlite3

from benchmarks._corpus import BIG, INCOMING, small
from benchmarks._servers import index
from benchmarks._words import sentence, vocabulary
from mailstore import stores
from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.engine.limits import EngineLimits
from mailstore.interfaces import IStore
from mailstore.model import SYSTEM, NewMessage

#: A word in the text of one message in ten thousand.
RARE_WORD = "syzygy"

#: How often it is there.
RARE_EVERY = 10_000

#: Bytes of a message.
BYTES = 4096

#: Users of a store that is filled.
USERS = 20

_WORDS = vocabulary(5)

_HEADER = """\
Return-Path: <{sender}@example.org>
Received: from mx.example.org (mx.example.org [192.0.2.7]) by mail.example.net
\twith ESMTPS id {ident} for <public@example.net>; Tue, 3 Nov 2026 10:{minute:02}:12 +0100
Date: Tue, 3 Nov 2026 10:{minute:02}:08 +0100
From: {name} <{sender}@example.org>
To: Everybody <public@example.net>
Subject: Notes of the {topic} meeting, number {number}
Message-ID: <{number}.{ident}@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
"""


def message(number: int) -> bytes:
    """
    A message like no other, of nearly L{BYTES} bytes of plain text.
    """
    chance = random.Random(number)
    word = chance.choice(_WORDS)
    head = _HEADER.format(
        sender=word,
        name=word.title(),
        ident=base64.b32encode(chance.randbytes(10)).decode(),
        minute=number % 60,
        topic=chance.choice(_WORDS),
        number=number,
    )
    lines: list[str] = [RARE_WORD] if number % RARE_EVERY == 17 else []
    left = BYTES - len(head) - 20
    while left > 0:
        line = sentence(chance, _WORDS)
        lines.append(line[:left])
        left -= len(line) + 2
    return f"{head}\n{chr(10).join(lines)}\n".replace("\n", "\r\n").encode()


async def _users(store: IStore) -> None:
    credentials = makeCredentials("password", QUICK_ITERATIONS)
    for number in range(USERS):
        await store.createUser(f"user{number}", credentials)
    await store.setRights(SYSTEM, "Public Folders", "authenticated", "lrswipkxte")


def makeTree(path: pathlib.Path, folders: int, messages: int) -> None:
    """
    A store with this many public folders, some of them with rights of their own, and with this many
    messages in L{BIG}.
    """

    async def begin() -> None:
        store = stores.openStore(f"sqlite:///{path}", EngineLimits(), create=True)
        await _users(store)
        await store.createFolder(SYSTEM, f"Public Folders/{BIG}")
        for number in range(20):
            name = f"Public Folders/Department {number}"
            await store.createFolder(SYSTEM, name)
            await store.setRights(SYSTEM, name, f"user{number}", "lrswipkxtea")
        if messages:
            await store.append(SYSTEM, f"Public Folders/{BIG}", (NewMessage(small(1)),))
        await store.close()

    asyncio.run(begin())
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.execute(
        "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT 0, above.name || '/Folder ' || i, 1, above.acl, 0, above.uid_validity + 100 + i"
        " FROM n JOIN folders above ON above.owner = 0 AND above.name = 'Department ' || (n.i % 20)",
        (max(1, folders - 22),),
    )
    db.execute("UPDATE trees SET folders = (SELECT count(*) FROM folders WHERE owner = 0) WHERE owner = 0")
    db.execute("UPDATE meta SET value = (SELECT max(uid_validity) FROM folders) WHERE key = 'uid_validity'")
    if messages:
        ((folder, size),) = db.execute("SELECT id, size FROM folders WHERE name = ?", (BIG,)).fetchall()
        db.execute(
            "INSERT INTO messages (folder, uid, flags, modseq, content, internal_date, zone, size, saved)"
            " WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " SELECT m.folder, n.i, n.i % 3, m.modseq, m.content, m.internal_date + n.i, 0, m.size, m.saved"
            " FROM n JOIN messages m ON m.folder = ? AND m.uid = 1",
            (messages, folder),
        )
        db.execute("UPDATE contents SET refs = ?", (messages,))
        db.execute(
            "UPDATE folders SET uid_next = ?, messages = ?, recent = ?, size = ?,"
            " unseen = (SELECT count(*) FROM messages WHERE folder = folders.id AND flags & 1 = 0)"
            " WHERE id = ?",
            (messages + 1, messages, messages, size * messages, folder),
        )
        db.execute("UPDATE trees SET messages = ?, size = ? WHERE owner = 0", (messages, size * messages))
    db.execute("COMMIT")
    db.close()


def makeFull(path: pathlib.Path, messages: int) -> None:
    """
    A store with this many different messages in L{BIG}, all of them in the search index, and
    an empty folder L{INCOMING}.
    """

    async def fill() -> None:
        store = stores.openStore(f"sqlite:///{path}", EngineLimits(), create=True)
        await _users(store)
        for name in (BIG, INCOMING):
            await store.createFolder(SYSTEM, f"Public Folders/{name}")
        for start in range(0, messages, 500):
            batch = range(start, min(start + 500, messages))
            await store.append(
                SYSTEM, f"Public Folders/{BIG}", tuple(NewMessage(message(number)) for number in batch)
            )
        await index(store)
        await store.close()

    asyncio.run(fill())


def makeMaildir(base: pathlib.Path, messages: int) -> None:
    """
    The same for Dovecot.
    """
    for name in ("", BIG, INCOMING):
        folder = base / "public" / ("." + name if name else "")
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True)
    for number in range(messages):
        data = message(number)
        name = f"{1_700_000_000 + number}.M{number}P1.bench,S={len(data)}:2,"
        (base / "public" / f".{BIG}" / "cur" / name).write_bytes(data)


def makeMbox(path: pathlib.Path, messages: int) -> None:
    """
    An mbox to import.
    """
    with path.open("wb") as file:
        for number in range(messages):
            file.write(b"From ann@example.org Tue Nov  3 10:00:00 2026\n")
            file.write(message(10**6 + number).replace(b"\r\n", b"\n") + b"\n")
