"""
C{twist mailstore}: from the command line to a running server.
"""

from __future__ import annotations

import atexit
import getopt
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import attrs
from twisted.application.service import MultiService
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import AuthOptionMixin
from twisted.python import usage
from twisted.python.failure import Failure

from mailstore.auth.bearer import IBearerToken
from mailstore.config import (
    DEFAULT_LISTEN,
    DEFAULT_STORE,
    DEFAULT_TRANSPORT,
    MAX_FILE,
    Config,
    ConfigError,
    load,
    parse,
)
from mailstore.demo import PASSWORD, USERS
from mailstore.selfsigned import fingerprint
from mailstore.supervisor import LISTENING_PIPE, readConfig
from mailstore.topology import EX_CONFIG, MailService, Part, StartFailed


class Options(AuthOptionMixin, usage.Options):
    """
    What can be said after C{twist mailstore}.  It wins over the config file.
    """

    #: C{--auth} adds checkers of passwords or tokens; they are asked beside the store.
    supportedInterfaces = (IUsernamePassword, IBearerToken)

    synopsis = "[options]"

    longdesc = f"""
    Serves a mail store over IMAP.  Without options it serves {DEFAULT_STORE} on
    127.0.0.1, port 1143; 'mailstore init' makes that store.  To look around, use --demo.
    """

    optFlags = [
        ["demo", None, "Serve a throw-away store with sample folders and the users alice and bob."],
    ]

    optParameters = [
        ["config", "c", None, "Read settings from this TOML file."],
        ["store", "s", None, f"The store's URL (default: {DEFAULT_STORE})."],
        [
            "transport",
            "t",
            None,
            "What joins front end and store: memory:, shm:PATH, unix:PATH or tcp:HOST:PORT "
            f"(default: {DEFAULT_TRANSPORT}).",
        ],
        ["role", "r", "all", "What this process is: all, frontend or store."],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["listen"] = []
        self["lmtp"] = []

    def opt_listen(self, endpoint: str) -> None:
        """
        Where to speak IMAP, as a Twisted endpoint (default:
        tcp:1143:interface=127.0.0.1); may be given several times.
        """
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def opt_lmtp(self, endpoint: str) -> None:
        """
        Where to take messages for delivery, by LMTP, as a Twisted endpoint on this machine
        only, such as unix:/run/mailstore/lmtp (default: nowhere); may be given several times.
        """
        self["lmtp"].append(endpoint)

    def parseArgs(self, *words: str) -> None:
        """
        There is nothing to say but options.
        """
        if words:
            raise usage.UsageError(f"there are only options here, and {words[0]!r} is none")


def partOf(options: Options) -> Part:
    """
    What the command line, and the config file that it names, ask for.

    @raise ConfigError: it makes no sense.
    """
    config, pipe = Config(), None
    path = options["config"]
    if path == "-":
        data, has_parent = readConfig(0, MAX_FILE)
        config = parse(data, "standard input")
        pipe = 0 if has_parent else None
    elif path is not None:
        config = load(path)
    if options["demo"]:
        if options["store"] is not None:
            raise ConfigError("--demo has a store of its own: leave out --store")
        # Whatever the file says: the passwords of a demo are known to all.
        config = attrs.evolve(config, listen=(DEFAULT_LISTEN,))
    if options["store"] is not None:
        config = attrs.evolve(config, store_url=options["store"])
    if options["transport"] is not None:
        config = attrs.evolve(config, transport=options["transport"])
    if options["listen"]:
        config = attrs.evolve(config, listen=tuple(options["listen"]))
    if options["lmtp"]:
        config = attrs.evolve(config, lmtp_listen=tuple(options["lmtp"]))
    return Part(
        config,
        role=options["role"],
        demo=bool(options["demo"]),
        checkers=tuple(options.get("credCheckers", ())),
        parent_pipe=pipe,
        listening_pipe=None if pipe is None else LISTENING_PIPE,
        twist_options=twistOptions(sys.argv[1:]),
    )


def twistOptions(arguments: Sequence[str]) -> tuple[str, ...]:
    """
    The options of C{twist} itself (log level, format, file, reactor), for the
    store's process to have the same.

    @param arguments: the words after the program's name.
    """
    names = ("reactor", "log-level", "log-file", "log-format")
    try:
        found, _ = getopt.getopt(list(arguments), "", [f"{each}=" for each in names])
    except getopt.GetoptError:
        return ()
    return tuple(f"{name}={value}" for name, value in found)


class Fate:
    """
    How the process ends when the server cannot start: one line on standard
    error, and an exit code.

    C{twist} ends with 0 whatever made its reactor stop, and has no way to be
    told otherwise; so the last thing that the interpreter does is to leave
    with the right code.
    """

    def __init__(
        self, reactor: Any, at_exit: Callable[[Callable[[], None]], object] = atexit.register
    ) -> None:
        self._reactor = reactor
        self._at_exit = at_exit
        self.code = 0

    def failed(self, failure: Failure) -> None:
        """
        The server could not start.
        """
        error = failure.value
        self.code = error.code if isinstance(error, StartFailed) else 1
        _say(str(error))
        self._at_exit(self._leave)
        self._reactor.callWhenRunning(self._stop)

    def _stop(self) -> None:
        # Not from inside the event that starts the reactor.
        self._reactor.callLater(0, self._reactor.stop)

    def _leave(self) -> NoReturn:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)


