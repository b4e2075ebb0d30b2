"""
What a server is told to be: read from TOML, checked, and then never changed.

A setting that is not written has the default of L{Config}.  A key that means
nothing, a value of the wrong kind and a file that cannot be read are a
L{ConfigError} of one line, which names the place and, for a misspelt key, the
nearest right one.

::

    [store]
    url = "sqlite:mail.db"
    subscribe_new = true    # everybody subscribes to new public folders, until he says otherwise

    [transport]
    description = "shm:/run/mailstore/store:blocks=1024:block_size=4096"

    [overload]
    patience = 5.0

    [imap]
    listen = ["tcp:143", {endpoint = "ssl:993", public_folders = false}]
    literals = "plus"
    unauthenticate = true   # whether clients may sign out and go on as somebody else (RFC 8437)
    trust_loopback = true   # false where a proxy on this machine connects for others

    [lmtp]
    listen = ["unix:/run/mailstore/lmtp:mode=660"]
    domains = ["example.org"]   # ann@example.org is the user ann
    detail = "+"                # ann+lists@example.org goes to ann's folder "lists"
    host = "mail.example.org"   # what this host calls itself

    [metrics]                   # for Prometheus, over HTTP, to whoever can connect
    listen = "tcp:9100:interface=127.0.0.1"         # of the process with the front end
    store_listen = "tcp:9101:interface=127.0.0.1"   # of a process with the store alone

    [tls]
    certificate = "/etc/ssl/mail.crt"
    key = "/etc/ssl/private/mail.key"

    [auth]
    checkers = ["file:/etc/mailstore/passwd"]   # beside the store's own users
    secret = "any text that nobody can guess"

    [limits.store]      # the fields of EngineLimits
    max_message = 67108864

    [limits.ipc]        # the fields of IpcLimits, but for patience
    window = 4

    [limits.imap]       # the fields of ImapLimits
    max_sessions = 10000

    [limits.lmtp]       # the fields of LmtpLimits
    max_connections = 100
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from mailstore.engine.limits import EngineLimits
from mailstore.imap.limits import ImapLimits
from mailstore.ipc.limits import IpcLimits
from mailstore.lmtp.limits import LmtpLimits

#: Where mail is kept unless somebody says otherwise: in the working directory.
DEFAULT_STORE = "sqlite:mail.db"

#: Where the front end listens unless somebody says otherwise: for clients on
#: the same machine, at a port that needs no privilege.
DEFAULT_LISTEN = "tcp:1143:interface=127.0.0.1"

#: How front end and store are joined unless somebody says otherwise: in one process.
DEFAULT_TRANSPORT = "memory:"

#: Bytes that a config file may have.
MAX_FILE = 1 << 20

#: Characters that a secret must have.
SHORTEST_SECRET = 16

#: What C{[imap] literals} can be.
LITERALS = ("plus", "minus")

#: The classes of limits, by the name of their table.
LIMITS: dict[str, type[Any]] = {
    "store": EngineLimits,
    "ipc": IpcLimits,
    "imap": ImapLimits,
    "lmtp": LmtpLimits,
}


class ConfigError(Exception):
    """
    The configuration cannot be used; the message is one line that says what
    to change.
    """


@attrs.frozen
class Config:
    """
    Everything that a server can be told.
    """

    #: Where the mail is: C{sqlite:///var/lib/mail.db}, C{sqlite:mail.db} in the
    #: working directory, or C{sqlite::memory:}.
    store_url: str = DEFAULT_STORE
    #: Whether all who may look up a new public folder subscribe to it, until they say otherwise.
    subscribe_new: bool = False
    #: The channel between front end and store: C{memory:}, C{shm:PATH}, C{unix:PATH} or
    #: C{tcp:HOST:PORT}, each with its options (L{transports.description}).
    transport: str = DEFAULT_TRANSPORT
    #: Descriptions of Twisted server endpoints where IMAP is spoken.
    listen: tuple[str, ...] = (DEFAULT_LISTEN,)
    #: Those of them where a LIST does not tell of public folders unless it asks for them by name.
    without_public: tuple[str, ...] = ()
    #: C{"plus"} or C{"minus"}: whether LITERAL+ is announced or LITERAL- (RFC 7888).
    literals: str = "plus"
    #: Whether UNAUTHENTICATE is announced (RFC 8437).
    unauthenticate: bool = True
    #: Whether clients on this machine may send passwords without TLS: not where a proxy connects for others.
    trust_loopback: bool = True
    #: Path of the certificate (PEM, with its chain) for STARTTLS and C{ssl:} endpoints; C{""} for none.
    certificate: str = ""
    #: Path of its private key (PEM).
    key: str = ""
    #: Descriptions of checkers of passwords or tokens that are asked beside the store, as C{--auth}
    #: takes them (L{twisted.cred.strcred}).
    checkers: tuple[str, ...] = attrs.field(default=(), repr=False)
    #: What unknown users are shown in place of a real user's salt is made from this.  All front ends
    #: of a store should have the same; C{""} to make it from L{key}, and anew at each start if there is none.
    secret: str = attrs.field(default="", repr=False)
    #: The bounds of the store.
    store_limits: EngineLimits = attrs.field(factory=EngineLimits)
    #: The bounds of the traffic between front end and store, with the
    #: patience of C{[overload]}.
    ipc_limits: IpcLimits = attrs.field(factory=IpcLimits)
    #: The bounds of the front end.
    imap_limits: ImapLimits = attrs.field(factory=ImapLimits)
    #: Descriptions of Twisted server endpoints where messages are taken for delivery, on this machine only.
    lmtp_listen: tuple[str, ...] = ()
    #: Domains whose users are named by what stands before the C{@}.
    lmtp_domains: tuple[str, ...] = ()
    #: Between a user's name and that of a folder in an address; C{""} when there is no such thing.
    lmtp_detail: str = ""
    #: What this host calls itself to mail servers; C{""} for the name it has.
    lmtp_host: str = ""
    #: Where a process with a front end serves its metrics; C{""} for nowhere.
    metrics_listen: str = ""
    #: The same for a process that has the store alone, which may be on the same machine.
    metrics_store_listen: str = ""
    #: The bounds of delivery.
    lmtp_limits: LmtpLimits = attrs.field(factory=LmtpLimits)

    def __attrs_post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            missing = "key" if self.certificate else "certificate"
            raise ConfigError(f"[tls] needs both certificate and key: {missing} is missing")
        if not self.listen:
            raise ConfigError("[imap] listen names no endpoint")
        if self.literals not in LITERALS:
            raise ConfigError(f'[imap] literals must be "plus" or "minus", not {self.literals!r}')
        if len(self.lmtp_detail) > 1 or self.lmtp_detail in ("@", ".", " "):
            raise ConfigError(f"[lmtp] detail must be one character such as '+', not {self.lmtp_detail!r}")
        for name in (*self.lmtp_domains, *filter(None, (self.lmtp_host,))):
            if re.fullmatch(r"[^\s@<>]{1,253}", name) is None:
                raise ConfigError(f"[lmtp] {name!r} is not the name of a domain or host")
        if self.secret and len(self.secret) < SHORTEST_SECRET:
            raise ConfigError(f"[auth] secret must have at least {SHORTEST_SECRET} characters")


def load(path: str) -> Config:
    """
    Read a config file.

    @raise ConfigError: it cannot be read or used; the message begins with its name.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from error
    return parse(data, path)


