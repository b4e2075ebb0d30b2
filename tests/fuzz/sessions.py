"""
Sessions of two clients, to be mutated.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from tests.fuzz.examples import COMMANDS

#: Who says something, and what: C{b"A"} or C{b"B"}, and a command without its tag and line end.
Step = tuple[bytes, bytes]

#: One step to a line; C{~} stands for a line end within a command.
_TEXT: Final = r"""
A SELECT INBOX
A APPEND INBOX (\Flagged) {6+}~a: b~
B SELECT INBOX
A STORE 1 +FLAGS (\Deleted)
B IDLE
A EXPUNGE
B DONE
B FETCH 1:* (UID FLAGS)
B UID SEARCH ALL

A SELECT "Public Folders/Fuzz"
B SELECT "Public Folders/Fuzz"
A APPEND "Public Folders/Fuzz" {6+}~a: b~ {6+}~c: d~
B NOOP
B UID STORE 1:* +FLAGS.SILENT (\Deleted work)
A FETCH 1:* FLAGS
A UID EXPUNGE 1:2
B FETCH 1:* FLAGS
B NOOP
B CLOSE
A CLOSE

A ENABLE QRESYNC
A SELECT INBOX
B SELECT INBOX
B UID MOVE 1:* "Public Folders/Fuzz"
A NOOP
A SELECT "Public Folders/Fuzz" (QRESYNC (1 1 1:5))
A UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)
B SELECT "Public Folders/Fuzz"
B UID MOVE * INBOX
A NOOP

A ENABLE CONDSTORE IMAP4rev2
A SELECT INBOX (CONDSTORE)
A STORE 1 (UNCHANGEDSINCE 1) +FLAGS (x)
A FETCH 1:* (MODSEQ FLAGS) (CHANGEDSINCE 1)
A SEARCH RETURN (MIN MAX COUNT) MODSEQ 1
A STATUS INBOX (HIGHESTMODSEQ SIZE DELETED)

A SELECT INBOX
A SEARCH RETURN (SAVE) ALL
A FETCH $ (FLAGS ENVELOPE BODYSTRUCTURE)
B SELECT INBOX
B STORE * +FLAGS (\Deleted)
B EXPUNGE
A FETCH $ FLAGS
A UID COPY $ "Public Folders/Fuzz"
A SEARCH $ NOT SEEN
A SORT RETURN (COUNT) (REVERSE DATE SUBJECT) UTF-8 ALL
A THREAD REFERENCES UTF-8 ALL

A CREATE "Public Folders/Fuzz/Sub"
B SELECT "Public Folders/Fuzz/Sub"
A APPEND "Public Folders/Fuzz/Sub" {6+}~a: b~
A RENAME "Public Folders/Fuzz/Sub" "Public Folders/Fuzz/Other"
B NOOP
B FETCH 1 BODY[]
A DELETE "Public Folders/Fuzz/Other"
B NOOP
B SELECT INBOX

A SETACL "Public Folders/Fuzz" bob l
B SELECT "Public Folders/Fuzz"
B MYRIGHTS "Public Folders/Fuzz"
A SETACL "Public Folders/Fuzz" bob lrswipkxtea
A GETACL "Public Folders/Fuzz"
A LISTRIGHTS "Public Folders/Fuzz" bob
B SELECT "Public Folders/Fuzz"
A DELETEACL "Public Folders/Fuzz" bob

A GETQUOTAROOT INBOX
A SETQUOTA "" (STORAGE 1)
A GETMETADATA (DEPTH infinity) INBOX /private
A SETMETADATA INBOX (/private/comment {2+}~ab)
A LIST (SPECIAL-USE SUBSCRIBED) "" (* %) RETURN (CHILDREN STATUS (MESSAGES UNSEEN) MYRIGHTS)
A LIST "" * RETURN (METADATA (/private/comment /shared/comment) MYRIGHTS)
A UNSUBSCRIBE INBOX
A LSUB "" *
A NAMESPACE
A ID NIL

B SELECT INBOX
A SELECT INBOX
A COPY 1 INBOX
B IDLE
A MOVE 1 INBOX
A STORE 1:* FLAGS (\Seen \Deleted)
A EXPUNGE
B DONE
B SEARCH UNSEEN
B FETCH 1 (BODY.PEEK[HEADER.FIELDS (a)] BINARY.PEEK[1] PREVIEW RFC822.SIZE)

A SELECT INBOX
A COMPRESS DEFLATE
A FETCH 1:* (FLAGS BODY[])
B STORE 1 +FLAGS (\Deleted)
B EXPUNGE
A NOOP
A UNAUTHENTICATE
A LOGIN bob password
A SELECT INBOX

A UNSELECT
A AUTHENTICATE PLAIN
A *
A LOGIN alice password
A CHECK
A SELECT INBOX
A APPEND INBOX ~~{4}~ab
A NOOP
A LOGOUT
B NOOP
"""

#: Transcripts of the tests of commands: C{C: tag command}, C{B C: tag command} for another client.
_SCRIPTS = Path(__file__).parents[1] / "imap" / "scripts"
_CLIENT = re.compile(r"(?:([A-Z])\s+)?C: \S+ (.+)")


@cache
def sessions() -> tuple[tuple[Step, ...], ...]:
    """
    All of them.
    """
    written = [
        tuple((line[:1].encode(), line[2:].encode().replace(b"~", b"\r\n")) for line in text.split("\n"))
        for text in _TEXT.strip().split("\n\n")
    ]
    return (*written, *filter(None, map(_script, sorted(_SCRIPTS.glob("*.txt")))))


def _script(path: Path) -> tuple[Step, ...]:
    """
    What the clients say in a transcript, as far as it is commands of one line.
    """
    found = (_CLIENT.fullmatch(line) for line in path.read_text().splitlines())
    return tuple((b"B" if each[1] else b"A", each[2].encode()) for each in found if each)


@cache
def steps() -> tuple[bytes, ...]:
    """
    All single commands, those of the other targets included.
    """
    return (*COMMANDS, *sorted({command for session in sessions() for _, command in session}))
