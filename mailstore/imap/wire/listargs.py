"""
What LIST and LSUB are given::

    list            = "LIST" SP mailbox SP list-mailbox
    lsub            = "LSUB" SP mailbox SP list-mailbox

(RFC 3501 section 9.)
"""

from __future__ import annotations

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ListArguments


def readListArguments(reader: Reader) -> ListArguments:
    """
    Read everything behind the command's name and space.

    @raise ParseError: an argument is missing or is no name.
    """
    reference = reader.mailbox()
    reader.space()
    return ListArguments(reference, reader.listMailbox())
