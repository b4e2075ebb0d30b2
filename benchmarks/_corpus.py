"""
What the compared servers serve: the same folders with the same messages, made from numbers alone.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

from benchmarks._words import sentence, vocabulary

#: The folder that holds all messages but a few.
BIG = "Bench"

#: Where clients file new ones.
INCOMING = "Incoming"

#: A word in the subject of one message in fifty.
SUBJECT_WORD = "quarterly"

#: A word in the text of one message in two hundred.
TEXT_WORD = "xylophonist"

_WORDS = vocabulary(4)

_HEADER = """\
Return-Path: <{sender}@example.org>
Delivered-To: public@example.net
Received: from mx{n}.example.org (mx{n}.example.org [192.0.2.{low}])
\tby mail.example.net (Postfix) with ESMTPS id {ident}
\tfor <public@example.net>; Tue, 3 Nov 2026 10:{minute:02}:12 +0100 (CET)
Received: from [198.51.100.{low}] (helo=desk{n})
\tby mx{n}.example.org with esmtpsa id {ident}.2; Tue, 3 Nov 2026 10:{minute:02}:09 +0100
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=mail;
\tbh={hash}; h=From:To:Subject:Date:Message-ID;
\tb={hash}{hash}{hash}
Date: Tue, 3 Nov 2026 10:{minute:02}:08 +0100
From: {name} <{sender}@example.org>
To: Everybody <public@example.net>, "Stone, Bob" <bob@example.net>
Cc: {word}@example.com
Subject: {subject}
Message-ID: <{n}.{ident}@example.org>
In-Reply-To: <{before}.{ident}@example.org>
References: <{before}.{ident}@example.org>
User-Agent: Mozilla Thunderbird
MIME-Version: 1.0
"""


def _text(chance: random.Random, size: int) -> str:
    lines: list[str] = []
    while size > 0:
        line = sentence(chance, _WORDS)
        lines.append(line)
        size -= len(line) + 2
    return "\r\n".join(lines)


def message(number: int) -> bytes:
    """
    A message like no other: 5 KB of plain text, 15 KB of text and HTML, or 80 KB with an
    attachment; 19 KB on average.
    """
    chance = random.Random(number)
    word = chance.choice(_WORDS)
    topic = SUBJECT_WORD if number % 50 == 7 else chance.choice(_WORDS)
    head = _HEADER.format(
        n=number,
        before=max(0, number - 1),
        low=number % 250 + 1,
        minute=number % 60,
        ident=f"{chance.getrandbits(48):012X}",
        hash=base64.b64encode(chance.randbytes(32)).decode(),
        sender=word,
        word=chance.choice(_WORDS),
        name=f"{word.title()} {chance.choice(_WORDS).title()}",
        subject=f"Notes of the {topic} meeting, {chance.choice(_WORDS)}, number {number}",
    ).replace("\n", "\r\n")
    text = _text(chance, chance.randint(1500, 6000))
    if number % 200 == 11:
        text += f"\r\nThe {TEXT_WORD} will play after the minutes."
    plain = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    kind = number % 20
    if kind < 12:
        return (head + plain).encode()
    boundary = f"=_{chance.getrandbits(64):016x}"
    if kind < 17:
        html = _text(chance, chance.randint(5000, 16000))
        other = f"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>{html}</p></body></html>\r\n"
        media = "alternative"
    else:
        data = base64.encodebytes(chance.randbytes(chance.randint(18_000, 96_000))).replace(b"\n", b"\r\n")
        other = (
            'Content-Type: application/pdf; name="minutes.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="minutes.pdf"\r\n\r\n{data.decode()}'
        )
        media = "mixed"
    return (
        f'{head}Content-Type: multipart/{media}; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\n{plain}--{boundary}\r\n{other}--{boundary}--\r\n"
    ).encode()


def small(number: int) -> bytes:
    """
    The only message of a folder that has no more.
    """
    return b"From: carol@example.org\r\nSubject: Welcome to folder %d\r\n\r\nNothing here yet.\r\n" % number


def folders(count: int) -> Iterator[str]:
    """
    The names of C{count} folders, parents before children, with L{BIG} and L{INCOMING}
    among them.
    """
    yield BIG
    yield INCOMING
    yield "Archive"
    left = count - 3
    departments = max(1, min(40, left // 10))
    for number in range(departments):
        yield f"Archive/Department {number}"
    for number in range(left - departments):
        yield f"Archive/Department {number % departments}/Folder {number}"
