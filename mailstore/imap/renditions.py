"""
What FETCH says of a message and never changes: ENVELOPE, BODYSTRUCTURE and BODY,
made once, at delivery, ready for the wire.

A rendition is the value alone, without the name of the item.  Whatever is
in the message, it is well formed: a string is quoted when it is plain ASCII
and short, and a literal otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from mailstore.message.addresses import Address, addresses
from mailstore.message.headers import headerOf, iterFields, unfold
from mailstore.message.lines import NUL_STANDS_AS
from mailstore.message.mime import Params
from mailstore.message.preview import preview as previewText
from mailstore.message.structure import Message, Part

#: To be raised whenever a rendition of some message becomes another, so that
#: stores make theirs anew.
RENDITIONS_VERSION = 3

# A longer string is a literal, since clients bound the length of a line.
_MAX_QUOTED = 1000

# QUOTED-CHAR without what IMAP4rev1 forbids (RFC 3501 section 9): no 8-bit bytes, no
# CR, LF or NUL.  Control characters but TAB are let be literals too, and so is
# the backslash: there are clients that misread a quoted string that ends in one.
_QUOTABLE = re.compile(rb"[\t -\[\]-~]*")

#: Bytes of a field whose addresses are kept for the next who asks.
_KEPT = 256

_ADDRESS_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
_STRING_FIELDS = (b"date", b"subject", b"in-reply-to", b"message-id")


def envelope(message: Message) -> bytes:
    """
    The ENVELOPE of a message (RFC 9051 section 7.5.2).

    Strings are as in the header, unfolded and not decoded.  Of several fields
    of a name that may come once, addresses are put together and otherwise the first counts.
    """
    return _envelope(message, message.root)


def bodyStructure(message: Message) -> bytes:
    """
    The BODYSTRUCTURE of a message (RFC 9051 section 7.5.2), with all extension data.
    """
    return _body(message, message.root, extended=True)


def body(message: Message) -> bytes:
    """
    The BODY of a message (RFC 3501 section 7.4.2): the body structure without extension data.
    """
    return _body(message, message.root, extended=False)


def preview(message: Message) -> bytes:
    """
    The PREVIEW of a message (RFC 8970 section 3.1): empty when there is nothing to show.
    """
    return _string(previewText(message).encode())


#: The renditions by the names that a store knows them by.
RENDITIONS: Mapping[str, Callable[[Message], bytes]] = {
    "envelope": envelope,
    "bodystructure": bodyStructure,
    "body": body,
    "preview": preview,
}


def _envelope(message: Message, part: Part) -> bytes:
    strings: dict[bytes, bytes] = {}
    lists: dict[bytes, bytes] = {}
    for name, raw in iterFields(headerOf(message, part)):
        name = name.lower()
        if name in _STRING_FIELDS:
            strings.setdefault(name, unfold(raw))
        elif name in _ADDRESS_FIELDS:
            lists[name] = lists.get(name, b"") + _addresses(unfold(raw))
    rendered = {name: b"(" + found + b")" for name, found in lists.items() if found}
    sender = rendered.get(b"from", b"NIL")
    for name in (b"sender", b"reply-to"):
        # "If the Sender or Reply-To header fields are absent [...] or are present
        # but empty, the server sets the corresponding member of the envelope to
        # be the same value as the from member".
        if rendered.get(name, b"NIL") == b"NIL":
            rendered[name] = sender
    members = [
        _nstring(strings.get(b"date")),
        _nstring(strings.get(b"subject")),
        *(rendered.get(name, b"NIL") for name in _ADDRESS_FIELDS),
        _nstring(strings.get(b"in-reply-to")),
        _nstring(strings.get(b"message-id")),
    ]
    return b"(" + b" ".join(members) + b")"


def _addresses(value: bytes) -> bytes:
    return _kept(value) if len(value) <= _KEPT else b"".join(map(_address, addresses(value)))


@lru_cache(1024)
def _kept(value: bytes) -> bytes:
    # The same people write all the time.
    return b"".join(map(_address, addresses(value)))


def _address(address: Address) -> bytes:
    members = (address.name, address.route, address.mailbox, address.host)
    return b"(" + b" ".join(map(_nstring, members)) + b")"


def _body(message: Message, part: Part, extended: bool) -> bytes:
    if part.parts:
        inner = b"".join(_body(message, each, extended) for each in part.parts)
        members = [inner, _string(part.subtype)]
        if extended:
            members.append(_params(part.params))
    else:
        members = [
            _string(part.type),
            _string(part.subtype),
            _params(part.params),
            _nstring(part.id),
            _nstring(part.description),
            _string(part.encoding),
            b"%d" % (part.end - part.body_start),
        ]
        if part.message is not None:
            members += (
                _envelope(message, part.message),
                _body(message, part.message, extended),
                b"%d" % part.body_lines,
            )
        elif part.type == b"text":
            members.append(b"%d" % part.body_lines)
        if extended:
            members.append(_nstring(part.md5))
    if extended:
        members += (_disposition(part), _languages(part.language), _nstring(part.location))
    return b"(" + b" ".join(members) + b")"


def _disposition(part: Part) -> bytes:
    if part.disposition is None:
        return b"NIL"
    kind, params = part.disposition
    return b"(" + _string(kind) + b" " + _params(params) + b")"


def _languages(tags: tuple[bytes, ...]) -> bytes:
    if not tags:
        return b"NIL"
    if len(tags) == 1:
        return _string(tags[0])
    return b"(" + b" ".join(map(_string, tags)) + b")"


def _params(params: Params) -> bytes:
    if not params:
        return b"NIL"
    return b"(" + b" ".join(_string(name) + b" " + _string(value) for name, value in params) + b")"


def _nstring(value: bytes | None) -> bytes:
    return b"NIL" if value is None else _string(value)


def _string(value: bytes) -> bytes:
    if len(value) <= _MAX_QUOTED and _QUOTABLE.fullmatch(value):
        return b'"' + value.replace(b'"', b'\\"') + b'"'
    value = value.replace(b"\0", NUL_STANDS_AS)
    return b"{%d}\r\n%b" % (len(value), value)
