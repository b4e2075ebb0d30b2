"""
Annotations (RFC 5464).
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Metadata:
    """
    Annotations of a folder or of the server (RFC 5464).
    """

    #: Names, in lower case and in order, with their values.
    entries: tuple[tuple[str, bytes], ...]
    #: Bytes of the longest value that was left out because it is longer than was asked for; 0 for none.
    longest: int = 0


@attrs.frozen
class Annotated:
    """
    Annotations of one of many folders.
    """

    #: Its identity.
    folder: int
    #: Those of the names that were asked for that have a value, in lower case and in order.
    entries: tuple[tuple[str, bytes], ...]
