"""
How much an IMAP front end lets its clients use.
"""

from __future__ import annotations

import attrs

from mailstore.bounds import between
from mailstore.imap.wire.cursor import ReaderLimits


def _count(default: int, least: int, most: int) -> int:
    field: int = attrs.field(default=default, validator=between(least, most))
    return field


def _seconds(default: float, least: float, most: float) -> float:
    field: float = attrs.field(default=default, validator=between(least, most))
    return field


@attrs.frozen
class ImapLimits:
    """
    The bounds of one front end.  Reaching one is an answer to the client.
    """

    #: Connections at once, signed in or not.
    max_sessions: int = _count(10_000, 1, 1_000_000)
    #: Connections at once from one network address.
    max_sessions_per_address: int = _count(1_000, 1, 1_000_000)
    #: Connections at once that are signed in as one user.
    max_sessions_per_user: int = _count(500, 1, 1_000_000)
    #: Connections at once that are compressed; each takes about 80 KiB more than others.
    max_compressed: int = _count(2_000, 0, 1_000_000)
    #: Folders of which one connection may be notified (RFC 5465); each takes some 60 bytes.
    max_notified_folders: int = _count(20_000, 0, 1_000_000)
    #: The same for all connections together.
    max_all_notified_folders: int = _count(1_000_000, 0, 1 << 30)
    #: Bytes of a command, without its literals (RFC 9051 section 4: at least 8,000).
    max_line: int = _count(65_536, 1_000, 1 << 20)
    #: Bytes of a literal that is held in memory (any but that of a message).
    max_literal: int = _count(65_536, 1_000, 1 << 24)
    #: Bytes of all such literals of one command.
    max_literals: int = _count(262_144, 1_000, 1 << 26)
    #: Such literals of one command.
    max_literal_count: int = _count(1_000, 1, 100_000)
    #: Bytes of a literal before sign-in.
    max_literal_before_login: int = _count(4_096, 256, 1 << 16)
    #: Bytes of a refused C{{n+}} literal that are read and thrown away; a
    #: larger one costs the connection (RFC 7888 section 4).
    max_discarded: int = _count(128 << 20, 0, 1 << 32)
    #: Bytes received and not yet used, beyond which the socket is not read.
    max_buffered: int = _count(131_072, 4_096, 1 << 24)
    #: Bytes of one write to a client's socket.
    max_write: int = _count(65_536, 1_024, 1 << 20)
    #: Seconds for which a client may leave what is written to it unread.
    write_timeout: float = _seconds(120.0, 0.01, 86_400)
    #: Seconds between two commands, or between two pieces of a message
    #: (RFC 9051 section 5.4: at least 1,800 when signed in).
    idle_timeout: float = _seconds(1_800.0, 0.01, 86_400)
    #: Seconds between two commands before sign-in.
    login_timeout: float = _seconds(60.0, 0.01, 86_400)
    #: Seconds for which the pieces of a message may fail to come.
    literal_timeout: float = _seconds(300.0, 0.01, 86_400)
    #: Seconds that the first failed sign-in costs; each further one on the connection, or from its
    #: network address while the others are remembered, costs twice as much.
    login_delay: float = _seconds(1.0, 0.0, 60)
    #: Seconds that a failed sign-in costs at most.
    max_login_delay: float = _seconds(15.0, 0.0, 300)
    #: Failed sign-ins after which a connection is closed.
    max_login_failures: int = _count(5, 1, 1_000)
    #: Failed sign-ins from one network address (of IPv6, one /64) that are remembered, at which
    #: further ones from there are refused without a look at the password.
    max_failures_per_address: int = _count(100, 1, 1_000_000)
    #: Seconds after which one failed sign-in of an address is forgotten.
    failure_memory: float = _seconds(10.0, 0.01, 86_400)
    #: Network addresses whose failed sign-ins are remembered.
    max_failing_addresses: int = _count(10_000, 1, 1_000_000)
    #: Commands in a row that were no commands, before sign-in, after which a
    #: connection is closed: it does not speak IMAP.
    max_bad_commands: int = _count(10, 1, 1_000)
    #: Folder lists of trees that are kept, shared by all sessions.
    max_folder_lists: int = _count(4_096, 1, 1_000_000)
    #: Bytes that the kept folder lists and their rendered lines may have.
    max_folder_list_bytes: int = _count(64 << 20, 1 << 20, 1 << 34)
    #: Answers to patterns that are kept with each of them.
    max_answers: int = _count(16, 1, 1_000)
    #: Ranges in one sequence set.
    max_ranges: int = _count(10_000, 1, 1_000_000)
    #: Items in one list of a command, such as flags, header fields or data items.
    max_items: int = _count(500, 1, 100_000)
    #: Bytes of one folder name, pattern, identifier, quota root or annotation's name, as it is written.
    max_name: int = _count(8_192, 16, 65_536)
    #: Numbers in one part number of a section.
    max_part_depth: int = _count(100, 1, 1_000)
    #: Keys in one SEARCH, nested ones and their operators included.  The store has a bound of
    #: its own, which holds as well.
    max_search_keys: int = _count(1_000, 1, 100_000)
    #: How deep keys may be nested in one SEARCH; AND in AND and OR in OR do not count.
    max_search_depth: int = _count(50, 1, 100)
    #: Folders that one ESEARCH may look into.
    max_searched_folders: int = _count(20_000, 1, 1_000_000)
    #: Patterns in one LIST.
    max_patterns: int = _count(100, 1, 10_000)
    #: Bytes that commands have of which is kept what they mean, for who gives the same, by estimate.
    max_known_commands: int = _count(8 << 20, 0, 1 << 30)
    #: Bytes that the texts have which FETCH gave, kept for the next who asks for the same.
    max_shared_texts: int = _count(32 << 20, 0, 1 << 34)
    #: Bytes that FETCH responses have which were rendered from these and from flags, kept for
    #: the next who is to be told the same.
    max_shared_lines: int = _count(32 << 20, 0, 1 << 34)
    #: Bytes that messages have which were read as a whole, kept for the next who reads them.  Those of
    #: more than 256 KiB, or an eighth of it, are not kept.
    max_shared_contents: int = _count(128 << 20, 0, 1 << 36)
    #: Sections of messages that one FETCH may ask for.
    max_sections: int = _count(100, 1, 10_000)
    #: Characters of a LIST pattern with its reference.
    max_pattern: int = _count(1_024, 16, 65_536)
    #: Wildcards in a LIST pattern.
    max_wildcards: int = _count(16, 1, 256)
    #: Bytes of a message that APPEND takes.  Clients are told (RFC 7889) this or the store's own
    #: bound, whichever is less.
    max_message: int = _count((1 << 32) - 1, 1, (1 << 32) - 1)
    #: Bytes of an annotation, as clients are told (RFC 5464 section 4.3).  The store has a bound
    #: of its own, which holds as well.
    max_annotation: int = _count(16 << 10, 0, 1 << 24)

    def reader(self) -> ReaderLimits:
        """
        Those of a command's grammar, which go by the same names.
        """
        return ReaderLimits(**{each.name: getattr(self, each.name) for each in attrs.fields(ReaderLimits)})
