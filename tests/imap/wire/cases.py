"""
The base grammar by example.  Each L{Case} is read, written and read again, and is fed to
the framer in every split; each L{BadCase} must end in L{ParseError}.  What extensions add is in
L{tests.imap.wire.extensioncases}, what servers say in L{tests.imap.wire.responsecases}.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from mailstore.imap.wire import writer
from mailstore.imap.wire.appendargs import readAppend, readReplace
from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.listargs import readListArguments
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.statusitems import readStatusItems
from mailstore.imap.wire.storeitems import readStoreFlags
from mailstore.imap.wire.values import (
    MAX_NUMBER,
    MAX_NUMBER64,
    AppendArguments,
    AppendMessage,
    CatenatePart,
    FetchData,
    FetchSection,
    ListArguments,
    SearchKey,
    SearchKind,
    SearchProgram,
    SectionText,
    SequenceSet,
    StatusItem,
    StoreFlags,
    StoreMode,
)
from tests.imap.wire.encoding import (
    encodeAppend,
    encodeDate,
    encodeDateTime,
    encodeFetchItems,
    encodeListArguments,
    encodeReplace,
    encodeSearch,
    encodeSequenceSet,
    encodeStatusItems,
    encodeStoreFlags,
)
from tests.imap.wire.production import BadCase, Case, Production


def _plain(value: bytes) -> bytes:
    return value


TAG = Production("tag", Reader.tag, _plain)
ATOM = Production("atom", Reader.atom, _plain)
WORD = Production("word", Reader.word, str.encode)
COMMAND = Production("command", Reader.commandName, str.encode)
ASTRING = Production("astring", Reader.astring, writer.astring)
STRING = Production("string", Reader.string, writer.string)
STRING_UTF8 = Production("string8", Reader.string, lambda value: writer.string(value, True), utf8=True)
NSTRING = Production("nstring", Reader.nstring, writer.nstring)
NUMBER = Production("number", Reader.number, lambda value: b"%d" % value)
NUMBER64 = Production("number64", Reader.number64, lambda value: b"%d" % value)
NZ_NUMBER = Production("nz-number", Reader.nzNumber, lambda value: b"%d" % value)
NZ_NUMBER64 = Production("nz-number64", Reader.nzNumber64, lambda value: b"%d" % value)
MAILBOX = Production("mailbox", Reader.mailbox, writer.mailbox)
MAILBOX_UTF8 = Production("mailbox8", Reader.mailbox, lambda value: writer.mailbox(value, True), utf8=True)
LIST_MAILBOX = Production("list-mailbox", Reader.listMailbox, lambda value: writer.quoted(value.encode()))
SEQUENCE_SET = Production("sequence-set", Reader.sequenceSet, encodeSequenceSet)
FLAG = Production("flag", Reader.flag, str.encode)
FLAG_LIST = Production("flag-list", Reader.flagList, writer.flagList)
FIELD_NAME = Production("field", Reader.fieldName, lambda value: writer.astring(value.encode()))
DATE = Production("date", Reader.date, encodeDate)
DATE_TIME = Production("date-time", Reader.dateTime, encodeDateTime)
FETCH = Production("fetch", readFetchItems, encodeFetchItems)
STORE = Production("store", readStoreFlags, encodeStoreFlags)
STATUS = Production("status", readStatusItems, encodeStatusItems)
LIST = Production("list", readListArguments, encodeListArguments)
APPEND = Production("append", readAppend, encodeAppend)
REPLACE = Production("replace", readReplace, encodeReplace)
SEARCH = Production("search", readSearch, encodeSearch)

F = FetchData
K = SearchKind


def _key(kind: SearchKind, *keys: SearchKey, **operands: Any) -> SearchKey:
    return SearchKey(kind, keys=keys, **operands)


def _flag(name: str) -> SearchKey:
    return _key(K.FLAG, text=name)


def _header(field: str, text: str) -> SearchKey:
    return _key(K.HEADER, field=field, text=text)


def _numbers(*ranges: tuple[int, int]) -> SearchKey:
    return _key(K.SEQUENCE, sequence=SequenceSet(ranges))


_DAY = date(2024, 2, 29).toordinal()
_SEEN = _flag("\\Seen")
_RECENT = _key(K.RECENT)


def _searches(*rows: tuple[bytes, SearchKey, bytes]) -> list[Case]:
    return [Case(SEARCH, wire, SearchProgram(key), written) for wire, key, written in rows]


CASES = [
    # --- words ---
    Case(TAG, b"A001", b"A001"),
    Case(TAG, b"a.b]c[~", b"a.b]c[~"),
    Case(ATOM, b"NOOP", b"NOOP"),
    Case(ATOM, b"AUTH=PLAIN", b"AUTH=PLAIN"),
    Case(WORD, b"uidNext", "UIDNEXT", b"UIDNEXT"),
    Case(COMMAND, b"noop", "NOOP", b"NOOP"),
    Case(COMMAND, b"uid Fetch", "UID FETCH", b"UID FETCH"),
    # --- strings ---
    Case(ASTRING, b"a]b", b"a]b"),
    Case(ASTRING, b'"NIL"', b"NIL"),
    Case(ASTRING, b"nil", b"nil", b'"nil"'),
    Case(ASTRING, b'""', b""),
    Case(ASTRING, b'"a b"', b"a b"),
    Case(ASTRING, b"{3+}\r\na b", b"a b", b'"a b"'),
    Case(STRING, b'"a\\"b\\\\c"', b'a"b\\c'),
    Case(STRING, b'"\\\\"', b"\\"),
    Case(STRING, b'"\\""', b'"'),
    Case(STRING, b'"\t\x01"', b"\t\x01"),
    Case(STRING, b"{0}\r\n", b"", b'""'),
    Case(STRING, b"{2}\r\n\r\n", b"\r\n"),
    Case(STRING, b"{0000000000000000000000005}\r\nhello", b"hello", b'"hello"'),
    Case(STRING, b"{4}\r\n{1}\n", b"{1}\n"),
    Case(STRING, b'"{3}"', b"{3}"),
    Case(STRING, b"{2}\r\n\xff\x80", b"\xff\x80"),
    Case(STRING, b'"\xff"', b"\xff", b"{1}\r\n\xff"),
    Case(STRING, b'"%b"' % (b"q" * 1000), b"q" * 1000),
    Case(STRING, b"{1001}\r\n%b" % (b"q" * 1001), b"q" * 1001),
    Case(STRING_UTF8, '"grün"'.encode(), "grün".encode()),
    Case(STRING_UTF8, b"{1}\r\n\xff", b"\xff"),
    Case(NSTRING, b"NIL", None),
    Case(NSTRING, b"nil", None, b"NIL"),
    Case(NSTRING, b'"NIL"', b"NIL"),
    Case(NSTRING, b"{3}\r\nNIL", b"NIL", b'"NIL"'),
    Case(FIELD_NAME, b"Content-Type", "Content-Type"),
    Case(FIELD_NAME, b'"a(b"', "a(b"),
    # --- numbers ---
    Case(NUMBER, b"0", 0),
    Case(NUMBER, b"4294967295", MAX_NUMBER),
    Case(NUMBER, b"0" * 30 + b"7", 7, b"7"),
    Case(NUMBER, b"0" * 30, 0, b"0"),
    Case(NUMBER64, b"9223372036854775807", MAX_NUMBER64),
    Case(NZ_NUMBER, b"1", 1),
    Case(NZ_NUMBER, b"4294967295", MAX_NUMBER),
    Case(NZ_NUMBER64, b"9223372036854775807", MAX_NUMBER64),
    Case(SEQUENCE_SET, b"1", SequenceSet(((1, 1),))),
    Case(SEQUENCE_SET, b"*", SequenceSet(((0, 0),))),
    Case(SEQUENCE_SET, b"1:*", SequenceSet(((1, 0),))),
    Case(SEQUENCE_SET, b"*:4,5:7", SequenceSet(((0, 4), (5, 7)))),
    Case(SEQUENCE_SET, b"2,4:7,9,12:*", SequenceSet(((2, 2), (4, 7), (9, 9), (12, 0)))),
    Case(SEQUENCE_SET, b"9:4,4294967295", SequenceSet(((9, 4), (MAX_NUMBER, MAX_NUMBER)))),
    # --- names ---
    Case(MAILBOX, b"Sent", "Sent"),
    Case(MAILBOX, b"iNbOx", "INBOX", b"INBOX"),
    Case(MAILBOX, b'"inbox"', "INBOX", b"INBOX"),
    Case(MAILBOX, b"{5}\r\nInbox", "INBOX", b"INBOX"),
    Case(MAILBOX, b'"Public Folders/R&-D"', "Public Folders/R&D"),
    Case(MAILBOX, b"Entw&APw-rfe", "Entwürfe"),
    Case(MAILBOX, b"&U,BTFw-/&ZeVnLIqe-", "台北/日本語"),
    Case(MAILBOX, b"&2D3eAA-", "\U0001f600"),
    Case(MAILBOX, '"Entwürfe"'.encode(), "Entwürfe", b"Entw&APw-rfe"),
    Case(MAILBOX, b'"50%*"', "50%*"),
    Case(MAILBOX, b'""', ""),
    Case(MAILBOX_UTF8, '"Entwürfe"'.encode(), "Entwürfe"),
    Case(MAILBOX_UTF8, b"R&D", "R&D"),
    Case(MAILBOX_UTF8, b"Entw&APw-rfe", "Entw&APw-rfe"),
    Case(LIST_MAILBOX, b"*", "*", b'"*"'),
    Case(LIST_MAILBOX, b"Public%/a]*", "Public%/a]*", b'"Public%/a]*"'),
    Case(LIST_MAILBOX, b'"a b%"', "a b%"),
    Case(LIST_MAILBOX, b"R&-D*", "R&D*", b'"R&D*"'),
    Case(LIST_MAILBOX, b'"R&D*"', "R&D*"),
    Case(FLAG, b"\\sEEN", "\\Seen", b"\\Seen"),
    Case(FLAG, b"\\RECENT", "\\Recent", b"\\Recent"),
    Case(FLAG, b"$Forwarded", "$Forwarded"),
    Case(FLAG, b"\\XyZ", "\\XyZ"),
    Case(FLAG_LIST, b"()", ()),
    Case(FLAG_LIST, b"(\\Deleted work)", ("\\Deleted", "work")),
    # --- times ---
    Case(DATE, b"29-Feb-2024", _DAY),
    Case(DATE, b'"1-jan-1970"', date(1970, 1, 1).toordinal(), b"1-Jan-1970"),
    Case(DATE, b"01-JAN-0001", 1, b"1-Jan-0001"),
    Case(DATE_TIME, b'"17-Jul-1996 02:44:25 -0700"', (837596665, -420)),
    Case(DATE_TIME, b'" 1-Jan-1970 00:00:00 +0000"', (0, 0)),
    Case(DATE_TIME, b'"1-Jan-1970 00:00:00 +0530"', (-19800, 330), b'" 1-Jan-1970 00:00:00 +0530"'),
    Case(DATE_TIME, b'"31-Dec-2016 23:59:60 +0000"', (1483228800, 0), b'" 1-Jan-2017 00:00:00 +0000"'),
    Case(DATE_TIME, b'"29-Feb-2024 23:59:59 -0001"', (1709251259, -1)),
    # --- FETCH ---
    Case(FETCH, b"(UID FLAGS)", (F.UID, F.FLAGS)),
    Case(FETCH, b"flags", (F.FLAGS,), b"(FLAGS)"),
    Case(FETCH, b"FAST", (F.FLAGS, F.INTERNALDATE, F.RFC822_SIZE), b"(FLAGS INTERNALDATE RFC822.SIZE)"),
    Case(
        FETCH,
        b"all",
        (F.FLAGS, F.INTERNALDATE, F.RFC822_SIZE, F.ENVELOPE),
        b"(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
    ),
    Case(
        FETCH,
        b"Full",
        (F.FLAGS, F.INTERNALDATE, F.RFC822_SIZE, F.ENVELOPE, F.BODY),
        b"(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)",
    ),
    Case(FETCH, b"(BODY BODYSTRUCTURE MODSEQ)", (F.BODY, F.BODYSTRUCTURE, F.MODSEQ)),
    Case(FETCH, b"(UID uid UID)", (F.UID,), b"(UID)"),
    Case(FETCH, b"(BODY[])", (FetchSection(b"BODY[]"),)),
    Case(FETCH, b"body.peek[]", (FetchSection(b"BODY[]", peek=True),), b"(BODY.PEEK[])"),
    Case(
        FETCH,
        b"(BODY.PEEK[] BODY[])",
        (FetchSection(b"BODY[]", peek=True), FetchSection(b"BODY[]")),
    ),
    Case(FETCH, b"(RFC822)", (FetchSection(b"RFC822"),)),
    Case(FETCH, b"(RFC822.HEADER)", (FetchSection(b"RFC822.HEADER", SectionText.HEADER, peek=True),)),
    Case(FETCH, b"(RFC822.TEXT)", (FetchSection(b"RFC822.TEXT", SectionText.TEXT),)),
    Case(FETCH, b"(BODY[HEADER])", (FetchSection(b"BODY[HEADER]", SectionText.HEADER),)),
    Case(FETCH, b"(BODY[text])", (FetchSection(b"BODY[TEXT]", SectionText.TEXT),), b"(BODY[TEXT])"),
    Case(FETCH, b"(BODY[1])", (FetchSection(b"BODY[1]", part=(1,)),)),
    Case(FETCH, b"(BODY[4.2.MIME])", (FetchSection(b"BODY[4.2.MIME]", SectionText.MIME, (4, 2)),)),
    Case(FETCH, b"(BODY[4.HEADER])", (FetchSection(b"BODY[4.HEADER]", SectionText.HEADER, (4,)),)),
    Case(
        FETCH,
        b"(BODY.PEEK[HEADER.FIELDS (From X-a)])",
        (
            FetchSection(
                b"BODY[HEADER.FIELDS (From X-a)]", SectionText.HEADER_FIELDS, (), ("From", "X-a"), None, True
            ),
        ),
    ),
    Case(
        FETCH,
        b'(BODY[1.2.header.fields.not ("To" {2+}\r\ncc)]<0.10>)',
        (
            FetchSection(
                b"BODY[1.2.HEADER.FIELDS.NOT (To cc)]<0>",
                SectionText.HEADER_FIELDS_NOT,
                (1, 2),
                ("To", "cc"),
                (0, 10),
            ),
        ),
        b"(BODY[1.2.HEADER.FIELDS.NOT (To cc)]<0.10>)",
    ),
    Case(
        FETCH,
        b"(BODY[]<9223372036854775807.9223372036854775807>)",
        (FetchSection(b"BODY[]<9223372036854775807>", partial=(MAX_NUMBER64, MAX_NUMBER64)),),
    ),
    # --- STORE, STATUS, LIST ---
    Case(STORE, b"FLAGS (\\Seen)", StoreFlags(StoreMode.REPLACE, ("\\Seen",))),
    Case(STORE, b"flags ()", StoreFlags(StoreMode.REPLACE, ()), b"FLAGS ()"),
    Case(
        STORE,
        b"+flags.silent \\deleted a \\Deleted",
        StoreFlags(StoreMode.ADD, ("\\Deleted", "a"), True),
        b"+FLAGS.SILENT (\\Deleted a)",
    ),
    Case(STORE, b"-FLAGS (a b)", StoreFlags(StoreMode.REMOVE, ("a", "b"))),
    Case(STATUS, b"(MESSAGES UNSEEN)", (StatusItem.MESSAGES, StatusItem.UNSEEN)),
    Case(
        STATUS,
        b"(recent uidnext UIDVALIDITY DELETED SIZE HIGHESTMODSEQ Recent)",
        (
            StatusItem.RECENT,
            StatusItem.UIDNEXT,
            StatusItem.UIDVALIDITY,
            StatusItem.DELETED,
            StatusItem.SIZE,
            StatusItem.HIGHESTMODSEQ,
        ),
        b"(RECENT UIDNEXT UIDVALIDITY DELETED SIZE HIGHESTMODSEQ)",
    ),
    Case(LIST, b'"" "*"', ListArguments("", "*")),
    Case(LIST, b'"" ""', ListArguments("", "")),
    Case(LIST, b"Public/ %", ListArguments("Public/", "%"), b'Public/ "%"'),
    Case(LIST, b"&APw- {2+}\r\na%", ListArguments("ü", "a%"), b'&APw- "a%"'),
    # --- REPLACE ---
    Case(REPLACE, b"4 Sent {3}\r\nxxx", (4, AppendArguments("Sent", (AppendMessage(3),)))),
    Case(REPLACE, b"* INBOX ~{1}\r\nx", (0, AppendArguments("INBOX", (AppendMessage(1, binary=True),)))),
    Case(
        REPLACE,
        b'4294967295 Drafts (\\seen) " 1-Jan-1970 00:00:07 +0000" UTF8 (~{2+}\r\nxx)',
        (
            4294967295,
            AppendArguments("Drafts", (AppendMessage(2, ("\\Seen",), 7, binary=True, utf8=True),)),
        ),
        b'4294967295 Drafts (\\Seen) " 1-Jan-1970 00:00:07 +0000" UTF8 (~{2}\r\nxx)',
    ),
    # --- APPEND ... CATENATE ---
    Case(
        APPEND,
        b'Drafts CATENATE (URL "/INBOX/;UID=1" TEXT {2}\r\nxx URL ;UID=2/;section=1)',
        AppendArguments(
            "Drafts",
            (
                AppendMessage(
                    0,
                    parts=(
                        CatenatePart(b"/INBOX/;UID=1"),
                        CatenatePart(size=2),
                        CatenatePart(b";UID=2/;section=1"),
                    ),
                ),
            ),
        ),
        b"Drafts CATENATE (URL /INBOX/;UID=1 TEXT {2}\r\nxx URL ;UID=2/;section=1)",
    ),
    Case(
        APPEND,
        b"Drafts (\\Seen) catenate (url {3+}\r\n%41 utf8 (~{1+}\r\nx)) {1+}\r\nx",
        AppendArguments(
            "Drafts",
            (
                AppendMessage(
                    0,
                    ("\\Seen",),
                    parts=(CatenatePart(b"%41"), CatenatePart(size=1, utf8=True)),
                ),
                AppendMessage(1),
            ),
        ),
        b'Drafts (\\Seen) CATENATE (URL "%41" UTF8 (~{1}\r\nx)) {1}\r\nx',
    ),
    # --- APPEND ---
    Case(APPEND, b"Sent {3}\r\nxxx", AppendArguments("Sent", (AppendMessage(3),))),
    Case(APPEND, b"{4}\r\nSent {0+}\r\n", AppendArguments("Sent", (AppendMessage(0),)), b"Sent {0}\r\n"),
    Case(
        APPEND,
        b'"a b" (\\seen x) " 1-Feb-2000 12:00:00 +0100" {3}\r\nxxx',
        AppendArguments("a b", (AppendMessage(3, ("\\Seen", "x"), 949402800, 60),)),
        b'"a b" (\\Seen x) " 1-Feb-2000 12:00:00 +0100" {3}\r\nxxx',
    ),
    Case(
        APPEND,
        b'a () "31-Dec-1969 19:00:00 -0500" ~{1}\r\nx',
        AppendArguments("a", (AppendMessage(1, (), 0, -300, True),)),
        b'a "31-Dec-1969 19:00:00 -0500" ~{1}\r\nx',
    ),
    Case(
        APPEND,
        b'a "31-Dec-1969 00:00:00 +0000" {1}\r\nx',
        AppendArguments("a", (AppendMessage(1, (), 0, 0),)),
        b'a " 1-Jan-1970 00:00:00 +0000" {1}\r\nx',
    ),
    Case(
        APPEND,
        b"a utf8 (~{1+}\r\nx)",
        AppendArguments("a", (AppendMessage(1, binary=True, utf8=True),)),
        b"a UTF8 (~{1}\r\nx)",
    ),
    Case(
        APPEND,
        b"a {1}\r\nx (b) {2}\r\nxx UTF8 (~{1}\r\nx) {0}\r\n",
        AppendArguments(
            "a",
            (
                AppendMessage(1),
                AppendMessage(2, ("b",)),
                AppendMessage(1, binary=True, utf8=True),
                AppendMessage(0),
            ),
        ),
    ),
    # --- SEARCH ---
    *_searches(
        (b"all", _key(K.ALL), b"ALL"),
        (b"ANSWERED", _flag("\\Answered"), b""),
        (b"deleted", _flag("\\Deleted"), b"DELETED"),
        (b"DRAFT", _flag("\\Draft"), b""),
        (b"FLAGGED", _flag("\\Flagged"), b""),
        (b"SEEN", _SEEN, b""),
        (b"RECENT", _RECENT, b""),
        (b"UNANSWERED", _key(K.NOT, _flag("\\Answered")), b"NOT ANSWERED"),
        (b"UNDELETED", _key(K.NOT, _flag("\\Deleted")), b"NOT DELETED"),
        (b"UNDRAFT", _key(K.NOT, _flag("\\Draft")), b"NOT DRAFT"),
        (b"UNFLAGGED", _key(K.NOT, _flag("\\Flagged")), b"NOT FLAGGED"),
        (b"UNSEEN", _key(K.NOT, _SEEN), b"NOT SEEN"),
        (b"OLD", _key(K.NOT, _RECENT), b"NOT RECENT"),
        (b"NEW", _key(K.AND, _RECENT, _key(K.NOT, _SEEN)), b"RECENT NOT SEEN"),
        (b"KEYWORD $Junk", _flag("$Junk"), b""),
        (b"UNKEYWORD $Junk", _key(K.NOT, _flag("$Junk")), b"NOT KEYWORD $Junk"),
        (b"BCC a", _header("Bcc", "a"), b'HEADER Bcc "a"'),
        (b'cc "a b"', _header("Cc", "a b"), b'HEADER Cc "a b"'),
        (b"FROM {1+}\r\na", _header("From", "a"), b'HEADER From "a"'),
        (b'SUBJECT ""', _header("Subject", ""), b'HEADER Subject ""'),
        (b"TO a]", _header("To", "a]"), b'HEADER To "a]"'),
        (b'HEADER X-b "c"', _header("X-b", "c"), b""),
        (b'BODY "c"', _key(K.BODY, text="c"), b""),
        (b"TEXT c", _key(K.TEXT, text="c"), b'TEXT "c"'),
        (b"BEFORE 29-Feb-2024", _key(K.BEFORE, number=_DAY), b""),
        (b"ON 29-Feb-2024", _key(K.ON, number=_DAY), b""),
        (b'SINCE "29-feb-2024"', _key(K.SINCE, number=_DAY), b"SINCE 29-Feb-2024"),
        (b"SENTBEFORE 29-Feb-2024", _key(K.SENTBEFORE, number=_DAY), b""),
        (b"SENTON 29-Feb-2024", _key(K.SENTON, number=_DAY), b""),
        (b"SENTSINCE 29-Feb-2024", _key(K.SENTSINCE, number=_DAY), b""),
        (b"LARGER 0", _key(K.LARGER, number=0), b""),
        (b"SMALLER 9223372036854775807", _key(K.SMALLER, number=MAX_NUMBER64), b""),
        (b"1:*,7", _numbers((1, 0), (7, 7)), b""),
        (b"*", _numbers((0, 0)), b""),
        (b"UID 5:3", _key(K.UID, sequence=SequenceSet(((5, 3),))), b""),
        (b"SEEN RECENT", _key(K.AND, _SEEN, _RECENT), b""),
        (
            b"(SEEN (RECENT ALL)) 1",
            _key(K.AND, _SEEN, _RECENT, _key(K.ALL), _numbers((1, 1))),
            b"SEEN RECENT ALL 1",
        ),
        (b"((((SEEN))))", _SEEN, b"SEEN"),
        (b"NEW ALL", _key(K.AND, _RECENT, _key(K.NOT, _SEEN), _key(K.ALL)), b"RECENT NOT SEEN ALL"),
        (b"NOT SEEN", _key(K.NOT, _SEEN), b""),
        (b"NOT NOT SEEN", _SEEN, b"SEEN"),
        (b"not unseen", _SEEN, b"SEEN"),
        (b"NOT (SEEN RECENT)", _key(K.NOT, _key(K.AND, _SEEN, _RECENT)), b""),
        (b"OR SEEN RECENT", _key(K.OR, _SEEN, _RECENT), b""),
        (b"OR SEEN OR RECENT ALL", _key(K.OR, _SEEN, _RECENT, _key(K.ALL)), b""),
        (b"OR OR SEEN RECENT ALL", _key(K.OR, _SEEN, _RECENT, _key(K.ALL)), b"OR SEEN OR RECENT ALL"),
        (
            b"OR (SEEN 1) NOT OR 2 (3) ALL",
            _key(
                K.AND,
                _key(
                    K.OR,
                    _key(K.AND, _SEEN, _numbers((1, 1))),
                    _key(K.NOT, _key(K.OR, _numbers((2, 2)), _numbers((3, 3)))),
                ),
                _key(K.ALL),
            ),
            b"OR (SEEN 1) NOT OR 2 3 ALL",
        ),
        ("TEXT {4+}\r\ngrü".encode(), _key(K.TEXT, text="grü"), "TEXT {4}\r\ngrü".encode()),
    ),
    Case(
        SEARCH,
        b"CHARSET iso-8859-1 TEXT {1}\r\n\xfc",
        SearchProgram(_key(K.TEXT, text="ü"), "iso-8859-1"),
    ),
    Case(
        SEARCH,
        b'charset "KOI8-R" ALL SUBJECT "\xc1"',
        SearchProgram(_key(K.AND, _key(K.ALL), _header("Subject", "а")), "KOI8-R"),
        b"CHARSET KOI8-R ALL HEADER Subject {1}\r\n\xc1",
    ),
]

_BAD = {
    TAG: [b"", b"+", b"+A1", b" A", b"(", b'"a"', b"{1}\r\na", b"\x00", b"\xff"],
    ATOM: [b"", b"(", b"]", b"\\a", b"%", b'"a"', b"\x7f", b"\xc3\xbc"],
    COMMAND: [b"", b"UID", b"UID ", b"UID  FETCH", b"UID(FETCH", b"{4}\r\nNOOP"],
    ASTRING: [
        b"",
        b"(a)",
        b'"a',
        b'"a\\b"',
        b'"a\rb"',
        b'"a\x00b"',
        b"{3}\r\na\x00b",
        b"~{3}\r\nabc",
        b"%",
        b"*",
    ],
    STRING: [b"", b"a", b"NIL", b"~{3}\r\nabc", b"{1} ", b"{-1}", b"{}", b"{+}", b"{1++}", b"{1-}", b"{0x1}"],
    STRING_UTF8: [b'"\xff"', b'"\xc3"', b'"\xed\xa0\x80"', b'"\xc0\x80"'],
    NSTRING: [b"", b"NILL", b"NI", b"nul", b"(", b"1"],
    FIELD_NAME: [b'""', b'"a:"', b'"a b"', b'"\xc3\xbc"', b"{1}\r\n\n", b"("],
    NUMBER: [b"", b"a", b"-1", b"+1", b" 1", b"4294967296", b"9" * 5000, b"\xd9\xa1"],
    NUMBER64: [b"", b"9223372036854775808", b"1" + b"0" * 20, b"9" * 5000],
    NZ_NUMBER: [b"", b"0", b"01", b"00", b"4294967296"],
    NZ_NUMBER64: [b"", b"0", b"01", b"9223372036854775808"],
    SEQUENCE_SET: [
        b"",
        b"0",
        b"1:0",
        b"01",
        b"1:",
        b":1",
        b"1,",
        b",1",
        b"1,,2",
        b"1:2:3",
        b"**",
        b"1*",
        b"*1",
        b"a",
        b"1: 2",
        b"4294967296",
        b"1:4294967296",
        b"9" * 50,
        b"1:" + b"9" * 50,
    ],
    MAILBOX: [
        b"",
        b"&",
        b"R&D",
        b"&AGE-",
        b"&APw",
        b"&APw-&APw-",
        b"&A-",
        b"&AP-",
        b"&2D0-",
        b"&/-",
        b'"\xff"',
        b"%",
    ],
    MAILBOX_UTF8: [b"", b'"\xff"', b"{1}\r\n\xff"],
    LIST_MAILBOX: [b"", b"(", b'"\xff"'],
    FLAG: [b"", b"\\", b"\\\\a", b"\\*", b"*", b"\xc3\xbc", b'"a"', b"()"],
    FLAG_LIST: [b"", b"(", b")", b"(\\Seen", b"( \\Seen)", b"(\\Seen )", b"(a  b)", b"((a))"],
    DATE: [
        b"",
        b"30-Feb-2024",
        b"29-Feb-2023",
        b"0-Jan-2024",
        b"1-Foo-2024",
        b"1-Jan-0000",
        b"1-Jan-24",
        b"1-Jan-20240",
        b'"1-Jan-2024',
        b'1-Jan-2024"',
        b"001-Jan-2024",
        b"1 Jan 2024",
    ],
    DATE_TIME: [
        b"",
        b'"17-Jul-1996 02:44:25"',
        b"17-Jul-1996 02:44:25 -0700",
        b'"17-Jul-1996  02:44:25 -0700"',
        b'"17-Jul-1996 24:00:00 -0700"',
        b'"17-Jul-1996 00:60:00 -0700"',
        b'"17-Jul-1996 00:00:61 -0700"',
        b'"17-Jul-1996 00:00:00 -2400"',
        b'"17-Jul-1996 00:00:00 -0060"',
        b'"31-Jun-1996 00:00:00 -0700"',
        b'"17-Jul-1996 02:44:25 0700"',
        b'"17-Jul-96 02:44:25 -0700"',
    ],
    FETCH: [
        b"",
        b"()",
        b"(UID",
        b"UID FLAGS",
        b"(ALL)",
        b"(UID ALL)",
        b"NONSENSE",
        b"BODY.PEEK",
        b"(BODY.PEEK)",
        b"BODY[",
        b"BODY[FOO]",
        b"BODY[MIME]",
        b"BODY[0]",
        b"BODY[1.]",
        b"BODY[.1]",
        b"BODY[1.0]",
        b"BODY[1..2]",
        b"BODY[1.FOO]",
        b"BODY[4294967296]",
        b"BODY[99999999999]",
        b"BODY[HEADER.FIELDS]",
        b"BODY[HEADER.FIELDS ()]",
        b"BODY[HEADER.FIELDS From]",
        b"BODY[HEADER.FIELDS (Fr:om)]",
        b"BODY[]<0>",
        b"BODY[]<0.0>",
        b"BODY[]<-1.5>",
        b"BODY[]<0.5",
        b"BODY[]<9223372036854775808.1>",
        b"RFC822.PEEK",
        b"RFC822[]",
        b"(UID  FLAGS)",
        b"( UID)",
    ],
    STORE: [
        b"",
        b"FLAGS",
        b"FLAGS ",
        b"FLAG (a)",
        b"*FLAGS (a)",
        b"+FLAGS.LOUD (a)",
        b"FLAGS (a) b",
        b"FLAGS a  b",
    ],
    STATUS: [b"", b"()", b"MESSAGES", b"(MESSAGE)", b"(MESSAGES", b"(MESSAGES,UNSEEN)"],
    LIST: [b"", b'""', b'"" ', b"% *", b'"" (a)', b'"" "a', b'"\xff" a'],
    REPLACE: [
        b"0 Sent {1}\r\nx",
        b"1:2 Sent {1}\r\nx",
        b"1,2 Sent {1}\r\nx",
        b"$ Sent {1}\r\nx",
        b"Sent {1}\r\nx",
        b"1 Sent",
        b"1 Sent {1}\r\nx {1}\r\ny",
    ],
    APPEND: [
        b"Sent CATENATE ()",
        b"Sent CATENATE (URL)",
        b"Sent CATENATE URL x",
        b"Sent CATENATE (URL x",
        b"Sent CATENATE (URL x ",
        b"Sent CATENATE (TEXT x)",
        b"Sent CATENATE (TEXT ~{1}\r\nx)",
        b"Sent CATENATE (UTF8 ({1}\r\nx))",
        b"Sent CATENATE (UTF8 (~{1}\r\nx)",
        b"Sent CATENATE (BODY x)",
        b"Sent CONCATENATE (URL x)",
        b"",
        b"a",
        b"a ",
        b"a x",
        b'a "x"',
        b"a(b) {1}\r\nx",
        b"a (b){1}\r\nx",
        b"a {1}\r\nxy",
        b"a {1}\r\nx ",
        b"a UTF8 ({1}\r\nx)",
        b"a UTF8 (~{1}\r\nx",
        b"a UTF8 ~{1}\r\nx",
        b"a UTF9 (~{1}\r\nx)",
        b"a~{1}\r\nx",
        b'a "1-Jan-2000" {1}\r\nx',
        b'a " 1-Jan-2000 00:00:00 +0000" (b) {1}\r\nx',
    ],
    SEARCH: [
        b"",
        b"()",
        b"(ALL",
        b"ALL)",
        b"ALL ",
        b"ALL  ALL",
        b"NONSENSE",
        b"$",
        b"NOT",
        b"NOT ",
        b"OR ALL",
        b"OR ALL ",
        b"OR (ALL) (ALL",
        b"NOT(ALL)",
        b"ALL1",
        b"BCC",
        b"FROM (a)",
        b"HEADER a",
        b"HEADER a:b c",
        b"BEFORE 30-Feb-2024",
        b"LARGER -1",
        b"LARGER 9223372036854775808",
        b"KEYWORD \\Seen",
        b"KEYWORD (a)",
        b"UID a",
        b"UID 0",
        b"0",
        b"1,a",
        b"CHARSET",
        b"CHARSET utf-8",
        b"CHARSET nonsense ALL",
        b"CHARSET hex TEXT 6161",
        b"CHARSET utf-8 TEXT {1}\r\n\xff",
        b"CHARSET us-ascii TEXT {1}\r\n\xff",
        b"TEXT {1}\r\n\xff",
        b"TEXT {1}\r\n\x00",
        b"ALL CHARSET utf-8",
    ],
}

BAD_CASES = [BadCase(production, wire) for production, wires in _BAD.items() for wire in wires]

assert {case.production for case in CASES} >= {*_BAD}
