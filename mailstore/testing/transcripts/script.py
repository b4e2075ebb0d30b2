"""
A script: its header, and its conversation step by step.  What the lines mean is said
in L{mailstore.testing.transcripts}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from mailstore.testing.transcripts.header import Header, HeaderReader
from mailstore.testing.transcripts.templates import (
    BadTemplate,
    Template,
    announces,
    readData,
    readExpected,
    readSent,
)

#: Bytes that a script may have.
MAX_SCRIPT = 4 << 20

_LINE = re.compile(r"(?:([A-Za-z][A-Za-z0-9]*) )?([CS])([:|>~?])(?: (.*))?", re.DOTALL)
_MARKS = frozenset(("C:", "C|", "C>", "S:", "S|", "S>", "S~", "S?"))
_CRLF = Template((b"\r\n",))


class ScriptError(Exception):
    """
    A script makes no sense; the message names file, line and reason.
    """


@attrs.frozen
class Step:
    """
    Something that happens in a session.
    """

    #: Where it stands in the script, from 1.
    line: int
    #: The session's name, C{""} for the one without.
    session: str
    #: The line as it is written.
    source: str


@attrs.frozen
class Send(Step):
    """
    The client sends this.
    """

    data: Template


@attrs.frozen
class Close(Step):
    """
    The client hangs up.
    """


@attrs.frozen
class StartTls(Step):
    """
    The client begins to speak TLS.
    """


@attrs.frozen
class Deflate(Step):
    """
    Both sides compress from now on (RFC 4978).
    """


@attrs.frozen
class Inflate(Step):
    """
    Neither side compresses from now on (RFC 8437 section 4.1).
    """


@attrs.frozen
class Deaf(Step):
    """
    The client reads nothing from now on.
    """


@attrs.frozen
class Hear(Step):
    """
    The client reads again.
    """


@attrs.frozen
class Expect(Step):
    """
    The server must send this next.
    """

    #: The response without its last CRLF, and without the bytes of its literals.
    text: Template
    #: What its literals hold; C{None} for anything.
    literals: tuple[Template | None, ...]
    #: Whether it may also not come.
    optional: bool = False


@attrs.frozen
class ExpectAll(Step):
    """
    The server must send these next, in any order.
    """

    responses: tuple[Expect, ...]


@attrs.frozen
class Closed(Step):
    """
    The server must close the connection now.
    """


#: What a client can do besides sending.
_DEEDS: dict[str, type[Close | StartTls | Deflate | Inflate | Deaf | Hear]] = {
    "${close}": Close,
    "${tls}": StartTls,
    "${deflate}": Deflate,
    "${inflate}": Inflate,
    "${deaf}": Deaf,
    "${hear}": Hear,
}


@attrs.frozen
class Script:
    """
    A whole script.

    @ivar name: how it is called in messages; usually the file's path.
    @ivar header: what is said before the conversation.
    @ivar steps: the conversation.
    """

    name: str
    header: Header
    steps: tuple[Step, ...]

    @classmethod
    def load(cls, path: str | Path) -> Script:
        """
        Read a file.

        @raise OSError: it cannot be read.
        @raise ScriptError:
        """
        with open(path, "rb") as file:
            data = file.read(MAX_SCRIPT + 1)
        try:
            return cls.parse(data.decode(), str(path))
        except UnicodeDecodeError as error:
            raise ScriptError(f"{path}: not UTF-8 at byte {error.start}") from error

    @classmethod
    def parse(cls, text: str, name: str = "script") -> Script:
        """
        Read a text.

        @raise ScriptError:
        """
        if len(text) > MAX_SCRIPT:
            raise ScriptError(f"{name}: longer than {MAX_SCRIPT} characters")
        lines = text.replace("\r\n", "\n").split("\n")
        reader = HeaderReader()
        at = 0
        try:
            while at < len(lines) and not _LINE.fullmatch(lines[at]):
                reader.take(lines[at])
                at += 1
            header = reader.done()
        except ValueError as error:
            raise ScriptError(f"{name}:{at + 1}: {error}") from error
        conversation = _Conversation(name, lines, at)
        steps = tuple(conversation.steps())
        if not steps:
            raise ScriptError(f"{name}: there is no conversation in it")
        return cls(name, header, steps)

    @property
    def covers(self) -> frozenset[str]:
        """
        What it says it is a test of.
        """
        return frozenset(self.header.covers)

    @property
    def sessions(self) -> tuple[str, ...]:
        """
        The names of all sessions, in the order in which they begin.
        """
        return tuple(dict.fromkeys((*self.header.sessions, *(step.session for step in self.steps))))


@attrs.frozen
class _Line:
    number: int
    session: str
    mark: str
    text: str
    source: str


class _Conversation:
    """
    Makes steps of lines.
    """

    def __init__(self, name: str, lines: list[str], start: int) -> None:
        self._name = name
        self._lines: list[_Line] = []
        for number, line in enumerate(lines[start:], start + 1):
            if not line.strip() or line.startswith("#"):
                continue
            found = _LINE.fullmatch(line)
            if found is None or found[2] + found[3] not in _MARKS:
                raise ScriptError(f"{name}:{number}: neither C: nor S:, nor a comment: {line}")
            self._lines.append(_Line(number, found[1] or "", found[2] + found[3], found[4] or "", line))
        self._at = 0
        self._known: set[str] = set()

    def steps(self) -> Iterator[Step]:
        """
        All steps in order.

        @raise ScriptError:
        """
        together: list[Expect] = []
        optional: dict[str, int] = {}
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if together and (line.mark != "S~" or line.session != together[0].session):
                yield self._all(together)
                together = []
            if line.session in optional:
                if line.mark[0] == "C":
                    self._fail(optional[line.session], "after S? lines an S: line must follow")
                if line.mark != "S?":
                    del optional[line.session]
            try:
                step = self._step(line)
            except BadTemplate as error:
                self._fail(line.number, str(error))
            if line.mark == "S~":
                assert isinstance(step[0], Expect)
                together.append(step[0])
                continue
            if line.mark == "S?":
                optional[line.session] = line.number
            yield from step
        if together:
            yield self._all(together)
        for number in optional.values():
            self._fail(number, "after S? lines an S: line must follow")

    @staticmethod
    def _all(responses: list[Expect]) -> ExpectAll:
        first = responses[0]
        return ExpectAll(first.line, first.session, first.source, tuple(responses))

    def _fail(self, number: int, reason: str) -> None:
        raise ScriptError(f"{self._name}:{number}: {reason}")

    def _step(self, line: _Line) -> list[Step]:
        where = (line.number, line.session, line.source)
        if line.mark == "C:":
            if line.text in _DEEDS:
                self._at += 1
                return [_DEEDS[line.text](*where)]
            return [self._sent(line)]
        if line.mark == "C|":
            return self._sentData(line)
        if line.mark in ("S:", "S~", "S?"):
            if line.mark == "S:" and line.text == "${closed}":
                self._at += 1
                return [Closed(*where)]
            return [self._expected(line)]
        self._fail(line.number, f"{line.mark} does not follow a literal of the same session")
        raise AssertionError("not reached")

    # --- the client's side -----------------------------------------------------

    def _sent(self, line: _Line) -> Send:
        """
        A C{C:} or C{C>} line.
        """
        self._at += 1
        data = None
        if announces(line.text):
            data = readData([each.text for each in self._dataOf(line)], sent=True)
        return self._send(line, readSent(line.text, data) + _CRLF)

    def _dataOf(self, line: _Line) -> list[_Line]:
        """
        The next C{C|} lines of the line's session; the server may be heard before.
        """
        found: list[_Line] = []
        for each in self._lines[self._at :]:
            if each.session == line.session and each.mark == "C|":
                found.append(each)
            elif found or (each.session == line.session and each.mark[0] == "C"):
                break
        if not found:
            self._fail(line.number, "no C| line says what the literal holds")
        return found

    def _sentData(self, line: _Line) -> list[Step]:
        """
        The bytes of a literal, and what follows it.
        """
        before = next(
            (
                each
                for each in reversed(self._lines[: self._at])
                if each.session == line.session and each.mark[0] == "C"
            ),
            None,
        )
        if before is None or not before.text.endswith("}"):
            self._fail(line.number, "C| does not follow the announcement of a literal")
        block = self._dataOf(line)
        self._at += len(block)
        send = self._send(line, readData([each.text for each in block], sent=True))
        following = self._lines[self._at] if self._at < len(self._lines) else None
        if following is not None and (following.session, following.mark) == (line.session, "C>"):
            return [send, self._sent(following)]
        return [attrs.evolve(send, data=send.data + _CRLF)]

    def _send(self, line: _Line, data: Template) -> Send:
        self._checkKnown(line, data)
        return Send(line.number, line.session, line.source, data)

    # --- the server's side -----------------------------------------------------

    def _expected(self, line: _Line) -> Expect:
        text, literals = self._response(line)
        while self._at < len(self._lines):
            more = self._lines[self._at]
            if (more.session, more.mark) != (line.session, "S>"):
                break
            rest, further = self._response(more)
            text, literals = text + rest, literals + further
        for each in (text, *filter(None, literals)):
            self._checkKnown(line, each)
        if line.mark != "S?":
            for each in (text, *filter(None, literals)):
                self._known |= each.kept
        return Expect(line.number, line.session, line.source, text, tuple(literals), line.mark == "S?")

    def _response(self, line: _Line) -> tuple[Template, list[Template | None]]:
        """
        One line of a response, with the literal at its end.
        """
        self._at += 1
        literals: list[Template | None] = [None] * line.text.count("{*}")
        data = None
        if announces(line.text):
            block = []
            for each in self._lines[self._at :]:
                if (each.session, each.mark) != (line.session, "S|"):
                    break
                block.append(each.text)
            if not block:
                self._fail(line.number, "no S| line says what the literal holds")
            self._at += len(block)
            data = readData(block, sent=False)
            literals.append(data)
        return readExpected(line.text, data), literals

    def _checkKnown(self, line: _Line, template: Template) -> None:
        for name in sorted(template.names - self._known - template.kept):
            self._fail(line.number, f"nothing was kept under {name!r} before")
