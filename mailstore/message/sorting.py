"""
What messages are sorted and threaded by (RFC 5256), made once of each.
"""

from __future__ import annotations

import datetime
import re
import unicodedata

import attrs

from mailstore.message.addresses import addresses
from mailstore.message.headers import decode, headerOf, iterFields, parsedDate, unfold
from mailstore.message.references import References, references
from mailstore.message.structure import Message
from mailstore.message.words import decodeWords

#: Characters of a key that are kept.
MAX_KEY = 1000

#: Bytes of a field that its key is made of.
_MAX_FIELD = 1 << 16

_DAY = 86400
_EPOCH_DAY = 719163

_DATE_ERRORS = (ValueError, TypeError, IndexError, AttributeError, OverflowError)

# Of several fields of a name the first counts.
_WANTED = frozenset(
    (b"date", b"subject", b"from", b"to", b"cc", b"message-id", b"references", b"in-reply-to")
)

# The rules of RFC 5256 section 5, of which the texts here have been collated:
# subj-trailer = "(fwd)" / WSP
_TRAILER = re.compile(r"(?:\(FWD\)|[ \t])+\Z")
# subj-blob = "[" *BLOBCHAR "]" *WSP
_BLOB = re.compile(r"\[[^\[\]]*+\][ \t]*+")
# subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
_REFWD = re.compile(r"(?:RE|FWD?)[ \t]*+(?:\[[^\[\]]*+\][ \t]*+)?:")
_SPACE = re.compile(r"[ \t\r\n]+")


@attrs.frozen
class SortKeys:
    """
    Of one message.  Texts are in the form in which they are compared.
    """

    #: Seconds since 1970 UTC in Date; C{None} when there is no sense in it.
    sent: int | None
    #: The base subject.
    subject: str
    #: The subject had to be cut to it because it was one of an answer or of something handed on.
    is_reply: bool
    #: Mailboxes of the first addresses in From, To and Cc.
    sender: str
    recipient: str
    copied: str
    references: References

    @property
    def thread(self) -> bytes | None:
        """
        What it has in common with those it belongs to.
        """
        return self.references.thread


def collated(text: str) -> str:
    """
    The form in which texts are put in order, by code points (RFC 5051 section 2,
    i;unicode-casemap): titlecase of each character, decomposed.
    """
    if text.isascii():
        return text.upper()
    upper = ((each, each.title()) for each in text)
    text = "".join(title if len(title) == 1 else each for each, title in upper)
    return unicodedata.normalize("NFKD", text)


def baseSubject(text: str) -> tuple[str, bool]:
    """
    The base of a decoded subject, collated, and whether it was one of an answer or of
    something handed on (RFC 5256 section 2.1).
    """
    # (1) Decoded already; white space becomes one space.
    text = _SPACE.sub(" ", collated(text[:MAX_KEY]))
    is_reply = False
    while True:
        # (2)
        trailer = _TRAILER.search(text)
        if trailer is not None:
            is_reply = is_reply or "(FWD)" in trailer[0]
            text = text[: trailer.start()]
        start = 0
        while True:
            # (3) subj-leader = (*subj-blob subj-refwd) / WSP
            at = start
            while at < len(text) and text[at] in " \t":
                at += 1
            last = blobs = at
            while (blob := _BLOB.match(text, blobs)) is not None:
                last, blobs = blobs, blob.end()
            refwd = _REFWD.match(text, blobs)
            if refwd is not None:
                is_reply = True
                at = refwd.end()
            else:
                # (4) "If there is prefix text of the subject that matches subj-blob, and
                # removing that prefix leaves a non-empty subj-base": of all of them at once.
                at = blobs if blobs < len(text) else last
            # (5)
            if at == start:
                break
            start = at
        text = text[start:]
        # (6) subj-fwd-hdr subject subj-fwd-trl
        if text.startswith("[FWD:") and text.endswith("]"):
            text = text[5:-1]
            is_reply = True
            continue
        return text, is_reply


def sortKeys(message: Message) -> SortKeys:
    """
    The keys of a message.
    """
    found: dict[bytes, bytes] = {}
    for name, raw in iterFields(headerOf(message, message.root)):
        name = name.lower()
        if name in _WANTED:
            found.setdefault(name, raw[:_MAX_FIELD])
    subject, is_reply = baseSubject(decode(found.get(b"subject", b"")))
    return SortKeys(
        sent=_sent(found.get(b"date", b"")),
        subject=subject,
        is_reply=is_reply,
        sender=_mailbox(found.get(b"from", b"")),
        recipient=_mailbox(found.get(b"to", b"")),
        copied=_mailbox(found.get(b"cc", b"")),
        references=references(
            found.get(b"message-id", b""), found.get(b"references", b""), found.get(b"in-reply-to", b"")
        ),
    )


def _mailbox(raw: bytes) -> str:
    for address in addresses(unfold(raw)):
        return collated(decodeWords(address.mailbox or b"")[:MAX_KEY])
    return ""


def _sent(raw: bytes) -> int | None:
    parsed = parsedDate(raw)
    if parsed is None:
        return None
    try:
        day = datetime.date(*parsed[:3]).toordinal() - _EPOCH_DAY
    except _DATE_ERRORS:
        return None
    # RFC 5256 section 2.2: a time that makes no sense is 00:00:00, a zone that makes none is UTC.
    hour, minute, second = parsed[3:6]
    sane = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60
    zone = parsed[9]
    seconds = hour * 3600 + minute * 60 + second if sane else 0
    return day * _DAY + seconds - (zone if abs(zone) < _DAY else 0)
