"""
A server for a script: made, filled, and talked to as its header says.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint

from mailstore.config import Config, ConfigError, parse
from mailstore.interfaces import IStore
from mailstore.model import SYSTEM, NewMessage
from mailstore.testing.server import MailServer
from mailstore.testing.transcripts.playing import DEADLINE, PATIENCE, play
from mailstore.testing.transcripts.script import Script, ScriptError
from mailstore.topology import MailService

#: What differs from the usual: wrong passwords cost no time.
_QUICK = {"login_delay": "0.0", "max_failures_per_address": "1000000"}


def serverFor(script: Script, transport: str = "memory:") -> MailServer:
    """
    A server such as the script wants, with its users and folders, not started yet.

    @raise ScriptError: the header asks for something that cannot be.
    """
    header = script.header
    try:
        return MailServer(
            users=header.users,
            folders=header.folders,
            administrators=header.administrators,
            transport=transport,
            config=_config(script),
            tls=header.tls,
            tokens=header.tokens,
        )
    except (ValueError, ConfigError) as error:
        raise ScriptError(f"{script.name}: {error}") from error


def _config(script: Script) -> Config:
    tables: dict[str, dict[str, str]] = {"limits.imap": dict(_QUICK)}
    for table, key, value in script.header.settings:
        tables.setdefault(table, {})[key] = value
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        for name, values in tables.items()
    )
    return parse(text.encode(), "Setting")


async def prepare(script: Script, store: IStore) -> None:
    """
    Give a store the rights and the messages that the script begins with.

    @raise StoreError: a folder is not there, or the like.
    """
    for rights in script.header.rights:
        await store.setRights(SYSTEM, rights.folder, rights.identifier, rights.letters)
    for message in script.header.messages:
        await store.append(SYSTEM, message.folder, (NewMessage(message.content, message.flags),))


def run(
    script: Script, transport: str = "memory:", patience: float = PATIENCE, deadline: float = DEADLINE
) -> None:
    """
    Play a script against a server of its own, which is gone afterwards.  Both are in a thread with a reactor
    of its own, so it works in any program.

    @param transport: the channel between the server's front end and its store.
    @param patience: seconds within which each answer must come.
    @param deadline: seconds within which the conversation must be over, less than a minute.
    @raise TranscriptFailed: the server did something else.
    @raise NotOffered: it lacks a capability that the script requires.
    @raise ScriptError: the header asks for something that cannot be.
    """
    with serverFor(script, transport) as server:
        play_it = partial(_fillAndPlay, script, server.service, server.reactor, patience, deadline)
        server.call(play_it)


async def runIn(
    reactor: Any,
    script: Script,
    transport: str = "memory:",
    patience: float = PATIENCE,
    deadline: float = DEADLINE,
) -> None:
    """
    The same in a program that has a reactor, such as a test under trial.
    """
    service = serverFor(script, transport).serviceOn(reactor)
    service.startService()
    try:
        await service.ready
        await _fillAndPlay(script, service, reactor, patience, deadline)
    finally:
        await service.stopService()


async def _fillAndPlay(
    script: Script, service: MailService, reactor: Any, patience: float, deadline: float
) -> None:
    assert service.store is not None, "it is in this process"
    await prepare(script, service.store)
    address: Any = service.ports[0].getHost()
    await play(script, TCP4ClientEndpoint(reactor, address.host, address.port), reactor, patience, deadline)


__all__ = ["prepare", "run", "runIn", "serverFor"]