def parse(data: bytes, source: str) -> Config:
    """
    Understand the content of a config file.

    @param source: what to call it in messages.
    @raise ConfigError: it cannot be used.
    """
    if len(data) > MAX_FILE:
        raise ConfigError(f"{source}: longer than {MAX_FILE} bytes, which no config file is")
    try:
        tables = tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: {_oneLine(str(error))}") from error
    try:
        return _build(tables)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error


def dump(config: Config) -> str:
    """
    The configuration as TOML, from which L{parse} makes an equal one.
    """
    lines = [
        "[store]",
        f"url = {_toml(config.store_url)}",
        f"subscribe_new = {_toml(config.subscribe_new)}",
        "[transport]",
        f"description = {_toml(config.transport)}",
        "[overload]",
        f"patience = {_toml(config.ipc_limits.patience)}",
        "[imap]",
        f"listen = [{', '.join(_listenToml(config, each) for each in config.listen)}]",
        f"literals = {_toml(config.literals)}",
        f"unauthenticate = {_toml(config.unauthenticate)}",
        f"trust_loopback = {_toml(config.trust_loopback)}",
    ]
    lmtp = {
        "listen": list(config.lmtp_listen),
        "domains": list(config.lmtp_domains),
        "detail": config.lmtp_detail,
        "host": config.lmtp_host,
    }
    lines += ["[lmtp]", *(f"{key} = {_toml(value)}" for key, value in lmtp.items() if value)]
    metrics = {"listen": config.metrics_listen, "store_listen": config.metrics_store_listen}
    lines += ["[metrics]", *(f"{key} = {_toml(value)}" for key, value in metrics.items() if value)]
    if config.certificate:
        lines += ["[tls]", f"certificate = {_toml(config.certificate)}", f"key = {_toml(config.key)}"]
    if config.checkers or config.secret:
        lines.append("[auth]")
    if config.checkers:
        lines.append(f"checkers = {_toml(list(config.checkers))}")
    if config.secret:
        lines.append(f"secret = {_toml(config.secret)}")
    for name, limits in (
        ("store", config.store_limits),
        ("ipc", config.ipc_limits),
        ("imap", config.imap_limits),
        ("lmtp", config.lmtp_limits),
    ):
        lines.append(f"[limits.{name}]")
        for field in _limitFields(name):
            value = getattr(limits, field.name)
            if value is not None:
                lines.append(f"{field.name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """
    The sentence about a name that means nothing: with the nearest right one,
    if there is one, else with all of them.

    @param kind: what it should have been, such as C{"setting"}.
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, 1, 0.6)
    if near:
        return f"unknown {kind} {name!r}; did you mean {near[0]!r}?"
    return f"unknown {kind} {name!r}; there are: {', '.join(known)}"


