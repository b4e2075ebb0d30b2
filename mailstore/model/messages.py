"""
Messages on their way into a folder, and where they went.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class NewMessage:
    """
    A message to be stored.
    """

    #: The message, or the C{token} of a finished L{IUpload<mailstore.interfaces.IUpload>}.
    content: bytes | int
    #: Names of flags.
    flags: tuple[str, ...] = ()
    #: When it arrived, seconds since 1970 UTC; C{None} for now.
    internal_date: int | None = None
    #: Minutes that the arrival's local time was ahead of UTC.
    zone: int = 0


@attrs.frozen
class AppendResult:
    """
    Where new messages went.
    """

    uid_validity: int
    #: In the order of the messages given.
    uids: tuple[int, ...]


@attrs.frozen
class CopyResult:
    """
    Which messages went where.
    """

    uid_validity: int
    #: Packed L{uint32s}: the messages copied, ascending.
    sources: bytes
    #: Packed L{uint32s}: their UIDs in the target, in the same order.
    targets: bytes
