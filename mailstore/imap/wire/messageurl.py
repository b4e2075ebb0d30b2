"""
Where a message or a part of it is, on this server::

    message-url   = ["/" enc-mailbox [uidvalidity] "/"] uid ["/" section] ["/" partial]
    uidvalidity   = ";UIDVALIDITY=" nz-number
    uid           = ";UID=" nz-number
    section       = ";SECTION=" enc-section
    partial       = ";PARTIAL=" number64 ["." nz-number64]
    enc-mailbox   = 1*bchar      ; UTF-8, with "%" and two digits for what cannot stand there
    enc-section   = 1*bchar      ; section-spec of RFC 9051, in the same way

(RFC 5092 sections 3 and 11; of its URLs, those that RFC 4469 section 3 allows.)
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

import attrs

from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import MAX_NUMBER, MAX_NUMBER64, FetchSection, ParseError

_NUMBER: Final = rb"[1-9][0-9]{0,9}"

_URL: Final = re.compile(
    rb"(?:/([^;]+?)(?:;UIDVALIDITY=(" + _NUMBER + rb"))?/)?;UID=(" + _NUMBER + rb")"
    rb"(?:/;SECTION=([^;/]+))?(?:/;PARTIAL=([0-9]{1,19})(?:\.([1-9][0-9]{0,18}))?)?",
    re.IGNORECASE,
)

# bchar, without "/" and ";", which the pattern above knows:
# uchar / "&" / "=" / "~" / ":" / "@", where uchar = unreserved / sub-delims-sh / pct-encoded
_CHARS: Final = re.compile(rb"(?:[A-Za-z0-9._~!$'()*+,&=:@/-]|%[0-9A-Fa-f]{2})+")


@attrs.frozen
class MessageUrl:
    """
    What a URL names.
    """

    #: The folder as its user sees it; C{""} for the one that is open.
    mailbox: str
    #: C{None} if it does not say.
    uid_validity: int | None
    uid: int
    #: Which bytes of the message.
    section: FetchSection


def readMessageUrl(url: bytes) -> MessageUrl:
    """
    Understand a URL.

    @raise ParseError: it is none, or names something else than a message or a part of one here.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ParseError("That is no URL of a message here")
    mailbox, validity, uid, section, start, count = match.groups()
    numbers = [int(each) for each in (validity, uid) if each]
    if max(numbers) > MAX_NUMBER:
        raise ParseError("There is no such message")
    spec = b"BODY.PEEK[" + _decoded(section or b"") + b"]"
    if start is not None:
        # By RFC 5092 section 3, up to the end if it does not say how many.
        spec += b"<%d.%d>" % (int(start), min(int(count or MAX_NUMBER64), MAX_NUMBER64))
    reader = Reader((spec,))
    (item,) = readFetchItems(reader)
    reader.end()
    assert isinstance(item, FetchSection)
    name = "" if mailbox is None else _mailbox(_decoded(mailbox))
    return MessageUrl(name, int(validity) if validity else None, int(uid), item)


def _decoded(text: bytes) -> bytes:
    if text and _CHARS.fullmatch(text) is None:
        raise ParseError("There are characters in the URL that must be encoded")
    return unquote_to_bytes(text)


def _mailbox(name: bytes) -> str:
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise ParseError("A mailbox name is not in UTF-8") from None
    return "INBOX" if text.upper() == "INBOX" else text