# --- building ---------------------------------------------------------------

#: The settings outside C{[limits]}: table, key, attribute of L{Config}, kind.
_SETTINGS = (
    ("store", "url", "store_url", "text"),
    ("store", "subscribe_new", "subscribe_new", "true or false"),
    ("transport", "description", "transport", "text"),
    ("imap", "listen", "listen", "list of endpoints"),
    ("imap", "literals", "literals", "text"),
    ("imap", "unauthenticate", "unauthenticate", "true or false"),
    ("imap", "trust_loopback", "trust_loopback", "true or false"),
    ("lmtp", "listen", "lmtp_listen", "list of texts"),
    ("lmtp", "domains", "lmtp_domains", "list of texts"),
    ("lmtp", "detail", "lmtp_detail", "text"),
    ("lmtp", "host", "lmtp_host", "text"),
    ("metrics", "listen", "metrics_listen", "text"),
    ("metrics", "store_listen", "metrics_store_listen", "text"),
    ("tls", "certificate", "certificate", "text"),
    ("tls", "key", "key", "text"),
    ("auth", "checkers", "checkers", "list of texts"),
    ("auth", "secret", "secret", "text"),
)

_TABLES = ("store", "transport", "overload", "imap", "lmtp", "metrics", "tls", "auth", "limits")


def _build(tables: Mapping[str, Any]) -> Config:
    for name, table in tables.items():
        if name not in _TABLES:
            raise ConfigError(unknown("table", name, _TABLES))
        if not isinstance(table, dict):
            raise ConfigError(f"{name} must be a table: [{name}]")
    made: dict[str, Any] = {}
    for name, key, attribute, kind in _SETTINGS:
        if key in tables.get(name, {}):
            made[attribute] = _checked(f"[{name}] {key}", tables[name][key], kind)
    if "listen" in made:
        made["listen"], made["without_public"] = _listeners(made["listen"])
    for name, table in tables.items():
        known = [setting[1] for setting in _SETTINGS if setting[0] == name]
        if name == "overload":
            known = ["patience"]
        elif name == "limits":
            known = list(LIMITS)
        for key in table:
            if key not in known:
                raise ConfigError(f"[{name}] {unknown('setting', key, known)}")
    limits = tables.get("limits", {})
    for name, limits_class in LIMITS.items():
        values = _limitValues(name, limits.get(name, {}))
        if name == "ipc" and "patience" in tables.get("overload", {}):
            values["patience"] = _checked("[overload] patience", tables["overload"]["patience"], "number")
        try:
            made[f"{name}_limits"] = limits_class(**values)
        except (ValueError, TypeError) as error:
            where = "overload" if "patience" in str(error.args[0]) else f"limits.{name}"
            raise ConfigError(f"[{where}] {_oneLine(str(error.args[0]))}") from error
    return Config(**made)


