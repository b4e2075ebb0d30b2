"""
Single bytes in the words of extensions: all 256 of them, one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire import acl, createargs, enableargs, metadata, quota
from mailstore.imap.wire.extensions import EVERY_EXTENSION
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchterms import readTerm
from mailstore.imap.wire.values import ParseError
from tests.imap.wire.parametrized import over, parametrized

_PRINTABLE = frozenset(range(0x21, 0x7F))
_ATOM = _PRINTABLE - frozenset(b'(){%*"\\]')
_ALPHA = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGIT = frozenset(b"0123456789")


@attrs.frozen
class Row:
    """
    A place in a command, and the bytes that can stand there.
    """

    name: str
    read: Callable[[Reader], Any]
    #: With C{%c} for the byte.
    wire: bytes
    expected: frozenset[int]


def _modSequence(reader: Reader) -> Any:
    return readTerm(reader, "MODSEQ", lambda: "")


ROWS = [
    Row("object identifier", Reader.objectId, b"%c", _ALPHA | _DIGIT | frozenset(b"-_")),
    Row("rights", acl.readSetAcl, b"a b %c", frozenset(b"abcdefghijklmnopqrstuvwxyz+-") | _DIGIT),
    Row("identifier", acl.readAclEntry, b"a %c", _ATOM | frozenset(b"]")),
    Row("quota root", quota.readQuotaRoot, b"%c", _ATOM | frozenset(b"]")),
    Row("resource", quota.readSetQuota, b"a (%c 1)", _ATOM),
    Row("entry", metadata.readGetMetadata, b"a /shared/%c", (_ATOM | frozenset(b"]")) - frozenset(b"/")),
    Row(
        "entry in quotes",
        metadata.readGetMetadata,
        b'a "/shared/x%cx"',
        (_PRINTABLE | frozenset(b" ")) - frozenset(b'*%"\\'),
    ),
    Row("special use", createargs.readCreate, b"a (USE (\\%c))", _ATOM),
    Row("capability", enableargs.readEnable, b"%c", _ATOM),
    Row("flag of a mod-sequence", _modSequence, b' "/flags/%c" all 1', _ATOM),
    Row("saved result", Reader.sequenceSet, b"%c", frozenset(b"123456789*$")),
    Row("known set", Reader.knownSet, b"%c", frozenset(b"123456789")),
]


@parametrized
class EveryByteTests(SynchronousTestCase):
    """
    Words of one byte.
    """

    @over(ROWS)
    def test_everyByte(self, row: Row) -> None:
        """
        A byte is taken if and only if the ABNF has it there.
        """
        taken = set()
        for each in range(256):
            reader = Reader((row.wire % each,), extensions=EVERY_EXTENSION)
            try:
                row.read(reader)
                reader.end()
            except ParseError:
                continue
            taken.add(each)
        self.assertEqual(taken, row.expected)
