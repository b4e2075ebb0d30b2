"""
Reads words, strings and base64.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import Final

from mailstore.imap.wire.classes import (
    ASTRING_CHAR,
    ATOM_CHAR,
    BASE64_CHAR,
    FIELD_NAME_CHAR,
    OBJECTID_CHAR,
    QUOTED_PLAIN,
    TAG_CHAR,
)
from mailstore.imap.wire.cursor import LITERAL, Cursor
from mailstore.imap.wire.values import MAX_NUMBER64, ParseError

# tag             = 1*<any ASTRING-CHAR except "+">
_TAG: Final = re.compile(b"[" + TAG_CHAR + b"]+")


def isTag(data: bytes) -> bool:
    """
    Whether all of it is a C{tag}.
    """
    return _TAG.fullmatch(data) is not None


# atom            = 1*ATOM-CHAR
_ATOM: Final = re.compile(b"[" + ATOM_CHAR + b"]+")

# astring         = 1*ASTRING-CHAR / string
_ASTRING: Final = re.compile(b"[" + ASTRING_CHAR + b"]+")

# quoted          = DQUOTE *QUOTED-CHAR DQUOTE
_QUOTED: Final = re.compile(
    rb'"([' + QUOTED_PLAIN + rb']*(?:\\["\\][' + QUOTED_PLAIN + rb']*)*)"',
)
_ESCAPE: Final = re.compile(rb'\\(["\\])')

# objectid        = 1*255(ALPHA / DIGIT / "_" / "-")       (RFC 8474 section 7)
_OBJECTID: Final = re.compile(b"[" + OBJECTID_CHAR + b"]{1,255}(?![" + OBJECTID_CHAR + b"])")

# base64          = *(4base64-char) [base64-terminal]
# base64-terminal = (2base64-char "==") / (3base64-char "=")
_QUARTET: Final = rb"[" + BASE64_CHAR + rb"]{4}"
_BASE64: Final = re.compile(
    rb"(?:" + _QUARTET + rb")*(?:[" + BASE64_CHAR + rb"]{2}==|[" + BASE64_CHAR + rb"]{3}=)?"
)

_FIELD_NAME: Final = re.compile(b"[" + FIELD_NAME_CHAR + b"]+")


def decodeBase64(line: bytes) -> bytes:
    """
    The bytes that a line of base64 stands for: what a client answers to a
    challenge (RFC 9051 section 6.2.2).

    @raise ParseError: it is no base64; also for C{*}, which cancels and is to
        be looked for before.
    """
    if _BASE64.fullmatch(line) is None:
        raise ParseError("That is not base64")
    return a2b_base64(line)


class StringReader(Cursor):
    """
    A place in a command where words and strings can be read.
    """

    # --- words ---

    def tag(self) -> bytes:
        """
        C{tag}.

        @raise ParseError:
        """
        return self._match(_TAG, "a tag")[0]

    def atom(self) -> bytes:
        """
        C{atom}, as it is written.

        @raise ParseError:
        """
        return self._match(_ATOM, "an atom")[0]

    def word(self) -> str:
        """
        C{atom} that is a name of the protocol, in upper case: those are the
        same in any case (RFC 9051 section 9 note 1).

        @raise ParseError:
        """
        return self._match(_ATOM, "a name")[0].decode("ascii").upper()

    def commandName(self) -> str:
        """
        A command's name in upper case; with C{UID} before it, both words and
        one space: C{"UID FETCH"}.

        @raise ParseError:
        """
        name = self._match(_ATOM, "a command")[0].decode("ascii").upper()
        if name == "UID":
            self.space()
            name = f"UID {self.word()}"
        return name

    def objectId(self) -> str:
        """
        C{objectid}, in which upper and lower case differ.

        @raise ParseError:
        """
        return self._match(_OBJECTID, "an object identifier")[0].decode("ascii")

    # --- strings ---

    def _quoted(self) -> bytes:
        """
        C{quoted}.
        """
        value = self._match(_QUOTED, "a quoted string")[1]
        if b"\\" in value:
            value = _ESCAPE.sub(rb"\1", value)
        if self.utf8 and not value.isascii():
            # RFC 6855 section 3: such octets MUST be answered with BAD.
            try:
                value.decode("utf-8")
            except UnicodeDecodeError:
                raise ParseError("A quoted string is not in UTF-8") from None
        return value

    def literal(self) -> tuple[int, bool]:
        """
        The announcement of C{literal} or C{literal8} at the end of a line, and
        the literal after it if it is there: for APPEND, which looks at the size
        and streams the rest.

        @return: how many bytes it has, and whether it is a C{literal8}.
        @raise ParseError:
        """
        match = self._match(LITERAL, "a literal")
        if self._part + 2 < len(self._parts):
            self._part += 2
            self._text = self._parts[self._part]
            self._at = 0
        return min(int(match[2]), MAX_NUMBER64), bool(match[1])

    def _collected(self) -> bytes:
        """
        C{literal} or C{literal8} that was collected.
        """
        at = self._part + 1
        size, binary = self.literal()
        value = self._parts[at] if at < len(self._parts) else None
        if value is None or len(value) != size:
            # It has not come yet, or was streamed.
            raise ParseError("A literal is not allowed here")
        if not binary and b"\0" in value:
            raise ParseError("A literal holds a NUL")
        return value

    def string(self) -> bytes:
        """
        C{string}: C{quoted} or C{literal}.

        @raise ParseError: it is neither, or it is a literal with a NUL in it, a
            C{literal8}, or one that was not collected.
        """
        first = self.peek()
        if first == b'"':
            return self._quoted()
        if first == b"{":
            return self._collected()
        raise ParseError("Expected a string")

    def astring(self) -> bytes:
        """
        C{astring}: a word of any C{ASTRING-CHAR}, or C{string}.

        @raise ParseError:
        """
        match = _ASTRING.match(self._text, self._at)
        if match is None:
            return self.string()
        self._at = match.end()
        return match[0]

    def nstring(self) -> bytes | None:
        """
        C{nstring}: C{string}, or C{NIL} in any case, which is C{None}.

        @raise ParseError:
        """
        match = _ATOM.match(self._text, self._at)
        if match is None:
            return self.string()
        if match[0].upper() != b"NIL":
            raise ParseError("Expected a string or NIL")
        self._at = match.end()
        return None

    def nstring8(self) -> bytes | None:
        """
        C{nstring / literal8}: as L{nstring}, but it may also be a C{literal8}, which may hold NUL.

        @raise ParseError:
        """
        if self._text.startswith(b"~{", self._at):
            return self._collected()
        return self.nstring()

    def fieldName(self) -> str:
        """
        C{header-fld-name}: an astring that can be the name of a header field
        (RFC 5322 section 3.6.8), as it is written.

        @raise ParseError:
        """
        name = self.astring()
        if _FIELD_NAME.fullmatch(name) is None:
            raise ParseError("That cannot be the name of a header field")
        return name.decode("ascii")

    def base64(self) -> bytes:
        """
        C{initial-resp}: base64, or C{=} for an answer of no bytes (RFC 4959
        section 3).

        @raise ParseError:
        """
        if self.accept(b"="):
            return b""
        return decodeBase64(self._match(_BASE64, "base64")[0])
