"""
Reads a command's arguments, one production of the grammar per method.

A L{Reader} stands somewhere in the parts that the framer cut a command into.
Each method reads its production from there and goes on behind it; if the
production is not there it raises L{ParseError} and nothing else, whatever the
bytes.  Ready-made grammars of whole commands are in the modules beside this
one (L{mailstore.imap.wire.fetchitems} and so on).
"""

from __future__ import annotations

import re
from typing import Final

from mailstore.imap.wire import mutf7
from mailstore.imap.wire.classes import ATOM_CHAR, LIST_CHAR
from mailstore.imap.wire.cursor import ReaderLimits
from mailstore.imap.wire.readnumbers import NumberReader
from mailstore.imap.wire.readstrings import StringReader, decodeBase64
from mailstore.imap.wire.readtimes import TimeReader
from mailstore.imap.wire.values import ParseError

__all__ = ["Reader", "ReaderLimits", "decodeBase64"]

# list-mailbox    = 1*list-char / string
_LIST_MAILBOX: Final = re.compile(b"[" + LIST_CHAR + b"]+")

# flag            = "\Answered" / ... / flag-keyword / flag-extension
# flag-extension  = "\" atom
# flag-keyword    = "$MDNSent" / ... / atom
_FLAG: Final = re.compile(rb"\\?[" + ATOM_CHAR + b"]+")

#: The flags of RFC 9051 section 2.3.2 in their one spelling, by their lower case.
_SYSTEM_FLAGS: Final = {
    name.lower(): name for name in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "\\Recent")
}


class Reader(StringReader, NumberReader, TimeReader):
    """
    A place in a command; for the parameters see L{Cursor<mailstore.imap.wire.cursor.Cursor>}.

    Here are the names that users give, and flags; all else is in the classes that this is made of.
    """

    # --- names ---

    def _name(self, value: bytes) -> str:
        """
        What a mailbox name means (RFC 3501 section 5.1.3, RFC 9051 section 5.1).
        """
        self._checkLength(value, "mailbox name")
        if not self.utf8 and value.isascii():
            return mutf7.decode(value)
        # RFC 6855 section 3: where UTF8=ACCEPT is announced, names in UTF-8 are to be taken from every
        # client, and made what they would be in the other spelling; other 8-bit bytes are BAD.
        return self._decoded(value, "mailbox name")

    def _checkLength(self, value: bytes, what: str) -> None:
        """
        A name is not too long.
        """
        if len(value) > self.limits.max_name:
            raise ParseError(f"A {what} has more than {self.limits.max_name} bytes")

    def _decoded(self, value: bytes, what: str) -> str:
        """
        A name in UTF-8.
        """
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise ParseError(f"A {what} is not in UTF-8") from None

    def mailbox(self) -> str:
        """
        C{mailbox}: a folder's name as its user sees it; C{INBOX} in capitals,
        however it was written.

        @raise ParseError: none, one over the limit, or not in the encoding that the client has to use.
        """
        name = self._name(self.astring())
        return "INBOX" if name.upper() == "INBOX" else name

    def listMailbox(self) -> str:
        """
        C{list-mailbox}: a pattern with C{*} and C{%}, as its user sees it.

        @raise ParseError: none, one over the limit, or 8-bit bytes that are not UTF-8.
        """
        match = _LIST_MAILBOX.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            value = match[0]
        else:
            value = self.string()
        if not self.utf8 and value.isascii():
            self._checkLength(value, "mailbox name")
            try:
                return mutf7.decode(value)
            except ParseError:
                # No folder is spelled so; it is no error to look for one.
                return value.decode("ascii")
        return self._name(value)

    def utf8Name(self, what: str) -> str:
        """
        C{astring} that is a name of something else than a mailbox: UTF-8, whatever the client has enabled.

        @param what: what it is the name of, for the error's sentence.
        @raise ParseError: none, one over the limit, or not in UTF-8.
        """
        value = self.astring()
        self._checkLength(value, what)
        return self._decoded(value, what)

    # --- flags ---

    def flag(self) -> str:
        """
        C{flag}, in its one spelling if it is one of RFC 9051 section 2.3.2,
        otherwise as it is written.  C{\\Recent} is read as well: whether it
        may stand there the command decides.

        @raise ParseError:
        """
        flag = self._match(_FLAG, "a flag")[0].decode("ascii")
        return _SYSTEM_FLAGS.get(flag.lower(), flag) if flag[0] == "\\" else flag

    def flagList(self) -> tuple[str, ...]:
        """
        C{flag-list}: flags in parentheses, maybe none.

        @raise ParseError: none, or more flags than the limit.
        """
        return self.parenthesizedOrEmpty(self.flag)
