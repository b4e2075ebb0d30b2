"""
The reader with every grammar: any bytes are read, or refused with a sentence.
"""

from __future__ import annotations

import random
from typing import Any

from mailstore.imap.wire import mutf7
from mailstore.imap.wire.appendargs import readAppend, readReplace
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.framer import CommandReceived, Framer, LiteralAnnounced
from mailstore.imap.wire.reader import Reader, decodeBase64
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.sortargs import readSort
from mailstore.imap.wire.threadargs import readThread
from mailstore.imap.wire.values import ParseError
from tests.fuzz.examples import ARGUMENTS, COMMAND_TOKENS, NAME_TOKENS, NAMES
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Target, check
from tests.imap.wire import cases, extensioncases
from tests.imap.wire.production import Production

#: Grammars tried on one input, beside the one that it was made from.
_TRIED = 6

_CASES = (*cases.CASES, *extensioncases.CASES)

#: Each way to read something once.
PRODUCTIONS = tuple(
    {(each.production.read, each.production.utf8): each.production for each in _CASES}.values()
)

#: What these have read and is written again need not be the same: a message is as long as its literal
#: says, a pattern is written for the cases only, and a text in some character sets in several ways.
_ONE_WAY = (readAppend, readReplace, Reader.listMailbox, readSearch, readSort, readThread)

_EXTENSIONS = tuple(Extension)

#: Characters of what was read, as Python writes it, for each byte read and for none.
_MOST_PER_BYTE = 400
_MOST_OF_NOTHING = 4_000


class ReaderTarget(Target):
    """
    Arguments of commands.
    """

    name = "reader"

    def __init__(self) -> None:
        self._mutator = Mutator(ARGUMENTS, COMMAND_TOKENS, 3_000)

    def make(self, rng: random.Random) -> bytes:
        """
        What may stand behind a command's name, and what has become of it.
        """
        return self._mutator.make(rng)

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        Read it by some grammars, each with some extensions.
        """
        parts = framed(data)
        for production in rng.sample(PRODUCTIONS, _TRIED):
            known = frozenset(rng.sample(_EXTENSIONS, rng.choice([0, 3, len(_EXTENSIONS), len(_EXTENSIONS)])))
            self._read(production, parts, known, rng)

    def _read(
        self,
        production: Production,
        parts: tuple[bytes, ...],
        known: frozenset[Extension],
        rng: random.Random,
    ) -> None:
        utf8 = rng.random() < 0.5
        try:
            value = _readAll(production, parts, known, utf8)
        except ParseError as error:
            sentence = str(error)
            check(
                sentence.isascii() and sentence.isprintable() and 0 < len(sentence) < 100,
                f"a bad sentence: {sentence!r}",
            )
            return
        hash(value)
        if rng.random() < 0.05:
            size = len(repr(value))
            check(
                size <= _MOST_PER_BYTE * sum(map(len, parts)) + _MOST_OF_NOTHING,
                f"it was read as {size} bytes",
            )
        if production.read not in _ONE_WAY and utf8 == production.utf8:
            written = production.write(value)
            again = _readAll(production, framed(written), known, utf8)
            check(again == value, f"{production.name}: {value!r} was written {written!r} and read {again!r}")


def _readAll(
    production: Production, parts: tuple[bytes, ...], known: frozenset[Extension], utf8: bool
) -> Any:
    reader = Reader(parts, utf8=utf8, extensions=known)
    value = production.read(reader)
    reader.end()
    return value


def framed(data: bytes) -> tuple[bytes, ...]:
    """
    The parts of the first command of C{data}, literals that are not all there included.
    """
    framer = Framer()
    framer.receive(data + b"\r\n")
    parts: tuple[bytes, ...] = (data,)
    while (event := framer.next()) is not None:
        if isinstance(event, LiteralAnnounced):
            parts = event.parts
            if not event.fits:
                break
            framer.collectLiteral()
        elif isinstance(event, CommandReceived):
            return event.parts
    return parts


class NameTarget(Target):
    """
    Names in modified UTF-7, and base64.
    """

    name = "names"

    def __init__(self) -> None:
        self._mutator = Mutator(NAMES, NAME_TOKENS, 500)

    def make(self, rng: random.Random) -> bytes:
        """
        Something like a name.
        """
        return self._mutator.make(rng)

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        There is one spelling of a name; what is another is refused.
        """
        try:
            name = mutf7.decode(data)
        except ParseError:
            pass
        else:
            check(mutf7.encode(name) == data, f"{data!r} is read as {name!r}")
        text = data.decode("utf-8", "ignore")
        check(mutf7.decode(mutf7.encode(text)) == text, f"{text!r} is not written so that it can be read")
        try:
            decodeBase64(data)
        except ParseError:
            pass
