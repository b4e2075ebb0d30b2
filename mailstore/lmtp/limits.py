"""
How much those who deliver may use.
"""

from __future__ import annotations

import attrs

from mailstore.bounds import between


@attrs.frozen
class LmtpLimits:
    """
    The bounds of delivery in one process.  Reaching one is an answer to the mail server.
    """

    #: Connections at once.
    max_connections: int = attrs.field(default=100, validator=between(1, 100_000))
    #: Recipients of one message (RFC 5321 section 4.5.3.1.8: at least 100).
    max_recipients: int = attrs.field(default=500, validator=between(1, 100_000))
    #: Bytes of a message as it comes, as mail servers are told (RFC 1870).  The store has a bound of
    #: its own, which holds as well.
    max_message: int = attrs.field(default=50 << 20, validator=between(1, (1 << 32) - 1))
    #: Bytes of a message too big that are read and thrown away so that its end can be answered; one
    #: that goes on costs the connection.
    max_discarded: int = attrs.field(default=64 << 20, validator=between(0, 1 << 32))
    #: Bytes of a command line with its end (RFC 5321 section 4.5.3.1.4: 512, and more with extensions).
    max_line: int = attrs.field(default=4_096, validator=between(512, 1 << 20))
    #: Bytes received and not yet used, beyond which the socket is not read.
    max_buffered: int = attrs.field(default=65_536, validator=between(4_096, 1 << 24))
    #: Bytes of a message that are held here; a longer one goes on to the store in pieces.
    max_inline: int = attrs.field(default=65_536, validator=between(0, 1 << 22))
    #: Seconds for which nothing may come (RFC 5321 section 4.5.3.2.7: at least 300), and for which a
    #: client may leave what is written to it unread.
    idle_timeout: float = attrs.field(default=300.0, validator=between(0.01, 86_400))
    #: Commands of one connection that were none, after which it is closed.
    max_bad_commands: int = attrs.field(default=20, validator=between(1, 100_000))
