"""
The commands, as values (RFC 2033 section 4, RFC 5321 section 4.1).
"""

from __future__ import annotations

import re
import unicodedata

import attrs

#: Characters that a path may have, with its brackets (RFC 5321 section 4.5.3.1.3).
MAX_PATH = 256

# Atom, Quoted-string and Domain of RFC 5321 section 4.1.2, with UTF8-non-ascii of RFC 6531 section 3.3.
_ATEXT = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]"
_DOT_STRING = rf"{_ATEXT}+(?:\.{_ATEXT}+)*"
_QUOTED = r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"'
_LABEL = r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\-\u0080-\U0010ffff]*[A-Za-z0-9_\u0080-\U0010ffff])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL = r"\[[!-Z^-~]+\]"
# Source routes are read and left aside (RFC 5321 section 4.1.1.3 and appendix C).
_ROUTE = rf"(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?"
_PATH = re.compile(
    rf"<(?:{_ROUTE}(?P<local>{_DOT_STRING}|{_QUOTED})(?:@(?P<domain>{_DOMAIN}|{_LITERAL}))?)?>"
)
# esmtp-param = esmtp-keyword ["=" esmtp-value]; a value has printable ASCII but "=" and space.
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([!-<>-~]+))?")
_GREETER = re.compile(rf"{_DOMAIN}|{_LITERAL}")


class SyntaxFault(Exception):
    """
    A command's arguments make no sense.

    @ivar code: the reply's code.
    @ivar status: its enhanced status code (RFC 3463).
    """

    def __init__(self, text: str, code: int = 501, status: str = "5.5.4") -> None:
        super().__init__(text)
        self.code = code
        self.status = status


@attrs.frozen
class Path:
    """
    A sender or a recipient.
    """

    #: As it was written, without brackets, route and quotes; C{""} for the empty path.
    local: str
    #: C{""} when there is none.
    domain: str
    #: As it was written, without the brackets.
    written: str

    @property
    def address(self) -> str:
        """
        The whole address, with no quotes in it.
        """
        return f"{self.local}@{self.domain}" if self.domain else self.local


@attrs.frozen
class Envelope:
    """
    What MAIL says.
    """

    sender: Path
    #: Bytes that the message is going to have; 0 when that was not said (RFC 1870).
    size: int = 0
    #: There may be UTF-8 in addresses and headers (RFC 6531).
    utf8: bool = False


def split(line: bytes) -> tuple[str, str]:
    """
    A command's name in upper case, and what follows it.

    @raise SyntaxFault: it is none.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise SyntaxFault("That is not UTF-8", 500, "5.5.2") from error
    if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") and each != "\t" for each in text):
        raise SyntaxFault("A command holds no control characters", 500, "5.5.2")
    name, _, rest = text.partition(" ")
    return name.upper(), rest.strip(" \t")


def greeter(rest: str) -> str:
    """
    Who LHLO says it is.

    @raise SyntaxFault: that can be nobody's name.
    """
    if len(rest) > MAX_PATH or _GREETER.fullmatch(rest) is None:
        raise SyntaxFault("Say LHLO with your host's name")
    return rest


def mail(rest: str) -> Envelope:
    """
    The arguments of MAIL.

    @raise SyntaxFault:
    """
    path, parameters = _arguments("FROM", rest)
    size, utf8 = 0, False
    for name, value in parameters.items():
        if name == "SIZE" and re.fullmatch(r"[0-9]{1,20}", value):
            size = int(value)
        elif name == "BODY" and value.upper() in ("7BIT", "8BITMIME"):
            pass
        elif name == "SMTPUTF8" and not value:
            utf8 = True
        else:
            _unknown(name, value)
    _checkAscii(path, utf8)
    return Envelope(path, size, utf8)


def recipient(rest: str, utf8: bool) -> Path:
    """
    The arguments of RCPT.

    @param utf8: MAIL has asked for UTF-8.
    @raise SyntaxFault:
    """
    path, parameters = _arguments("TO", rest)
    for name, value in parameters.items():
        _unknown(name, value)
    if not path.local:
        raise SyntaxFault("There is nobody with the empty address", 553, "5.1.3")
    _checkAscii(path, utf8)
    return path


def _arguments(word: str, rest: str) -> tuple[Path, dict[str, str]]:
    head, colon, rest = rest.partition(":")
    if not colon or head.strip().upper() != word:
        raise SyntaxFault(f"{word}:<address> is missing", 501, "5.5.4")
    rest = rest.lstrip()
    found = _PATH.match(rest)
    if found is None or found.end() > MAX_PATH or (rest[found.end() :] and rest[found.end()] != " "):
        raise SyntaxFault("That is no address in <>", 501, "5.1.3" if word == "TO" else "5.1.7")
    local = found["local"] or ""
    if local.startswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    path = Path(local, found["domain"] or "", found[0][1:-1])
    parameters: dict[str, str] = {}
    for each in rest[found.end() :].split():
        parameter = _PARAMETER.fullmatch(each)
        if parameter is None or parameter[1].upper() in parameters:
            raise SyntaxFault("That is no list of parameters")
        parameters[parameter[1].upper()] = parameter[2] or ""
    return path, parameters


def _unknown(name: str, value: str) -> None:
    # RFC 5321 section 4.1.1.11.
    raise SyntaxFault(f"The parameter {name} is not known here, or not with such a value", 555, "5.5.4")


def _checkAscii(path: Path, utf8: bool) -> None:
    # RFC 6531 section 3.5.
    if not utf8 and not path.written.isascii():
        raise SyntaxFault("An address with other letters than ASCII needs SMTPUTF8", 553, "5.6.7")
