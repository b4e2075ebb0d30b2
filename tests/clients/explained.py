"""
Why Dovecot's reading of some messages is another than ours.

Each group has a row in C{docs/imap.md}.  Differences that follow a rule are recognised by it; where
the two make something else of mail that is broken, the message and the place are listed.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.message.imapsyntax import Value

#: Dovecot's words for parts of an address that are missing.
_PLACEHOLDERS = {b"MISSING_MAILBOX", b"MISSING_DOMAIN"}

#: Parameters, flat.
_DEFAULT = (b"charset", b"us-ascii")


def _case(item: str, ours: Value, theirs: Value) -> bool:
    """
    Names that mean the same in any case: ours are in lower case.
    """
    if item != "BODYSTRUCTURE":
        return False
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return len(ours) == len(theirs) and ours[1::2] == theirs[1::2] and ours[::2] == _lower(theirs[::2])
    return isinstance(theirs, bytes) and ours == theirs.lower()


def _lower(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(value.lower() if isinstance(value, bytes) else value for value in values)


def _defaultCharset(item: str, ours: Value, theirs: Value) -> bool:
    """
    A text whose header names no charset.
    """
    return item == "BODYSTRUCTURE" and isinstance(theirs, tuple) and theirs == (ours or ()) + _DEFAULT


def _noParts(item: str, ours: Value, theirs: Value) -> bool:
    """
    A multipart in which none of its boundary lines is.
    """
    return (
        item == "BODYSTRUCTURE"
        and isinstance(ours, tuple)
        and isinstance(theirs, tuple)
        and ours[:2] == (b"text", b"plain")
        and b"boundary" in ours[2]
        and theirs[0] == (b"text", b"plain", _DEFAULT, None, None, b"7bit", 0, 0, None, None, None, None)
        and isinstance(theirs[1], bytes)
    )


def _placeholder(item: str, ours: Value, theirs: Value) -> bool:
    """
    An address without a domain, or with neither half.
    """
    return (
        _isAddress(ours)
        and _isAddress(theirs)
        and ours[:2] == theirs[:2]
        and tuple(b"" if each in _PLACEHOLDERS else each for each in theirs[2:]) == ours[2:]
    )


def _isAddress(value: Value) -> bool:
    return isinstance(value, tuple) and len(value) == 4


def _emptyAddress(item: str, ours: Value, theirs: Value) -> bool:
    """
    Nothing between two commas.
    """
    return (
        item == "ENVELOPE"
        and isinstance(theirs, tuple)
        and ours
        == tuple(each for each in theirs if not (_isAddress(each) and set(each[2:]) == _PLACEHOLDERS))
    )


def _space(item: str, ours: Value, theirs: Value) -> bool:
    """
    White space at folds and ends.
    """
    return (
        item == "ENVELOPE"
        and isinstance(ours, bytes)
        and isinstance(theirs, bytes)
        and (ours.split() == theirs.split())
    )


def _noDisposition(item: str, ours: Value, theirs: Value) -> bool:
    """
    A Content-Disposition that says nothing.
    """
    return item == "BODYSTRUCTURE" and ours is None and theirs == (b"", None)


_RULES: tuple[tuple[str, Callable[[str, Value, Value], bool]], ...] = (
    ("case", _case),
    ("default charset", _defaultCharset),
    ("multipart without parts", _noParts),
    ("address without domain", _placeholder),
    ("nothing between commas", _emptyAddress),
    ("white space", _space),
    ("empty disposition", _noDisposition),
)

_ADDRESSES = "words that are no address"
_TWICE = "a field that comes twice"
_QUOTES = "values without quotes"
_BOUNDARIES = "similar boundaries"
_ENCODING = "encoding with a semicolon"

_MULTIPLE_FROM = "plain_emails/raw_email_multiple_from.eml"
_BIG_BUG = "plain_emails/mix_caps_content_type.eml"

#: Message, item and place: the group.
_LISTED: dict[tuple[str, str, tuple[int, ...]], str] = {
    ("error_emails/missing_body.eml", "ENVELOPE", (5, 0)): _ADDRESSES,
    ("plain_emails/raw_email_with_at_display_name.eml", "ENVELOPE", (5,)): _ADDRESSES,
    ("rfc2822/example13.eml", "ENVELOPE", (5, 0)): _ADDRESSES,
    **{(_MULTIPLE_FROM, "ENVELOPE", (field, 0)): _ADDRESSES for field in (2, 3, 4, 5)},
    **{(_BIG_BUG, "ENVELOPE", (field, 0)): _ADDRESSES for field in (2, 3, 4)},
    ("mime_emails/raw_email_with_binary_encoded.eml", "ENVELOPE", (1,)): _TWICE,
    ("mime_emails/raw_email_with_multipart_mixed_quoted_boundary.eml", "ENVELOPE", (1,)): _TWICE,
    ("attachment_emails/attachment_with_unquoted_name.eml", "BODYSTRUCTURE", (1, 2)): _QUOTES,
    ("attachment_emails/attachment_with_unquoted_name.eml", "BODYSTRUCTURE", (1, 9, 1)): _QUOTES,
    ("mime_emails/raw_email_with_binary_encoded.eml", "BODYSTRUCTURE", ()): _QUOTES,
    ("mime_emails/raw_email_with_illegal_boundary.eml", "BODYSTRUCTURE", ()): _QUOTES,
    ("plain_emails/raw_email_bad_time.eml", "BODYSTRUCTURE", ()): _QUOTES,
    ("mime_emails/raw_email4.eml", "BODYSTRUCTURE", ()): _BOUNDARIES,
    ("error_emails/content_transfer_encoding_with_semi_colon.eml", "BODYSTRUCTURE", (1, 5)): _ENCODING,
}

#: All groups.
GROUPS = tuple(dict.fromkeys((*(name for name, _ in _RULES), *_LISTED.values())))


def explanation(message: str, item: str, path: tuple[int, ...], ours: Value, theirs: Value) -> str | None:
    """
    The group of a difference; C{None} if it has none.

    @param message: its name below C{tests/mail}.
    @param item: C{ENVELOPE} or C{BODYSTRUCTURE}.
    @param path: where in the item.
    """
    listed = _LISTED.get((message, item, path))
    if listed is not None:
        return listed
    return next((name for name, holds in _RULES if holds(item, ours, theirs)), None)
