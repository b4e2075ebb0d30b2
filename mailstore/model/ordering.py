"""
Sorting and threading (RFC 5256).
"""

from __future__ import annotations

import enum

import attrs


class SortField(enum.Enum):
    """
    What messages can be sorted by (RFC 5256 section 3).
    """

    #: The internal date.
    ARRIVAL = "arrival"
    #: The mailbox (without its domain) of the first address in Cc.
    CC = "cc"
    #: The moment in the Date field, or if that makes no sense the internal date.
    DATE = "date"
    #: The mailbox of the first address in From.
    FROM = "from"
    SIZE = "size"
    #: The base subject (RFC 5256 section 2.1).
    SUBJECT = "subject"
    #: The mailbox of the first address in To.
    TO = "to"


@attrs.frozen
class SortKey:
    """
    One of the things to sort by.  Texts are compared as RFC 5051 says.
    """

    field: SortField
    reverse: bool = False


class ThreadAlgorithm(enum.Enum):
    """
    How messages are put together (RFC 5256 section 3).
    """

    #: By subject and date alone: one level of answers.
    ORDEREDSUBJECT = "orderedsubject"
    #: By References, In-Reply-To and subject: trees.
    REFERENCES = "references"


@attrs.frozen
class ThreadColumns:
    """
    A piece of the trees of messages, in preorder, as columns.  A tree may go on in the next batch.
    """

    #: Packed L{uint32s}; 0 stands for a message that is not there and has answers that are.
    uids: bytes
    #: Packed L{uint32s}: how many messages are above it; 0 begins a new tree.
    depths: bytes
