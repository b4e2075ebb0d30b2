"""
What a server has, seen by a client that none of the tests is about.
"""

from __future__ import annotations

import re

from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess

_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_SUBJECT = re.compile(rb"(?im)^Subject: *(.*?)\r?$")

#: What sets a message apart for one session only.
_RECENT = "\\Recent"


def letter(subject: str, text: str = "hello") -> bytes:
    """
    A small message.
    """
    return f"From: ann@example.org\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()


def signedIn(server: ServerProcess, user: str = "alice") -> RawClient:
    """
    A client that has signed in.
    """
    client = RawClient(server.port)
    reply = client.command(f"LOGIN {user} password".encode())[-1]
    assert b" OK" in reply, reply
    return client


def file(server: ServerProcess, folder: str, message: bytes, user: str = "alice") -> None:
    """
    Append a message.
    """
    client = signedIn(server, user)
    reply = client.command(b'APPEND "%s" {%d+}\r\n%s' % (folder.encode(), len(message), message))[-1]
    assert b" OK" in reply, reply
    client.close()


def look(server: ServerProcess, folder: str, user: str = "alice") -> dict[str, set[str]]:
    """
    The messages of a folder, which have different subjects: the flags of each.
    """
    client = signedIn(server, user)
    reply = client.command(f'EXAMINE "{folder}"'.encode())[-1]
    assert b" OK" in reply, reply
    found: dict[str, set[str]] = {}
    for response in client.command(b"FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
        flags, subject = _FLAGS.search(response), _SUBJECT.search(response)
        if b" FETCH (" in response and flags and subject:
            name = subject[1].decode()
            assert name not in found, f"{name!r} is there twice"
            found[name] = set(flags[1].decode().split()) - {_RECENT}
    client.close()
    return found


def folders(server: ServerProcess, user: str = "alice") -> set[str]:
    """
    The names of all folders that can be opened.
    """
    client = signedIn(server, user)
    found = set()
    for response in client.command(b'LIST "" "*"'):
        parts = re.match(rb'\* LIST \(([^)]*)\) "/" "?(.*?)"?\r\n', response)
        if parts and b"\\Noselect" not in parts[1] and b"\\NonExistent" not in parts[1]:
            found.add(parts[2].decode())
    client.close()
    return found
