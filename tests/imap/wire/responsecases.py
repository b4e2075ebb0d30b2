"""
What servers say in extensions, by example: each response is written by us and read as a client
would, and the other way round.  Without their line ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mailstore.imap.wire import acl, condstore, esearch, fetchdata, metadata, quota, sortargs, threadargs
from mailstore.imap.wire.enableargs import enabledLine
from mailstore.imap.wire.esearch import SearchResult
from mailstore.imap.wire.idparams import idLine
from mailstore.imap.wire.listextended import ListSelect, listLine
from mailstore.imap.wire.partial import PartialResult
from mailstore.imap.wire.quota import QuotaResource
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.statusitems import statusLine
from mailstore.imap.wire.values import MAX_NUMBER64, PartialRange, StatusItem
from tests.imap.wire import decoding
from tests.imap.wire.production import Case, Production


def _response(
    name: str,
    read: Callable[[Reader], Any],
    write: Callable[..., bytes | Iterable[bytes]],
    *,
    spread: bool = True,
    utf8: bool = False,
) -> Production:
    """
    @param spread: whether a value is all of the arguments of C{write}, not one.
    """

    def line(value: Any) -> bytes:
        arguments = value if spread else (value,)
        written = write(*arguments, utf8=True) if utf8 else write(*arguments)
        whole = written if isinstance(written, bytes) else b"".join(written)
        assert whole.endswith(b"\r\n"), whole
        return whole[:-2]

    return Production(f"response {name}", read, line, utf8)


def _listLine(name: str, attributes: bytes, separator: str | None, *more: Any, utf8: bool = False) -> bytes:
    child_info, old_name = more
    return listLine(name, attributes, separator, child_info=child_info, old_name=old_name, utf8=utf8)


def _fetchItem(name: str | bytes, value: Any) -> bytes:
    if isinstance(name, bytes):
        size = name.startswith(b"BINARY.SIZE")
        return fetchdata.binarySize(name, value) if size else fetchdata.binary(name, value)
    if name == "SAVEDATE":
        return fetchdata.saveDate(*(value or (None,)))
    writers: dict[str, Callable[[Any], bytes]] = {
        "MODSEQ": condstore.modSequence,
        "EMAILID": fetchdata.emailId,
        "THREADID": fetchdata.threadId,
        "PREVIEW": fetchdata.preview,
    }
    return writers[name](value)


LIST = _response("list", decoding.decodeList, _listLine)
LIST_UTF8 = _response("list8", decoding.decodeList, _listLine, utf8=True)
STATUS = _response("status", decoding.decodeStatus, statusLine)
ESEARCH = _response("esearch", decoding.decodeEsearch, esearch.esearchPieces)
SEARCH = _response("search", decoding.decodeSearch, esearch.searchPieces)
SORT = _response("sort", decoding.decodeSort, sortargs.sortPieces)
THREAD = _response("thread", decoding.decodeThread, threadargs.threadPieces, spread=False)
VANISHED = _response("vanished", decoding.decodeVanished, condstore.vanishedLines)
ENABLED = _response("enabled", decoding.decodeEnabled, enabledLine, spread=False)
ACL = _response("acl", decoding.decodeAcl, acl.aclLine)
ACL_UTF8 = _response("acl8", decoding.decodeAcl, acl.aclLine, utf8=True)
LISTRIGHTS = _response("listrights", decoding.decodeListRights, acl.listRightsLine)
MYRIGHTS = _response("myrights", decoding.decodeMyRights, acl.myRightsLine)
QUOTA = _response("quota", decoding.decodeQuota, quota.quotaLine)
QUOTAROOT = _response("quotaroot", decoding.decodeQuotaRoot, quota.quotaRootLine)
METADATA = _response("metadata", decoding.decodeMetadata, metadata.metadataLine)
METADATA_UTF8 = _response("metadata8", decoding.decodeMetadata, metadata.metadataLine, utf8=True)
METADATA_CHANGED = _response("metadata changed", decoding.decodeMetadataChanged, metadata.metadataChangedLine)
ID = _response("id", decoding.decodeId, idLine, spread=False)
FETCH = Production("response fetch", decoding.decodeFetchItem, lambda value: _fetchItem(*value))

S = StatusItem

CASES = [
    Case(LIST, b'* LIST () "/" INBOX', ("INBOX", b"", "/", (), None)),
    Case(
        LIST,
        b'* LIST (\\Noselect \\HasChildren) NIL "a b"',
        ("a b", b"\\Noselect \\HasChildren", None, (), None),
    ),
    Case(LIST, b'* LIST () "\\\\" &APw-', ("ü", b"", "\\", (), None)),
    Case(
        LIST,
        b'* LIST (\\NonExistent) "/" foo ("CHILDINFO" ("SUBSCRIBED"))',
        ("foo", b"\\NonExistent", "/", (ListSelect.SUBSCRIBED,), None),
    ),
    Case(
        LIST,
        b'* LIST () "/" a ("CHILDINFO" ("SPECIAL-USE" "SUBSCRIBED") "OLDNAME" ("b c"))',
        ("a", b"", "/", (ListSelect.SPECIAL_USE, ListSelect.SUBSCRIBED), "b c"),
    ),
    Case(LIST_UTF8, '* LIST () "/" "ü" ("OLDNAME" (&))'.encode(), ("ü", b"", "/", (), "&")),
    Case(STATUS, b"* STATUS INBOX ()", ("INBOX", ())),
    Case(
        STATUS,
        b"* STATUS a (MESSAGES 231 SIZE 9223372036854775807 MAILBOXID (F2212ea87-6097) APPENDLIMIT NIL)",
        (
            "a",
            (
                (S.MESSAGES, 231),
                (S.SIZE, MAX_NUMBER64),
                (S.MAILBOXID, "F2212ea87-6097"),
                (S.APPENDLIMIT, None),
            ),
        ),
    ),
    Case(
        STATUS,
        b"* STATUS a (APPENDLIMIT 257890 DELETED 4 DELETED-STORAGE 8 HIGHESTMODSEQ 0)",
        ("a", ((S.APPENDLIMIT, 257890), (S.DELETED, 4), (S.DELETED_STORAGE, 8), (S.HIGHESTMODSEQ, 0))),
    ),
    Case(ESEARCH, b'* ESEARCH (TAG "A1")', (b"A1", False, SearchResult())),
    Case(ESEARCH, b'* ESEARCH (TAG "A1") UID COUNT 0', (b"A1", True, SearchResult(count=0))),
    Case(
        ESEARCH,
        b'* ESEARCH (TAG "a]b") MIN 2 MAX 23 COUNT 10 ALL 2,10:23 MODSEQ 917162488',
        (b"a]b", False, SearchResult(2, 23, ((2, 2), (10, 23)), 10, 917162488)),
    ),
    Case(
        ESEARCH,
        b'* ESEARCH (TAG "A1") UID PARTIAL (-1:-100 2,10:23) MODSEQ 7',
        (
            b"A1",
            True,
            SearchResult(
                mod_sequence=7, partial=PartialResult(PartialRange(1, 100, True), ((2, 2), (10, 23)))
            ),
        ),
    ),
    Case(
        ESEARCH,
        b'* ESEARCH (TAG "A1") COUNT 3 PARTIAL (5:4 NIL)',
        (b"A1", False, SearchResult(count=3, partial=PartialResult(PartialRange(5, 4)))),
    ),
    Case(SEARCH, b"* SEARCH", ((), None)),
    Case(SEARCH, b"* SEARCH 2 5 (MODSEQ 917162500)", ((2, 5), 917162500)),
    Case(SEARCH, b"* SEARCH 882 1102", ((882, 1102), None)),
    Case(SORT, b"* SORT", ((), None)),
    Case(SORT, b"* SORT 5 3 4 1 2", ((5, 3, 4, 1, 2), None)),
    Case(SORT, b"* SORT 5 3 (MODSEQ 9223372036854775807)", ((5, 3), MAX_NUMBER64)),
    # RFC 5256 section 4, and the thread without its first message.
    Case(THREAD, b"* THREAD", ()),
    Case(THREAD, b"* THREAD (2)", ((0, 2),)),
    Case(
        THREAD,
        b"* THREAD (2)(3 6 (4 23)(44 7 96))",
        ((0, 2), (0, 3), (1, 6), (2, 4), (3, 23), (2, 44), (3, 7), (4, 96)),
    ),
    Case(THREAD, b"* THREAD ((3)(5))", ((0, 0), (1, 3), (1, 5))),
    Case(THREAD, b"* THREAD ((3 1)(5))(6)", ((0, 0), (1, 3), (2, 1), (1, 5), (0, 6))),
    Case(THREAD, b"* THREAD (1 ((2)(3))(4))", ((0, 1), (1, 0), (2, 2), (2, 3), (1, 4))),
    Case(
        THREAD,
        b"* THREAD (1 (2 (3)(4 5))(6))(7)",
        ((0, 1), (1, 2), (2, 3), (2, 4), (3, 5), (1, 6), (0, 7)),
    ),
    Case(VANISHED, b"* VANISHED 405,407,410,425", (((405, 405), (407, 407), (410, 410), (425, 425)), False)),
    Case(VANISHED, b"* VANISHED (EARLIER) 300:310,405", (((300, 310), (405, 405)), True)),
    Case(ENABLED, b"* ENABLED", ()),
    Case(ENABLED, b"* ENABLED CONDSTORE X-GOOD-IDEA", ("CONDSTORE", "X-GOOD-IDEA")),
    Case(ACL, b"* ACL INBOX", ("INBOX", ())),
    Case(
        ACL,
        b'* ACL INBOX Fred rwipsldexta -Fred wetd "" ""',
        ("INBOX", (("Fred", "rwipsldexta"), ("-Fred", "wetd"), ("", ""))),
    ),
    Case(ACL, "* ACL &APw- {2}\r\nü l".encode(), ("ü", (("ü", "l"),))),
    Case(ACL_UTF8, '* ACL "ü" "ü" l'.encode(), ("ü", (("ü", "l"),))),
    Case(LISTRIGHTS, b'* LISTRIGHTS ~/Mail/saved smith ""', ("~/Mail/saved", "smith", "", ())),
    Case(
        LISTRIGHTS,
        b"* LISTRIGHTS a smith la r swicdkxte",
        ("a", "smith", "la", ("r", "swicdkxte")),
    ),
    Case(MYRIGHTS, b"* MYRIGHTS INBOX rwiptsldaex", ("INBOX", "rwiptsldaex")),
    Case(MYRIGHTS, b'* MYRIGHTS a ""', ("a", "")),
    Case(QUOTA, b'* QUOTA "" (STORAGE 10 512)', ("", (QuotaResource("STORAGE", 10, 512),))),
    Case(
        QUOTA,
        b"* QUOTA #user/alice (STORAGE 54 111 MESSAGE 42 1000)",
        ("#user/alice", (QuotaResource("STORAGE", 54, 111), QuotaResource("MESSAGE", 42, 1000))),
    ),
    Case(QUOTA, b"* QUOTA a ()", ("a", ())),
    Case(QUOTAROOT, b"* QUOTAROOT INBOX", ("INBOX", ())),
    Case(QUOTAROOT, b'* QUOTAROOT INBOX "" #user/alice', ("INBOX", ("", "#user/alice"))),
    Case(
        METADATA,
        b'* METADATA "" (/shared/comment "Shared comment")',
        ("", (("/shared/comment", b"Shared comment"),)),
    ),
    Case(
        METADATA,
        b"* METADATA INBOX (/shared/a NIL /private/b {2}\r\n\xff\xff /private/c ~{1}\r\n\x00)",
        ("INBOX", (("/shared/a", None), ("/private/b", b"\xff\xff"), ("/private/c", b"\0"))),
    ),
    Case(METADATA_UTF8, '* METADATA "ü" (/shared/a "ü")'.encode(), ("ü", (("/shared/a", "ü".encode()),))),
    Case(
        METADATA_CHANGED,
        b'* METADATA INBOX /shared/comment "/private/a b"',
        ("INBOX", ("/shared/comment", "/private/a b")),
    ),
    Case(ID, b"* ID NIL", ()),
    Case(ID, b'* ID ("name" "mailstore" "version" NIL)', ((b"name", b"mailstore"), (b"version", None))),
    Case(FETCH, b"MODSEQ (624140003)", ("MODSEQ", 624140003)),
    Case(FETCH, b"EMAILID (M6d99ac3275bb4e)", ("EMAILID", "M6d99ac3275bb4e")),
    Case(FETCH, b"THREADID (T64b478a75b7ea9)", ("THREADID", "T64b478a75b7ea9")),
    Case(FETCH, b"THREADID NIL", ("THREADID", None)),
    Case(FETCH, b'SAVEDATE "17-Jul-1996 02:44:25 -0700"', ("SAVEDATE", (837596665, -420))),
    Case(FETCH, b"SAVEDATE NIL", ("SAVEDATE", None)),
    Case(FETCH, b'PREVIEW "Preview text!"', ("PREVIEW", "Preview text!")),
    Case(FETCH, "PREVIEW {2}\r\nü".encode(), ("PREVIEW", "ü")),
    Case(FETCH, b'PREVIEW ""', ("PREVIEW", "")),
    Case(FETCH, b"PREVIEW NIL", ("PREVIEW", None)),
    Case(FETCH, b'BINARY[1]<0> "a"', (b"BINARY[1]<0>", b"a")),
    Case(FETCH, b"BINARY[] ~{3}\r\na\x00b", (b"BINARY[]", b"a\0b")),
    Case(FETCH, b"BINARY[2] {1}\r\n\xff", (b"BINARY[2]", b"\xff")),
    Case(FETCH, b"BINARY[9] NIL", (b"BINARY[9]", None)),
    Case(FETCH, b"BINARY.SIZE[1.2] 17", (b"BINARY.SIZE[1.2]", 17)),
]
