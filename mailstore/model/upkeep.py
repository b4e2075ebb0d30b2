"""
Looking after a store: how long messages stay, and how much there is.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Expiry:
    """
    How long messages stay in a folder: what either of the two says goes.
    """

    #: Days since a message came into the folder after which it goes; C{None} for never.
    days: int | None = None
    #: How many stay, the newest; C{None} for all.
    messages: int | None = None


@attrs.frozen(kw_only=True)
class Statistics:
    """
    How much of everything a store holds.
    """

    users: int
    public_folders: int
    #: Of all users together.
    personal_folders: int
    messages: int
    #: Bytes of all messages as they are served.
    message_bytes: int
    #: Distinct messages: each is kept once, however many folders it is in.
    contents: int
    #: Bytes of these as they came.
    content_bytes: int
    #: Of these, how many are not in the search index yet.
    unindexed: int
    #: Bytes of the database, and of those the bytes that are free.
    database_bytes: int
    free_bytes: int
