"""
Tests for L{mailstore.imap.wire.classes}: every class against its ABNF, for all 256 bytes.
"""

from __future__ import annotations

import re

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire import classes
from tests.imap.wire.parametrized import over, parametrized

# The ABNF once more, as sets (RFC 9051 section 9; CHAR and CTL are of RFC 5234 appendix B.1).
CHAR = frozenset(range(0x01, 0x80))
CTL = frozenset(range(0x20)) | {0x7F}
ALPHA = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
DIGIT = frozenset(b"0123456789")
LIST_WILDCARDS = frozenset(b"%*")
QUOTED_SPECIALS = frozenset(b'"\\')
RESP_SPECIALS = frozenset(b"]")
ATOM_SPECIALS = frozenset(b"({) ") | CTL | LIST_WILDCARDS | QUOTED_SPECIALS | RESP_SPECIALS
ATOM_CHAR = CHAR - ATOM_SPECIALS
TEXT_CHAR = CHAR - frozenset(b"\r\n")


@attrs.frozen
class Row:
    """
    A class, and the bytes that are in it.
    """

    name: str
    inside: bytes
    expected: frozenset[int]


ROWS = [
    Row("ATOM-CHAR", classes.ATOM_CHAR, ATOM_CHAR),
    Row("ASTRING-CHAR", classes.ASTRING_CHAR, ATOM_CHAR | RESP_SPECIALS),
    Row("tag", classes.TAG_CHAR, (ATOM_CHAR | RESP_SPECIALS) - frozenset(b"+")),
    Row("list-char", classes.LIST_CHAR, ATOM_CHAR | LIST_WILDCARDS | RESP_SPECIALS),
    Row("TEXT-CHAR", classes.TEXT_CHAR, TEXT_CHAR),
    Row("QUOTED-CHAR", classes.QUOTED_PLAIN, (TEXT_CHAR - QUOTED_SPECIALS) | frozenset(range(0x80, 0x100))),
    Row("base64-char", classes.BASE64_CHAR, ALPHA | DIGIT | frozenset(b"+/")),
    Row("mbase64-char", classes.MODIFIED_BASE64_CHAR, ALPHA | DIGIT | frozenset(b"+,")),
    Row("objectid", classes.OBJECTID_CHAR, ALPHA | DIGIT | frozenset(b"_-")),
    Row("rights", classes.RIGHT_CHAR, frozenset(range(0x61, 0x7B)) | DIGIT),
    Row("entry", classes.ENTRY_CHAR, CHAR - CTL - LIST_WILDCARDS),
    Row("ftext", classes.FIELD_NAME_CHAR, frozenset(range(33, 58)) | frozenset(range(59, 127))),
]


@parametrized
class ClassTests(SynchronousTestCase):
    """
    Character classes.
    """

    @over(ROWS)
    def test_everyByte(self, row: Row) -> None:
        """
        A byte is in the class if and only if the ABNF says so.
        """
        pattern = re.compile(b"[" + row.inside + b"]")
        found = {each for each in range(256) if pattern.fullmatch(bytes([each]))}
        self.assertEqual(found, row.expected)