def keepSteadyTime(reactor: Any) -> None:
    """
    Let a reactor's timers run by a clock that nobody sets.  Twisted's own is the time of day:
    when that is put back by an hour, whatever is due waits for an hour.
    """
    if not reactor.getDelayedCalls():
        reactor.seconds = time.monotonic


def makeService(options: Options) -> MultiService:
    """
    The service that C{twist} runs.

    @raise SystemExit: the configuration cannot be used; one line says why.
    """
    from twisted.internet import reactor

    keepSteadyTime(reactor)
    try:
        part = partOf(options)
        service = MailService(reactor, part)
    except ConfigError as error:
        _say(str(error))
        raise SystemExit(EX_CONFIG) from error
    if part.parent_pipe is not None:
        # Ctrl-C and the end of a terminal reach all its processes; when to stop, the parent says.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    elif signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        # The terminal was closed: end in order, unless "nohup" said that it does not matter.
        stoppable: Any = reactor
        signal.signal(signal.SIGHUP, lambda *_: stoppable.callFromThread(stoppable.stop))
    service.ready.addCallbacks(lambda _: _greet(service, part), Fate(reactor).failed)
    parent = MultiService()  # type: ignore[no-untyped-call]
    service.setServiceParent(parent)  # type: ignore[no-untyped-call]
    return parent


def _say(message: str) -> None:
    """
    Tell the person who started the server.  Once C{twist} logs, C{sys.stderr} is its log.
    """
    stream = sys.__stderr__
    if message and stream is not None:
        print(f"mailstore: {message}", file=stream, flush=True)


def greeting(places: Sequence[tuple[Any, bool]], certificate: str = "") -> str:
    """
    How to connect to a demo.

    @param places: the addresses where it listens, each with whether TLS is
        spoken there from the first byte on.
    @param certificate: the fingerprint of a certificate that was made for it; C{""} if there is none.
    """
    lines = []
    for each, tls in places:
        host, port = getattr(each, "host", None), getattr(each, "port", None)
        language = "IMAP over TLS" if tls else "IMAP"
        if port is None:
            lines.append(f"The demo speaks {language} at {each}.")
            continue
        lines.append(f"The demo speaks {language} at {host}, port {port}.")
        lines.append(
            f"  Users: {' and '.join(USERS)}, password {PASSWORD}.  alice may write in the public folders."
        )
        command = "curl -k -u" if tls else "curl -u"
        lines.append(f"  Try:   {command} {USERS[0]}:{PASSWORD} imap{'s' if tls else ''}://{host}:{port}/")
    if certificate:
        lines.append(
            "  TLS:   by STARTTLS too; the certificate is of its own making, with the SHA-256 fingerprint"
        )
        lines.append(f"         {certificate}")
    lines.append("  Everything in it is gone when it ends (Ctrl-C).")
    return "\n".join(lines)


def _greet(service: MailService, part: Part) -> None:
    stream = sys.__stdout__
    if not part.demo or stream is None:
        return
    tls = [each.startswith("ssl:") for each in part.config.listen]
    places = list(zip([port.getHost() for port in service.ports], tls, strict=True))
    made = service.tls is not None and not part.config.certificate
    print(greeting(places, fingerprint(service.tls) if made else ""), file=stream, flush=True)
