"""
The header of a script: what it is about, and what there must be before it begins.
"""

from __future__ import annotations

import difflib
import re
from typing import NoReturn

import attrs

#: The password of users for whom a script says none.
PASSWORD = "secret"

#: Messages that one C{Messages} line may ask for.
MAX_MESSAGES = 10_000

_KEY = re.compile(r"([A-Za-z]+):(?: +(.*?))? *", re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_LIMIT = re.compile(r"(imap|store|ipc)\.([a-z0-9_]+) *= *(\S.*)")
_SETTING = re.compile(r"([a-z]+)\.([a-z0-9_]+) *= *(\S.*)")
_FLAGGED = re.compile(r"(?:\(([^()]*)\) )?(\S.*)")


@attrs.frozen
class Message:
    """
    A message that is there from the beginning.
    """

    #: The whole name of its folder.
    folder: str
    flags: tuple[str, ...]
    #: As it is stored, with CRLF.
    content: bytes


@attrs.frozen
class Rights:
    """
    What somebody may do with a folder.
    """

    folder: str
    identifier: str
    letters: str


@attrs.frozen
class SignIn:
    """
    A session that is signed in before the conversation.
    """

    user: str
    #: The folder that is selected then, or C{""}.
    folder: str = ""


@attrs.frozen
class Header:
    """
    What is said before the conversation.
    """

    title: str = ""
    rfc: str = ""
    #: What it is a test of.
    covers: tuple[str, ...] = ()
    #: Capabilities that the server must have.
    requires: tuple[str, ...] = ()
    #: Passwords by user.
    users: dict[str, str] = attrs.field(factory=dict)
    administrators: tuple[str, ...] = ()
    #: Whole names.
    folders: tuple[str, ...] = ()
    rights: tuple[Rights, ...] = ()
    messages: tuple[Message, ...] = ()
    #: Settings as TOML: table, key, value.
    settings: tuple[tuple[str, str, str], ...] = ()
    #: Whether STARTTLS is offered.
    tls: bool = False
    #: Users by their tokens.
    tokens: dict[str, str] = attrs.field(factory=dict)
    #: Sessions that are signed in before the conversation, by name.
    sessions: dict[str, SignIn] = attrs.field(factory=dict)


class HeaderReader:
    """
    Takes the lines of a header, one by one.  What it cannot understand is a C{ValueError}.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._covers: list[str] = []
        self._requires: list[str] = []
        self._users: dict[str, str] = {}
        self._administrators: list[str] = []
        self._folders: list[str] = []
        self._rights: list[Rights] = []
        self._messages: list[Message] = []
        self._settings: list[tuple[str, str, str]] = []
        self._tls = False
        self._tokens: dict[str, str] = {}
        self._sessions: dict[str, SignIn] = {}
        self._lines: list[str] | None = None
        self._keys = {
            "Title": self._text,
            "RFC": self._text,
            "Covers": self._coversLine,
            "Require": self._require,
            "User": self._user,
            "Administrator": self._administrator,
            "Folder": self._folder,
            "Rights": self._rightsLine,
            "Messages": self._messagesLine,
            "Message": self._message,
            "Limit": self._limit,
            "Setting": self._setting,
            "TLS": self._tlsLine,
            "Token": self._token,
            "Session": self._session,
        }

    def take(self, line: str) -> None:
        """
        Take the next line.

        @raise ValueError: it means nothing here.
        """
        if self._lines is not None and (line == "|" or line.startswith("| ")):
            self._lines.append(line[2:])
            return
        self._finishMessage()
        if not line.strip() or line.startswith("#"):
            return
        found = _KEY.fullmatch(line)
        if found is None:
            raise ValueError(f"neither a line of a header nor of a conversation: {line}")
        key, value = found[1], found[2] or ""
        if key not in self._keys:
            near = difflib.get_close_matches(key, self._keys, 1, 0.6)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(self._keys)}"
            raise ValueError(f"no line of a header is called {key!r}{hint}")
        if not value:
            raise ValueError(f"{key}: says nothing")
        self._key = key
        self._keys[key](value)

    def done(self) -> Header:
        """
        The header, when its last line has been taken.
        """
        self._finishMessage()
        for user in (*self._administrators, *(each.user for each in self._sessions.values())):
            self._users.setdefault(user, PASSWORD)
        return Header(
            self._texts.get("Title", ""),
            self._texts.get("RFC", ""),
            tuple(self._covers),
            tuple(self._requires),
            self._users,
            tuple(self._administrators),
            tuple(self._folders),
            tuple(self._rights),
            tuple(self._messages),
            tuple(self._settings),
            self._tls,
            self._tokens,
            self._sessions,
        )

    def _wants(self, form: str) -> NoReturn:
        raise ValueError(f"{self._key}: must be {form}")

    def _text(self, value: str) -> None:
        self._texts[self._key] = " ".join(filter(None, (self._texts.get(self._key), value)))

    def _coversLine(self, value: str) -> None:
        self._covers += [each.strip() for each in value.split(",") if each.strip()]

    def _require(self, value: str) -> None:
        self._requires += value.split()

    def _user(self, value: str) -> None:
        name, _, password = value.partition(" ")
        self._users[name] = password.strip() or PASSWORD

    def _administrator(self, value: str) -> None:
        self._administrators.append(value)

    def _folder(self, value: str) -> None:
        self._folders.append(value)

    def _rightsLine(self, value: str) -> None:
        parts = value.split(" ", 2)
        if len(parts) != 3:
            self._wants("LETTERS IDENTIFIER FOLDER")
        letters, identifier, folder = parts
        self._rights.append(Rights(folder, identifier, letters))

    def _messagesLine(self, value: str) -> None:
        count, _, folder = value.partition(" ")
        if not re.fullmatch("[0-9]{1,6}", count) or int(count) > MAX_MESSAGES or not folder:
            self._wants(f"COUNT FOLDER, with a count of at most {MAX_MESSAGES}")
        for number in range(1, int(count) + 1):
            content = f"Subject: message {number}\r\n\r\ntext {number}\r\n".encode()
            self._messages.append(Message(folder, (), content))

    def _message(self, value: str) -> None:
        found = _FLAGGED.fullmatch(value)
        if found is None:
            self._wants("[(FLAGS)] FOLDER")
        self._messages.append(Message(found[2], tuple((found[1] or "").split()), b""))
        self._lines = []

    def _finishMessage(self) -> None:
        lines, self._lines = self._lines, None
        if lines is None:
            return
        if not lines:
            raise ValueError("the lines of the message before are missing; each begins with |")
        content = "".join(f"{line}\r\n" for line in lines).encode()
        self._messages[-1] = attrs.evolve(self._messages[-1], content=content)

    def _limit(self, value: str) -> None:
        found = _LIMIT.fullmatch(value)
        if found is None:
            self._wants("imap.NAME = VALUE, store.NAME = VALUE or ipc.NAME = VALUE")
        self._settings.append((f"limits.{found[1]}", found[2], found[3]))

    def _setting(self, value: str) -> None:
        found = _SETTING.fullmatch(value)
        if found is None:
            self._wants("TABLE.NAME = VALUE")
        self._settings.append((found[1], found[2], found[3]))

    def _tlsLine(self, value: str) -> None:
        if value not in ("yes", "no"):
            self._wants("yes or no")
        self._tls = value == "yes"

    def _token(self, value: str) -> None:
        token, _, user = value.partition(" ")
        if not user:
            self._wants("a token and a user")
        self._tokens[token] = user

    def _session(self, value: str) -> None:
        who, _, folder = value.partition(" in ")
        name, _, user = who.rpartition(" ")
        if (name and not _NAME.fullmatch(name)) or not user:
            self._wants("[NAME] USER [in FOLDER], with a name of letters and digits")
        if name in self._sessions:
            raise ValueError(f"there is a session {name!r} already")
        self._sessions[name] = SignIn(user, folder)