def _listeners(listeners: tuple[Any, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    The endpoints of C{[imap] listen}, and those of them without public folders.  Each is a text, or a table
    with that text as C{endpoint}.
    """
    known = {"endpoint": "text", "public_folders": "true or false"}
    endpoints: list[str] = []
    without: list[str] = []
    for each in listeners:
        table = {"endpoint": each} if isinstance(each, str) else each
        for key, value in table.items():
            if key not in known:
                raise ConfigError(f"[imap] listen: {unknown('setting', key, known)}")
            _checked(f"[imap] listen: {key}", value, known[key])
        if "endpoint" not in table:
            raise ConfigError("[imap] listen: a table needs an endpoint")
        endpoint, hides = table["endpoint"], not table.get("public_folders", True)
        if endpoint in endpoints and hides != (endpoint in without):
            raise ConfigError(f"[imap] listen names {endpoint!r} twice, with and without public folders")
        endpoints.append(endpoint)
        if hides:
            without.append(endpoint)
    return tuple(endpoints), tuple(without)


def _limitFields(name: str) -> list[attrs.Attribute[Any]]:
    """
    The fields that the table C{[limits.name]} may set.
    """
    return [each for each in attrs.fields(LIMITS[name]) if (name, each.name) != ("ipc", "patience")]


def _limitValues(name: str, table: object) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"limits.{name} must be a table: [limits.{name}]")
    fields = {each.name: each for each in _limitFields(name)}
    values = {}
    for key, value in table.items():
        if key not in fields:
            if (name, key) == ("ipc", "patience"):
                raise ConfigError("[limits.ipc] patience has its place in [overload]")
            raise ConfigError(f"[limits.{name}] {unknown('setting', key, fields)}")
        values[key] = _checked(f"[limits.{name}] {key}", value, _kindOf(fields[key]))
    return values


def _kindOf(field: attrs.Attribute[Any]) -> str:
    written = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
    first = written.split("|")[0].strip()
    return {"int": "whole number", "float": "number", "bool": "true or false"}.get(first, "text")


def _checked(where: str, value: Any, kind: str) -> Any:
    """
    C{value}, if it is of this kind.
    """
    if kind == "whole number":
        right = isinstance(value, int) and not isinstance(value, bool)
    elif kind == "number":
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        value = float(value) if right else value
    elif kind == "true or false":
        right = isinstance(value, bool)
    elif kind == "list of endpoints":
        right = isinstance(value, list) and all(isinstance(each, (str, dict)) for each in value)
        value = tuple(value) if right else value
    elif kind == "list of texts":
        right = isinstance(value, list) and all(isinstance(each, str) for each in value)
        value = tuple(value) if right else value
    else:
        right = isinstance(value, str)
    if not right:
        wanted = kind if kind == "true or false" else f"a {kind}"
        raise ConfigError(f"{where} must be {wanted}, not {_oneLine(repr(value))}")
    for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
        if isinstance(text, dict):
            continue
        if not text or re.search(r"[\x00-\x1f\x7f]", text):
            raise ConfigError(f"{where} must be a text without control characters, not {text!r}")
    return value


def _oneLine(text: str) -> str:
    """
    C{text} on one line of bounded length.
    """
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:197] + "..."


def _listenToml(config: Config, endpoint: str) -> str:
    """
    One of the listeners as TOML.
    """
    if endpoint not in config.without_public:
        return _toml(endpoint)
    return f"{{endpoint = {_toml(endpoint)}, public_folders = false}}"


def _toml(value: object) -> str:
    """
    A value as TOML writes it.  JSON's spelling is TOML's for all that is used
    here: L{_checked} lets no control character in.
    """
    return json.dumps(value, ensure_ascii=False)
