"""
Tests for the reader, the writer and the grammar of commands together: what is
read, written and read again is the same.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.reader import Reader, decodeBase64
from mailstore.imap.wire.values import ParseError
from tests.imap.wire import cases, strategies
from tests.imap.wire.cases import BAD_CASES, CASES, BadCase, Case, Production
from tests.imap.wire.encoding import frame
from tests.imap.wire.parametrized import over, parametrized
from tests.imap.wire.strategies import examples


def readAll(production: Production, parts: tuple[bytes, ...]) -> Any:
    """
    The value of a production that is a whole command.
    """
    reader = Reader(parts, utf8=production.utf8)
    value = production.read(reader)
    reader.end()
    return value


@parametrized
class CaseTests(SynchronousTestCase):
    """
    The list of cases.
    """

    @over(CASES)
    def test_read(self, case: Case) -> None:
        """
        It is read as what it means.
        """
        self.assertEqual(readAll(case.production, frame(case.wire)), case.value)

    @over(CASES)
    def test_written(self, case: Case) -> None:
        """
        Its value is written in the one way, and that is read as the same value.
        """
        written = case.production.write(case.value)
        self.assertEqual(written, case.written or case.wire)
        self.assertEqual(readAll(case.production, frame(written)), case.value)

    @over(CASES)
    def test_truncated(self, case: Case) -> None:
        """
        Without its end, wherever it is cut, it is either something else or an error.
        """
        parts = frame(case.wire)
        for count in range(len(parts[-1])):
            try:
                readAll(case.production, (*parts[:-1], parts[-1][:count]))
            except ParseError:
                pass

    @over(BAD_CASES)
    def test_bad(self, case: BadCase) -> None:
        """
        It is refused with a sentence that can be sent to the client.
        """
        error = self.assertRaises(ParseError, readAll, case.production, frame(case.wire))
        sentence = str(error)
        self.assertTrue(sentence.isascii() and sentence.isprintable() and 0 < len(sentence) < 100, sentence)


class RoundTripTests(SynchronousTestCase):
    """
    Any value that can be written is read as it was.
    """

    def roundTrip(self, production: Production, value: Any) -> None:
        """
        Write, frame and read C{value}.
        """
        self.assertEqual(readAll(production, frame(production.write(value))), value)

    @examples
    @given(strategies.strings)
    def test_strings(self, value: bytes) -> None:
        """
        Strings, with and without UTF-8, as a word or not, or instead of C{NIL}.
        """
        for production in (cases.STRING, cases.STRING_UTF8, cases.ASTRING, cases.NSTRING):
            self.roundTrip(production, value)

    @examples
    @given(strategies.mailboxes)
    def test_mailboxes(self, name: str) -> None:
        """
        Folder names, in modified UTF-7 and in UTF-8.
        """
        self.roundTrip(cases.MAILBOX, name)
        self.roundTrip(cases.MAILBOX_UTF8, name)

    @examples
    @given(strategies.sequence_sets, strategies.numbers, strategies.numbers64)
    def test_numbers(self, numbers: Any, number: int, number64: int) -> None:
        """
        Numbers, and sets of them.
        """
        self.roundTrip(cases.SEQUENCE_SET, numbers)
        self.roundTrip(cases.NUMBER, number)
        self.roundTrip(cases.NUMBER64, number64)

    @examples
    @given(strategies.days, strategies.date_times)
    def test_times(self, day: int, time: tuple[int, int]) -> None:
        """
        Days and times.
        """
        self.roundTrip(cases.DATE, day)
        self.roundTrip(cases.DATE_TIME, time)

    @examples
    @given(strategies.fetch_items)
    def test_fetch(self, items: Any) -> None:
        """
        Data items of FETCH.
        """
        self.roundTrip(cases.FETCH, items)

    @examples
    @given(strategies.store_flags, strategies.status_items)
    def test_storeAndStatus(self, store: Any, items: Any) -> None:
        """
        Data items of STORE and STATUS.
        """
        self.roundTrip(cases.STORE, store)
        self.roundTrip(cases.FLAG_LIST, store.flags)
        self.roundTrip(cases.STATUS, items)

    @examples
    @given(strategies.list_arguments, strategies.append_arguments)
    def test_listAndAppend(self, listed: Any, append: Any) -> None:
        """
        Arguments of LIST and APPEND.
        """
        self.roundTrip(cases.LIST, listed)
        self.roundTrip(cases.APPEND, append)

    @examples
    @given(strategies.search_programs)
    def test_search(self, program: Any) -> None:
        """
        Search keys in any nesting, in any character set.
        """
        self.roundTrip(cases.SEARCH, program)


_PRODUCTIONS = tuple({id(case.production): case.production for case in CASES}.values())
_PARTS = sorted({part for case in CASES for part in frame(case.wire)})


class HostileTests(SynchronousTestCase):
    """
    Bytes that are meant to hurt.
    """

    def readEverything(self, parts: tuple[bytes, ...]) -> None:
        """
        Try every production; nothing but L{ParseError} may come out.
        """
        for production in _PRODUCTIONS:
            try:
                readAll(production, parts)
            except ParseError:
                pass

    @examples
    @given(st.lists(st.binary(), min_size=1, max_size=5).filter(lambda parts: len(parts) % 2 == 1))
    def test_anyBytes(self, parts: list[bytes]) -> None:
        """
        Any bytes, in any parts, even such as the framer never gives.
        """
        self.readEverything(tuple(parts))

    @examples
    @given(st.lists(st.sampled_from(_PARTS) | st.binary(max_size=3), min_size=1, max_size=6))
    def test_pieces(self, pieces: list[bytes]) -> None:
        """
        Pieces of good commands put together at random.
        """
        self.readEverything((b"".join(pieces),))
        self.readEverything((b" ".join(pieces),))
        self.readEverything((*pieces, b"")[: len(pieces) // 2 * 2 + 1])

    @examples
    @given(st.sampled_from(CASES), st.data())
    def test_changed(self, case: Case, data: st.DataObject) -> None:
        """
        A good command with one byte changed.
        """
        parts = list(frame(case.wire))
        which = data.draw(st.integers(0, len(parts) - 1))
        part = bytearray(parts[which])
        if part:
            part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
        parts[which] = bytes(part)
        self.readEverything(tuple(parts))

    @examples
    @given(st.binary() | st.from_regex(rb"[A-D+/=]{0,9}", fullmatch=True))
    def test_base64(self, line: bytes) -> None:
        """
        An answer to a challenge is base64, or an error.
        """
        try:
            decodeBase64(line)
        except ParseError:
            pass
