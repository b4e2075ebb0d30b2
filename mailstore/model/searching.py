"""
Tests that a message passes or not.
"""

from __future__ import annotations

import enum

import attrs

from mailstore.model.uidset import UidSet


class Criterion(enum.Enum):
    """
    The tests that a search is made of, each with the operands it uses.
    """

    ALL = "all"
    #: C{terms}: all of them.
    AND = "and"
    #: C{terms}: any of them.
    OR = "or"
    #: C{terms}: its one term does not hold.
    NOT = "not"
    #: C{uids}.
    UID = "uid"
    #: C{text}: name of the flag, in any case.
    FLAG = "flag"
    #: C{number}: more bytes than this.
    LARGER = "larger"
    #: C{number}: fewer bytes than this.
    SMALLER = "smaller"
    #: C{number}: day (proleptic ordinal) of the internal date, without regard to zone.
    RECEIVED_BEFORE = "received-before"
    RECEIVED_ON = "received-on"
    RECEIVED_SINCE = "received-since"
    #: C{number}: day of the Date header field, without regard to zone.
    SENT_BEFORE = "sent-before"
    SENT_ON = "sent-on"
    SENT_SINCE = "sent-since"
    #: C{field} has C{text} somewhere in its decoded value; with empty text, C{field} is there.
    HEADER = "header"
    #: C{text} is somewhere in the decoded text of the body.
    BODY = "body"
    #: C{text} is somewhere in the decoded header or body, or in the MIME header of a part.
    TEXT = "text"
    #: C{number}: mod-sequence is at least this (RFC 7162).
    MODSEQ = "modseq"
    #: C{number}: the internal date is before this moment, in seconds since 1970 UTC (RFC 5032: OLDER).
    ARRIVED_BEFORE = "arrived-before"
    #: C{number}: the internal date is this moment or later (RFC 5032: YOUNGER).
    ARRIVED_SINCE = "arrived-since"
    #: C{number}: day (proleptic ordinal, UTC) of L{FetchBatch.save_dates} (RFC 8514).
    SAVED_BEFORE = "saved-before"
    SAVED_ON = "saved-on"
    SAVED_SINCE = "saved-since"
    #: C{text}: the whole L{FetchBatch.email_ids} of the message.
    EMAIL_ID = "email-id"
    #: C{text}: the whole L{FetchBatch.thread_ids} of the message.
    THREAD_ID = "thread-id"


@attrs.frozen
class SearchTerm:
    """
    A test that a message passes or not.  Texts match without regard to case.
    """

    criterion: Criterion
    terms: tuple[SearchTerm, ...] = ()
    uids: UidSet | None = None
    text: str = ""
    field: str = ""
    number: int = 0
