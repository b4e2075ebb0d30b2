"""
The character sets that SEARCH can name (RFC 9051 section 6.4.4).
"""

from __future__ import annotations

import codecs
import encodings
import encodings.aliases
import pkgutil
import re
from typing import Final

from mailstore.imap.wire.values import ParseError, UnknownCharset

#: Names that Python knows codecs by, but not as character sets.
_NOT_CHARSETS: Final = frozenset(
    {"aliases", "idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}
)

#: Every name that may be looked up.  Python remembers each name that it was
#: ever asked for, so names from the wire must not get there.
_NAMES: Final = (
    encodings.aliases.aliases.keys() | {module.name for module in pkgutil.iter_modules(encodings.__path__)}
) - _NOT_CHARSETS

_SEPARATORS: Final = re.compile(r"[-_ .:]+")


def codecOf(charset: bytes) -> str:
    """
    Python's name for a character set.

    @param charset: its name as a client writes it, in any case.
    @raise UnknownCharset:
    """
    name = _SEPARATORS.sub("_", charset.decode("ascii", "replace").lower())
    if name in _NAMES:
        try:
            if codecs.lookup(name).name.replace("-", "_") not in _NOT_CHARSETS:
                b" ".decode(name)
                return name
        except UnicodeError:
            # One byte is too short for some, such as UTF-16.
            return name
        except LookupError:
            # It is a codec for something else than text, or not on this machine.
            pass
    raise UnknownCharset("That character set is not known")


def decodeText(data: bytes, codec: str) -> str:
    """
    Text of a search.

    @param codec: as L{codecOf} gives it.
    @raise ParseError: the bytes are not in that character set.
    """
    try:
        return data.decode(codec)
    except UnicodeError:
        raise ParseError("A text to search for is not in the character set of the search") from None
