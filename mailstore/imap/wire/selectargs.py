"""
What SELECT and EXAMINE are given::

    select             = "SELECT" SP mailbox [select-params]
    select-params      = SP "(" select-param *(SP select-param) ")"
    select-param      =/ "CONDSTORE"
    select-param      =/ "QRESYNC" SP "(" uidvalidity SP
                         mod-sequence-value [SP known-uids]
                         [SP seq-match-data] ")"
    seq-match-data     = "(" known-sequence-set SP known-uid-set ")"

(RFC 4466 section 3, RFC 7162 section 7.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import attrs

from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.options import readOptions, withoutValue, withValue
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, SequenceSet


@attrs.frozen
class QResync:
    """
    What a client knows of a folder that it opens again (RFC 7162 section 3.2.5).
    """

    uid_validity: int
    mod_sequence: int
    #: UIDs that it knows; C{None} if it does not say which.  Never with C{*}.
    known_uids: SequenceSet | None = None
    #: Some sequence numbers, and the UIDs of these messages: as many of them, both
    #: ascending and without C{*}; or none.
    sample: tuple[SequenceSet, SequenceSet] | None = None

    def samples(self) -> Iterator[tuple[int, int]]:
        """
        Each sequence number of the sample and its UID, ascending.  A client can write thousands of
        millions of them in few bytes: stop at the first number that no message has.
        """
        if self.sample is None:
            return iter(())
        numbers, uids = (
            chain.from_iterable(range(low, high + 1) for low, high in each.ranges) for each in self.sample
        )
        return zip(numbers, uids, strict=False)


@attrs.frozen
class SelectArguments:
    """
    The arguments of SELECT and EXAMINE.
    """

    mailbox: str
    #: Whether the client wants to be told mod-sequences from now on.
    condstore: bool = False
    qresync: QResync | None = None


def readSelect(reader: Reader) -> SelectArguments:
    """
    Read everything behind the command's name and space.

    @raise ParseError: no mailbox, a parameter that is not known, or sets that are not as RFC 7162
        section 3.2.5 wants them.
    """
    mailbox = reader.mailbox()
    if not reader.accept(b" "):
        return SelectArguments(mailbox)
    known: dict[str, Callable[[], Any]] = {}
    if reader.has(Extension.CONDSTORE):
        known["CONDSTORE"] = withoutValue
    if reader.has(Extension.QRESYNC):
        known["QRESYNC"] = withValue(reader, lambda: _readQResync(reader))
    found = readOptions(reader, known, "SELECT")
    return SelectArguments(mailbox, "CONDSTORE" in found, found.get("QRESYNC"))


def _readQResync(reader: Reader) -> QResync:
    """
    The value of C{QRESYNC}.
    """
    reader.expect(b"(")
    uid_validity = reader.nzNumber()
    reader.space()
    mod_sequence = reader.modSequence()
    known_uids: SequenceSet | None = None
    sample: tuple[SequenceSet, SequenceSet] | None = None
    if reader.accept(b" "):
        if reader.peek() != b"(":
            known_uids = reader.knownSet()
        if known_uids is None or reader.accept(b" "):
            sample = _readSample(reader)
    reader.expect(b")")
    return QResync(uid_validity, mod_sequence, known_uids, sample)


def _readSample(reader: Reader) -> tuple[SequenceSet, SequenceSet]:
    """
    C{seq-match-data}.
    """
    reader.expect(b"(")
    numbers = reader.knownSet()
    reader.space()
    uids = reader.knownSet()
    reader.expect(b")")
    counts = set()
    for each in (numbers, uids):
        ends = list(chain.from_iterable(each.ranges))
        if any(low > high for low, high in each.ranges) or any(
            ends[at] >= ends[at + 1] for at in range(1, len(ends) - 1, 2)
        ):
            raise ParseError("A set of messages must be in ascending order here")
        counts.add(sum(high - low + 1 for low, high in each.ranges))
    if len(counts) > 1:
        raise ParseError("There must be as many message numbers as UIDs")
    return numbers, uids
