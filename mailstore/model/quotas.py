"""
Quotas (RFC 9208).
"""

from __future__ import annotations

import attrs

#: A resource of a quota (RFC 9208 section 5.1): KiB of all messages, as they are served.
STORAGE = "STORAGE"

#: A resource of a quota (RFC 9208 section 5.2): the number of messages.
MESSAGE = "MESSAGE"

#: The quota root of the public folders.
PUBLIC_QUOTA = "#public"

#: What the quota root of a user's own folders begins with; his name follows.
USER_QUOTA = "#user/"


@attrs.frozen
class Quota:
    """
    How much some folders together hold, and may hold.
    """

    root: str
    #: For each resource its name, how much is used, and the limit if there is one.
    resources: tuple[tuple[str, int, int | None], ...]
