"""
What the grammar knows beyond RFC 3501, to be switched on one by one.

A L{Reader<mailstore.imap.wire.reader.Reader>} takes the words of an extension only where it was
told so; elsewhere they are unknown words.  So a server that does not offer an
extension, or a client that has to enable it first and did not, needs no checks of its own.
"""

from __future__ import annotations

import enum
from typing import Final


class Extension(enum.Enum):
    """
    An extension that adds to the grammar of commands; the values are the capabilities' names.
    """

    #: FETCH BINARY (RFC 3516 section 4.2, RFC 9051 section 6.4.5).
    BINARY = "BINARY"
    #: Sections 3.1.2 to 3.1.8 of RFC 7162.
    CONDSTORE = "CONDSTORE"
    #: Sections 3.2.5 and 3.2.6 of RFC 7162; BAD before ENABLE QRESYNC.
    QRESYNC = "QRESYNC"
    #: SEARCH RETURN (RFC 4731).
    ESEARCH = "ESEARCH"
    #: SEARCH RETURN (SAVE), and C{$} for what was saved (RFC 5182).
    SEARCHRES = "SEARCHRES"
    #: SEARCH RETURN (PARTIAL ...), and the modifier of UID FETCH (RFC 9394).
    PARTIAL = "PARTIAL"
    #: SORT RETURN (RFC 5267 section 3.1).
    ESORT = "ESORT"
    #: SEARCH OLDER and YOUNGER (RFC 5032).
    WITHIN = "WITHIN"
    #: FETCH SAVEDATE and the keys of SEARCH for it (RFC 8514).
    SAVEDATE = "SAVEDATE"
    #: FETCH PREVIEW (RFC 8970).
    PREVIEW = "PREVIEW"
    #: EMAILID, THREADID and MAILBOXID (RFC 8474).
    OBJECTID = "OBJECTID"
    #: Options and more than one pattern for LIST (RFC 5258).
    LIST_EXTENDED = "LIST-EXTENDED"
    #: LIST RETURN (STATUS ...) (RFC 5819).
    LIST_STATUS = "LIST-STATUS"
    #: LIST RETURN (MYRIGHTS) (RFC 8440).
    LIST_MYRIGHTS = "LIST-MYRIGHTS"
    #: LIST RETURN (METADATA ...) (RFC 9590).
    LIST_METADATA = "LIST-METADATA"
    #: LIST (SPECIAL-USE) and RETURN (SPECIAL-USE) (RFC 6154 section 2).
    SPECIAL_USE = "SPECIAL-USE"
    #: CREATE with USE (RFC 6154 section 3).
    CREATE_SPECIAL_USE = "CREATE-SPECIAL-USE"
    #: STATUS APPENDLIMIT (RFC 7889 section 3).
    APPENDLIMIT = "APPENDLIMIT"
    #: STATUS DELETED-STORAGE (RFC 9208 section 4.1.4).
    QUOTA = "QUOTA"


#: All of them.
EVERY_EXTENSION: Final = frozenset(Extension)
