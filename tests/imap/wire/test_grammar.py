"""
Tests for the reader, the writer and the grammar of commands together: what is
read, written and read again is the same.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.extensions import EVERY_EXTENSION
from mailstore.imap.wire.reader import decodeBase64
from mailstore.imap.wire.values import ParseError
from tests.imap.wire import cases, extensioncases, extensionstrategies, responsecases, strategies
from tests.imap.wire.encoding import frame
from tests.imap.wire.parametrized import over, parametrized
from tests.imap.wire.production import BadCase, Case, Production
from tests.imap.wire.strategies import examples, moreExamples

#: All of what clients say, and what servers say.
COMMANDS = (*cases.CASES, *extensioncases.CASES)
CASES = (*COMMANDS, *responsecases.CASES)
BAD_CASES = (*cases.BAD_CASES, *extensioncases.BAD_CASES)


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
        self.assertEqual(case.production.readAll(frame(case.wire)), case.value)

    @over(CASES)
    def test_written(self, case: Case) -> None:
        """
        Its value is written in the one way, and that is read as the same value.
        """
        written = case.production.write(case.value)
        self.assertEqual(written, case.written or case.wire)
        self.assertEqual(case.production.readAll(frame(written)), case.value)

    @over(COMMANDS)
    def test_everyExtension(self, case: Case) -> None:
        """
        It means the same where all extensions are known, but for the words that they use.
        """
        self.assertEqual(case.production.readAll(frame(case.wire), EVERY_EXTENSION), case.value)

    @over([case for case in extensioncases.CASES if case.production.extensions])
    def test_withoutExtension(self, case: Case) -> None:
        """
        Where one of its extensions is not known it is refused.
        """
        for extension in case.production.extensions:
            known = case.production.extensions - {extension}
            error = self.assertRaises(ParseError, case.production.readAll, frame(case.wire), known)
            self.assertTrue(str(error))

    @over(COMMANDS)
    def test_truncated(self, case: Case) -> None:
        """
        Without its end, wherever it is cut, it is either something else or an error.
        """
        parts = frame(case.wire)
        for count in range(len(parts[-1])):
            try:
                case.production.readAll((*parts[:-1], parts[-1][:count]))
            except ParseError:
                pass

    @over(BAD_CASES)
    def test_bad(self, case: BadCase) -> None:
        """
        It is refused with a sentence that can be sent to the client.
        """
        error = self.assertRaises(ParseError, case.production.readAll, frame(case.wire))
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
        self.assertEqual(production.readAll(frame(production.write(value))), value)

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

    @moreExamples
    @given(extensionstrategies.COMMANDS)
    def test_extensions(self, example: tuple[Production, Any]) -> None:
        """
        Arguments of commands that belong to extensions.
        """
        self.roundTrip(*example)

    @moreExamples
    @given(extensionstrategies.RESPONSES)
    def test_responses(self, example: tuple[Production, Any]) -> None:
        """
        Responses that belong to extensions: what a server writes a client reads as it was meant.
        """
        self.roundTrip(*example)


#: Each way to read something once.
_PRODUCTIONS = tuple(
    {(case.production.read, case.production.utf8): case.production for case in COMMANDS}.values()
)
_PARTS = sorted({part for case in COMMANDS for part in frame(case.wire)})


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
                production.readAll(parts, EVERY_EXTENSION)
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
    @given(st.sampled_from(COMMANDS), st.data())
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
