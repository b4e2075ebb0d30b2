"""
Examples and words that inputs are made of.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from mailstore.imap.wire.acl import readAclEntry, readSetAcl
from mailstore.imap.wire.appendargs import readAppend, readReplace
from mailstore.imap.wire.createargs import readCreate
from mailstore.imap.wire.enableargs import readEnable
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.idparams import readId
from mailstore.imap.wire.listargs import readListArguments
from mailstore.imap.wire.listextended import readList
from mailstore.imap.wire.metadata import readGetMetadata, readSetMetadata
from mailstore.imap.wire.multisearch import readMultiSearch
from mailstore.imap.wire.notifyargs import readNotify
from mailstore.imap.wire.quota import readQuotaRoot, readSetQuota
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.selectargs import readSelect
from mailstore.imap.wire.sortargs import readSort
from mailstore.imap.wire.statusitems import readStatusItems
from mailstore.imap.wire.storeitems import readStoreFlags
from mailstore.imap.wire.threadargs import readThread
from mailstore.imap.wire.values import FetchData, SearchKind, StatusItem
from tests.imap.wire import cases, extensioncases
from tests.message.mails import realMessages

_WIRES: Final = (*cases.CASES, *extensioncases.CASES)

#: The commands whose last arguments a production reads.
_COMMANDS: Final[dict[object, tuple[bytes, ...]]] = {
    Reader.mailbox: (
        *(b"SUBSCRIBE ", b"UNSUBSCRIBE ", b"DELETE ", b"RENAME INBOX ", b"LSUB "),
        *(b"COPY 1 ", b"UID COPY 1 ", b"MOVE 1 ", b"UID MOVE 1 "),
        *(b"GETACL ", b"MYRIGHTS ", b"GETQUOTAROOT "),
    ),
    Reader.sequenceSet: (b"UID EXPUNGE ", b"SEARCH "),
    Reader.string: (b"LOGIN alice ", b"LIST "),
    readFetchItems: (b"FETCH 1:* ", b"UID FETCH 1 "),
    readStoreFlags: (b"STORE 1 ", b"UID STORE 1:* "),
    readStatusItems: (b"STATUS INBOX ", b'LIST "" % RETURN (STATUS '),
    readListArguments: (b"LIST ", b"LSUB "),
    readList: (b"LIST ",),
    readAppend: (b"APPEND ",),
    readReplace: (b"REPLACE ", b"UID REPLACE "),
    readSearch: (b"SEARCH ", b"UID SEARCH "),
    readSort: (b"SORT ", b"UID SORT "),
    readThread: (b"THREAD ", b"UID THREAD "),
    readSelect: (b"SELECT ", b"EXAMINE "),
    readCreate: (b"CREATE ",),
    readEnable: (b"ENABLE ",),
    readNotify: (b"NOTIFY ",),
    readMultiSearch: (b"ESEARCH ",),
    readId: (b"ID ",),
    readAclEntry: (b"DELETEACL ", b"LISTRIGHTS "),
    readSetAcl: (b"SETACL ",),
    readQuotaRoot: (b"GETQUOTA ",),
    readSetQuota: (b"SETQUOTA ",),
    readGetMetadata: (b"GETMETADATA ",),
    readSetMetadata: (b"SETMETADATA ",),
}

_PLAIN: Final = (
    b"CAPABILITY",
    b"NOOP",
    b"CHECK",
    b"IDLE",
    b"CLOSE",
    b"UNSELECT",
    b"EXPUNGE",
    b"NAMESPACE",
    b"STARTTLS",
    b"LOGIN alice {8+}\r\npassword",
    b"AUTHENTICATE PLAIN AGFsaWNlAHBhc3N3b3Jk",
    b"AUTHENTICATE PLAIN",
    b"COMPRESS DEFLATE",
    b"UNAUTHENTICATE",
    b"LOGOUT",
)

#: What may stand behind a command's name.
ARGUMENTS: Final = tuple(sorted({case.wire for case in _WIRES}))

#: Commands without their tags and last line ends.
COMMANDS: Final = (
    *_PLAIN,
    *sorted({command + case.wire for case in _WIRES for command in _COMMANDS.get(case.production.read, ())}),
)

#: The same with tags.
COMMAND_LINES: Final = tuple(b"A%d %b" % (at, command) for at, command in enumerate(COMMANDS))

#: Words of commands.
COMMAND_TOKENS: Final = (
    *(item.value.encode() for kind in (FetchData, SearchKind, StatusItem, Extension) for item in kind),
    *(b" {%b}\r\n" % each for each in (b"0", b"1+", b"3", b"12+", b"70+", b"999+", b"9" * 40)),
    b"~{2+}\r\n",
    b" RETURN (",
    b"CHARSET utf-8 ",
    b" NOT (",
    b" OR ",
    b"((((((((",
    b"))))))))",
    b'"/flags/\\\\seen" all ',
    b"/shared/vendor/",
    b"&APw-",
    b"&",
    b"\\Seen",
    b"BODY.PEEK[HEADER.FIELDS (",
    b"<0.1>",
    b"1:*,",
    b"NIL",
    b"UTF8 (~{",
    b" CATENATE (",
    b"URL ",
    b"TEXT {3+}\r\n",
    b'"/INBOX/;UID=1/;SECTION=',
    b";UID=1",
    b"\r\n",
)

#: Pieces that messages are broken with.
MESSAGE_TOKENS: Final = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"--",
    b"\r\n--",
    b"--\r\n",
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n",
    b'Content-Type: multipart/digest; boundary="b"\r\n\r\n--b\r\n',
    b"--a\r\n",
    b"--a--\r\n",
    b"--b\r\n",
    b"--b--\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Type: message/global\r\n\r\n",
    b"Content-Type: text/plain; charset=",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''",
    b"Content-Language: a, b\r\n",
    b"Subject: =?utf-8?q?",
    b"?=",
    b"From: ",
    b"To: a:b,c;,",
    b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n",
    b"<a@b>",
    b"(((",
    b'"\\',
    b";",
    b"=",
    b"utf-7",
    b"iso-2022-jp",
)

#: Bytes of a message that is used as an example.
_MOST_OF_MESSAGE: Final = 12_000


def _nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(depth)
    )


@cache
def messages() -> tuple[bytes, ...]:
    """
    Real messages, the beginnings of large ones, and a few that were made to be a nuisance.
    """
    multipart = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    return (
        *(data[:_MOST_OF_MESSAGE] for _, data in realMessages()),
        b"",
        b"\r\n",
        _nested(120),
        b"Content-Type: message/rfc822\r\n\r\n" * 120,
        multipart + b"--a\r\n\r\nx\r\n" * 1_200,
        multipart + (multipart + b"--a\r\n") * 60,
        multipart.replace(b"=a", b"="),
        multipart.replace(b"=a", b'="a\\"b c"') + b'--a"b c\r\n\r\nx\r\n--a"b c--\r\n',
        b"Subject: " + b"x" * _MOST_OF_MESSAGE,
        b"Subject:" + b"\r\n x" * 3_000 + b"\r\n\r\n",
        b"To: " + b"a:b<c@d>,e;," * 900 + b"\r\n\r\n",
    )


#: What a mailbox's name in modified UTF-7 and a line of base64 are made of.
NAMES: Final = (
    b"INBOX",
    b"Public Folders/R&-D",
    b"Entw&APw-rfe",
    b"&U,BTFw-/&ZeVnLIqe-",
    b"&2D3eAA-",
    b"&AGE-",
    b"&APw-&APw-",
    b"AGFsaWNlAHBhc3N3b3Jk",
    b"YQ==",
    b"YWI=",
    b"=",
    b"*",
)

NAME_TOKENS: Final = (b"&", b"-", b"&-", b"&2D0-", b"&3gA-", b"==", b"=", b"&AAA-", b"+", b",")
