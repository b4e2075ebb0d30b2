"""
What extensions add to the grammar of commands, by example: like L{tests.imap.wire.cases}, which has
the base.  Each production knows no more than it needs, and none of its cases is
well formed without that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from mailstore.imap.wire import writer
from mailstore.imap.wire.acl import AclEntry, RightsMode, SetAcl, readAclEntry, readSetAcl
from mailstore.imap.wire.condstore import (
    FetchModifiers,
    StoreModifiers,
    readFetchModifiers,
    readStoreModifiers,
)
from mailstore.imap.wire.createargs import CreateArguments, readCreate
from mailstore.imap.wire.enableargs import readEnable
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.idparams import readId
from mailstore.imap.wire.listextended import ListRequest, ListReturn, ListSelect, readList
from mailstore.imap.wire.mailboxfilters import Filter, FolderFilter
from mailstore.imap.wire.metadata import Depth, GetMetadata, SetMetadata, readGetMetadata, readSetMetadata
from mailstore.imap.wire.multisearch import MultiSearch, readMultiSearch
from mailstore.imap.wire.notifyargs import EventGroup, NotifyRequest, readNotify
from mailstore.imap.wire.quota import SetQuota, readQuotaRoot, readSetQuota
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.selectargs import QResync, SelectArguments, readSelect
from mailstore.imap.wire.sortargs import SortArguments, SortCriterion, SortKey, readSort
from mailstore.imap.wire.statusitems import readStatusItems
from mailstore.imap.wire.threadargs import ThreadAlgorithm, ThreadArguments, readThread
from mailstore.imap.wire.values import (
    MAX_NUMBER,
    MAX_NUMBER64,
    FetchData,
    FetchSection,
    PartialRange,
    SearchKey,
    SearchKind,
    SearchProgram,
    SearchReturn,
    SectionForm,
    SequenceSet,
    StatusItem,
)
from tests.imap.wire.encoding import encodeFetchItems, encodeSearch, encodeSequenceSet, encodeStatusItems
from tests.imap.wire.extensionencoding import (
    encodeAclEntry,
    encodeCreate,
    encodeEnable,
    encodeFetchModifiers,
    encodeGetMetadata,
    encodeId,
    encodeList,
    encodeMultiSearch,
    encodeNotify,
    encodeQuotaRoot,
    encodeSelect,
    encodeSetAcl,
    encodeSetMetadata,
    encodeSetQuota,
    encodeSort,
    encodeStoreModifiers,
    encodeThread,
)
from tests.imap.wire.production import BadCase, Case, Production

E = Extension
F = FetchData
K = SearchKind


def _production(
    name: str,
    read: Callable[[Reader], Any],
    write: Callable[[Any], bytes],
    *extensions: Extension,
    utf8: bool = False,
) -> Production:
    words = ("extended", name, *(extension.value for extension in extensions))
    return Production(" ".join(words), read, write, utf8, frozenset(extensions))


def _fetch(*extensions: Extension) -> Production:
    return _production("fetch", readFetchItems, encodeFetchItems, *extensions)


def _search(*extensions: Extension) -> Production:
    return _production("search", readSearch, encodeSearch, *extensions)


def _status(*extensions: Extension) -> Production:
    return _production("status", readStatusItems, encodeStatusItems, *extensions)


def _list(*extensions: Extension) -> Production:
    return _production("list", readList, encodeList, *extensions)


def _select(*extensions: Extension) -> Production:
    return _production("select", readSelect, encodeSelect, *extensions)


def _fetchModifiers(by_uid: bool, *extensions: Extension) -> Production:
    read = partial(readFetchModifiers, by_uid=by_uid)
    return _production("uid fetch ..." if by_uid else "fetch ...", read, encodeFetchModifiers, *extensions)


BINARY = _fetch(E.BINARY)
FETCH_OBJECTID = _fetch(E.OBJECTID)
FETCH_SAVEDATE = _fetch(E.SAVEDATE)
PREVIEW = _fetch(E.PREVIEW)
CHANGED_SINCE = _fetchModifiers(False, E.CONDSTORE)
VANISHED = _fetchModifiers(True, E.CONDSTORE, E.QRESYNC)
UNCHANGED_SINCE = _production("store ...", readStoreModifiers, encodeStoreModifiers, E.CONDSTORE)
RESULT = _production("sequence-set", Reader.sequenceSet, encodeSequenceSet, E.SEARCHRES)
SEARCH_RETURN = _search(E.ESEARCH)
SEARCH_SAVE = _search(E.ESEARCH, E.SEARCHRES)
SEARCH_PARTIAL = _search(E.ESEARCH, E.PARTIAL)
PARTIAL = _fetchModifiers(True, E.PARTIAL)
PARTIAL_SINCE = _fetchModifiers(True, E.PARTIAL, E.CONDSTORE)
SEARCH_RESULT = _search(E.SEARCHRES)
SEARCH_MODSEQ = _search(E.CONDSTORE)
SEARCH_WITHIN = _search(E.WITHIN)
SEARCH_SAVEDATE = _search(E.SAVEDATE)
SEARCH_OBJECTID = _search(E.OBJECTID)
SORT = _production("sort", readSort, encodeSort)
SORT_RETURN = _production("sort", readSort, encodeSort, E.ESORT)
THREAD = _production("thread", readThread, encodeThread)
STATUS_OBJECTID = _status(E.OBJECTID)
STATUS_APPENDLIMIT = _status(E.APPENDLIMIT)
STATUS_QUOTA = _status(E.QUOTA)
LIST = _list()
LIST_EXTENDED = _list(E.LIST_EXTENDED)
LIST_SPECIAL_USE = _list(E.LIST_EXTENDED, E.SPECIAL_USE)
LIST_STATUS = _list(E.LIST_EXTENDED, E.LIST_STATUS)
LIST_MYRIGHTS = _list(E.LIST_EXTENDED, E.LIST_MYRIGHTS)
LIST_METADATA = _list(E.LIST_EXTENDED, E.LIST_METADATA)
LIST_ALL = _list(E.LIST_EXTENDED, E.SPECIAL_USE, E.LIST_STATUS, E.LIST_MYRIGHTS, E.OBJECTID)
CREATE = _production("create", readCreate, encodeCreate)
CREATE_USE = _production("create", readCreate, encodeCreate, E.CREATE_SPECIAL_USE)
SELECT = _select()
CONDSTORE = _select(E.CONDSTORE)
QRESYNC = _select(E.QRESYNC)
BOTH = _select(E.CONDSTORE, E.QRESYNC)
ENABLE = _production("enable", readEnable, encodeEnable)
MULTISEARCH = _production("esearch", readMultiSearch, encodeMultiSearch, E.ESEARCH)
NOTIFY = _production("notify", readNotify, encodeNotify)
ID = _production("id", readId, encodeId)
ACL_ENTRY = _production("acl-entry", readAclEntry, encodeAclEntry)
SETACL = _production("setacl", readSetAcl, encodeSetAcl)
QUOTA_ROOT = _production("quota-root", readQuotaRoot, encodeQuotaRoot)
SETQUOTA = _production("setquota", readSetQuota, encodeSetQuota)
GETMETADATA = _production("getmetadata", readGetMetadata, encodeGetMetadata)
SETMETADATA = _production("setmetadata", readSetMetadata, encodeSetMetadata)
SETMETADATA_UTF8 = _production(
    "setmetadata8", readSetMetadata, partial(encodeSetMetadata, utf8=True), utf8=True
)
OBJECTID = _production("objectid", Reader.objectId, str.encode)
NSTRING8 = _production("nstring8", Reader.nstring8, writer.nstring8)
MODSEQ = _production("mod-sequence", Reader.modSequence, lambda value: b"%d" % value)
MODSEQ_ZERO = _production(
    "mod-sequence0", partial(Reader.modSequence, zero=True), lambda value: b"%d" % value
)
KNOWN_SET = _production("known-uids", Reader.knownSet, encodeSequenceSet)

_DAY = date(2024, 2, 29).toordinal()
_ALL = SearchKey(K.ALL)
_SAVED = SequenceSet((), saved=True)


def _decoded(label: bytes, part: tuple[int, ...] = (), peek: bool = False, **more: Any) -> FetchSection:
    return FetchSection(label, part=part, peek=peek, form=SectionForm.DECODED, **more)


def _returns(*options: SearchReturn) -> SearchProgram:
    return SearchProgram(_ALL, returns=frozenset(options))


def _key(kind: SearchKind, **operands: Any) -> SearchProgram:
    return SearchProgram(SearchKey(kind, **operands))


def _listed(*patterns: str, reference: str = "", **more: Any) -> ListRequest:
    return ListRequest(reference, patterns, extended=True, **more)


def _sets(*sets: tuple[tuple[int, int], ...]) -> tuple[SequenceSet, ...]:
    return tuple(map(SequenceSet, sets))


CASES = [
    # --- PARTIAL ---
    Case(
        SEARCH_PARTIAL,
        b"RETURN (PARTIAL 1:500) ALL",
        SearchProgram(_ALL, returns=frozenset({SearchReturn.PARTIAL}), partial=PartialRange(1, 500)),
    ),
    Case(
        SEARCH_PARTIAL,
        b"return (count partial -4294967295:-1 min) all",
        SearchProgram(
            _ALL,
            returns=frozenset({SearchReturn.PARTIAL, SearchReturn.COUNT, SearchReturn.MIN}),
            partial=PartialRange(MAX_NUMBER, 1, True),
        ),
        b"RETURN (COUNT MIN PARTIAL -4294967295:-1) ALL",
    ),
    Case(PARTIAL, b" (PARTIAL 5:1)", FetchModifiers(partial=PartialRange(5, 1))),
    Case(
        PARTIAL_SINCE,
        b" (PARTIAL -1:-30 CHANGEDSINCE 98305)",
        FetchModifiers(98305, partial=PartialRange(1, 30, True)),
        b" (CHANGEDSINCE 98305 PARTIAL -1:-30)",
    ),
    # --- FETCH ---
    Case(BINARY, b"(BINARY[1])", (_decoded(b"BINARY[1]", (1,)),)),
    Case(BINARY, b"binary[]", (_decoded(b"BINARY[]"),), b"(BINARY[])"),
    Case(BINARY, b"(BINARY.PEEK[1.2]<0.5>)", (_decoded(b"BINARY[1.2]<0>", (1, 2), True, partial=(0, 5)),)),
    Case(
        BINARY,
        b"(BINARY.SIZE[4294967295] Binary.Size[])",
        (
            FetchSection(
                b"BINARY.SIZE[4294967295]", part=(MAX_NUMBER,), peek=True, form=SectionForm.DECODED_SIZE
            ),
            FetchSection(b"BINARY.SIZE[]", peek=True, form=SectionForm.DECODED_SIZE),
        ),
        b"(BINARY.SIZE[4294967295] BINARY.SIZE[])",
    ),
    Case(FETCH_OBJECTID, b"(EMAILID ThreadId)", (F.EMAILID, F.THREADID), b"(EMAILID THREADID)"),
    Case(FETCH_SAVEDATE, b"savedate", (F.SAVEDATE,), b"(SAVEDATE)"),
    Case(PREVIEW, b"PREVIEW", (F.PREVIEW,), b"(PREVIEW)"),
    Case(PREVIEW, b"preview (lazy)", (F.PREVIEW_LAZY,), b"(PREVIEW (LAZY))"),
    Case(
        PREVIEW,
        b"(UID PREVIEW (LAZY LAZY) FLAGS)",
        (F.UID, F.PREVIEW_LAZY, F.FLAGS),
        b"(UID PREVIEW (LAZY) FLAGS)",
    ),
    Case(PREVIEW, b"(PREVIEW (LAZY) UID PREVIEW)", (F.UID, F.PREVIEW), b"(UID PREVIEW)"),
    Case(CHANGED_SINCE, b" (CHANGEDSINCE 12345)", FetchModifiers(12345)),
    Case(CHANGED_SINCE, b" (changedsince 007)", FetchModifiers(7), b" (CHANGEDSINCE 7)"),
    Case(VANISHED, b" (CHANGEDSINCE 9223372036854775807 VANISHED)", FetchModifiers(MAX_NUMBER64, True)),
    Case(VANISHED, b" (VANISHED CHANGEDSINCE 1)", FetchModifiers(1, True), b" (CHANGEDSINCE 1 VANISHED)"),
    # --- STORE ---
    Case(UNCHANGED_SINCE, b" (UNCHANGEDSINCE 0)", StoreModifiers(0)),
    Case(
        UNCHANGED_SINCE,
        b" (UnchangedSince 320162338)",
        StoreModifiers(320162338),
        b" (UNCHANGEDSINCE 320162338)",
    ),
    # --- SEARCH ---
    Case(RESULT, b"$", _SAVED),
    Case(
        SEARCH_RETURN,
        b"RETURN (MIN COUNT) ALL",
        _returns(SearchReturn.MIN, SearchReturn.COUNT),
        b"RETURN (COUNT MIN) ALL",
    ),
    Case(SEARCH_RETURN, b"return () all", _returns(SearchReturn.ALL), b"RETURN (ALL) ALL"),
    Case(SEARCH_RETURN, b"RETURN (MAX max) ALL", _returns(SearchReturn.MAX), b"RETURN (MAX) ALL"),
    Case(
        SEARCH_RETURN,
        b"RETURN (ALL) CHARSET utf-8 TEXT a",
        SearchProgram(SearchKey(K.TEXT, text="a"), "utf-8", frozenset({SearchReturn.ALL})),
        b'RETURN (ALL) CHARSET utf-8 TEXT "a"',
    ),
    Case(SEARCH_SAVE, b"RETURN (SAVE) ALL", _returns(SearchReturn.SAVE)),
    Case(SEARCH_RESULT, b"$", _key(K.SEQUENCE, sequence=_SAVED)),
    Case(SEARCH_RESULT, b"UID $", _key(K.UID, sequence=_SAVED)),
    Case(
        SEARCH_RESULT,
        b"(OR $ 1,3000:3021) TEXT a",
        SearchProgram(
            SearchKey(
                K.AND,
                keys=(
                    SearchKey(
                        K.OR,
                        keys=(
                            SearchKey(K.SEQUENCE, sequence=_SAVED),
                            SearchKey(K.SEQUENCE, sequence=SequenceSet(((1, 1), (3000, 3021)))),
                        ),
                    ),
                    SearchKey(K.TEXT, text="a"),
                ),
            )
        ),
        b'OR $ 1,3000:3021 TEXT "a"',
    ),
    Case(SEARCH_MODSEQ, b"MODSEQ 620162338", _key(K.MODSEQ, number=620162338)),
    Case(SEARCH_MODSEQ, b"modseq 0", _key(K.MODSEQ, number=0), b"MODSEQ 0"),
    Case(
        SEARCH_MODSEQ,
        b'MODSEQ "/flags/\\\\draft" all 620162338',
        _key(K.MODSEQ, text="\\draft", field="all", number=620162338),
    ),
    Case(
        SEARCH_MODSEQ,
        b'MODSEQ "/FLAGS/$MDNSent" PRIV 1',
        _key(K.MODSEQ, text="$MDNSent", field="priv", number=1),
        b'MODSEQ "/flags/$MDNSent" priv 1',
    ),
    Case(SEARCH_WITHIN, b"OLDER 259200", _key(K.OLDER, number=259200)),
    Case(SEARCH_WITHIN, b"younger 4294967295", _key(K.YOUNGER, number=MAX_NUMBER), b"YOUNGER 4294967295"),
    Case(SEARCH_SAVEDATE, b"SAVEDBEFORE 29-Feb-2024", _key(K.SAVEDBEFORE, number=_DAY)),
    Case(SEARCH_SAVEDATE, b'SAVEDON "29-Feb-2024"', _key(K.SAVEDON, number=_DAY), b"SAVEDON 29-Feb-2024"),
    Case(
        SEARCH_SAVEDATE, b"SavedSince 29-Feb-2024", _key(K.SAVEDSINCE, number=_DAY), b"SAVEDSINCE 29-Feb-2024"
    ),
    Case(SEARCH_SAVEDATE, b"SAVEDATESUPPORTED", _key(K.SAVEDATESUPPORTED)),
    Case(SEARCH_OBJECTID, b"EMAILID M6d99ac3275bb4e", _key(K.EMAILID, text="M6d99ac3275bb4e")),
    Case(SEARCH_OBJECTID, b"threadid -_9", _key(K.THREADID, text="-_9"), b"THREADID -_9"),
    # --- SORT and THREAD ---
    Case(
        SORT_RETURN,
        b"return (count MIN) (SUBJECT) utf-8 ALL",
        SortArguments(
            (SortCriterion(SortKey.SUBJECT),),
            SearchProgram(_ALL, "utf-8", frozenset({SearchReturn.COUNT, SearchReturn.MIN})),
        ),
        b"RETURN (COUNT MIN) (SUBJECT) utf-8 ALL",
    ),
    Case(
        SORT_RETURN,
        b"RETURN () (SUBJECT) utf-8 ALL",
        SortArguments(
            (SortCriterion(SortKey.SUBJECT),), SearchProgram(_ALL, "utf-8", frozenset({SearchReturn.ALL}))
        ),
        b"RETURN (ALL) (SUBJECT) utf-8 ALL",
    ),
    Case(
        SORT,
        b"(SUBJECT) utf-8 ALL",
        SortArguments((SortCriterion(SortKey.SUBJECT),), SearchProgram(_ALL, "utf-8")),
    ),
    Case(
        SORT,
        b'(reverse Date from SIZE REVERSE DATE DATE) "us-ascii" TEXT a',
        SortArguments(
            (SortCriterion(SortKey.DATE, True), SortCriterion(SortKey.FROM), SortCriterion(SortKey.SIZE)),
            SearchProgram(SearchKey(K.TEXT, text="a"), "us-ascii"),
        ),
        b'(REVERSE DATE FROM SIZE) us-ascii TEXT "a"',
    ),
    Case(
        SORT,
        b"(ARRIVAL CC REVERSE TO) utf-8 TEXT {2}\r\n\xc3\xbc",
        SortArguments(
            (SortCriterion(SortKey.ARRIVAL), SortCriterion(SortKey.CC), SortCriterion(SortKey.TO, True)),
            SearchProgram(SearchKey(K.TEXT, text="ü"), "utf-8"),
        ),
    ),
    Case(
        THREAD,
        b"REFERENCES utf-8 ALL",
        ThreadArguments(ThreadAlgorithm.REFERENCES, SearchProgram(_ALL, "utf-8")),
    ),
    Case(
        THREAD,
        b'orderedsubject "us-ascii" (ALL)',
        ThreadArguments(ThreadAlgorithm.ORDEREDSUBJECT, SearchProgram(_ALL, "us-ascii")),
        b"ORDEREDSUBJECT us-ascii ALL",
    ),
    # --- STATUS ---
    Case(STATUS_OBJECTID, b"(UIDNEXT MAILBOXID)", (StatusItem.UIDNEXT, StatusItem.MAILBOXID)),
    Case(STATUS_APPENDLIMIT, b"(appendlimit)", (StatusItem.APPENDLIMIT,), b"(APPENDLIMIT)"),
    Case(STATUS_QUOTA, b"(DELETED DELETED-STORAGE)", (StatusItem.DELETED, StatusItem.DELETED_STORAGE)),
    # --- LIST ---
    Case(LIST, b'"" "*"', ListRequest("", ("*",))),
    Case(LIST, b'Public/ ""', ListRequest("Public/", ("",))),
    Case(LIST_EXTENDED, b'() "" ("") RETURN ()', _listed("")),
    Case(LIST_EXTENDED, b'() "" %', _listed("%"), b'() "" ("%") RETURN ()'),
    Case(
        LIST_EXTENDED,
        b'"" (INBOX a% "b c")',
        _listed("INBOX", "a%", "b c"),
        b'() "" ("INBOX" "a%" "b c") RETURN ()',
    ),
    Case(LIST_EXTENDED, b'"" "" return ()', _listed(""), b'() "" ("") RETURN ()'),
    Case(
        LIST_EXTENDED,
        b'(SUBSCRIBED) &APw- "*"',
        _listed(
            "*",
            reference="ü",
            select=frozenset({ListSelect.SUBSCRIBED}),
            returns=frozenset({ListReturn.SUBSCRIBED}),
        ),
        b'(SUBSCRIBED) &APw- ("*") RETURN (SUBSCRIBED)',
    ),
    Case(
        LIST_EXTENDED,
        b'(recursivematch remote subscribed REMOTE) "" % RETURN (CHILDREN children)',
        _listed(
            "%",
            select=frozenset({ListSelect.SUBSCRIBED, ListSelect.REMOTE, ListSelect.RECURSIVEMATCH}),
            returns=frozenset({ListReturn.SUBSCRIBED, ListReturn.CHILDREN}),
        ),
        b'(RECURSIVEMATCH REMOTE SUBSCRIBED) "" ("%") RETURN (CHILDREN SUBSCRIBED)',
    ),
    Case(
        LIST_SPECIAL_USE,
        b'(SPECIAL-USE) "" "*"',
        _listed(
            "*",
            select=frozenset({ListSelect.SPECIAL_USE}),
            returns=frozenset({ListReturn.SPECIAL_USE}),
        ),
        b'(SPECIAL-USE) "" ("*") RETURN (SPECIAL-USE)',
    ),
    Case(
        LIST_STATUS,
        b'"" % RETURN (STATUS (MESSAGES UNSEEN))',
        _listed("%", status=(StatusItem.MESSAGES, StatusItem.UNSEEN)),
        b'() "" ("%") RETURN (STATUS (MESSAGES UNSEEN))',
    ),
    Case(
        LIST_MYRIGHTS,
        b'"" % RETURN (MYRIGHTS)',
        _listed("%", returns=frozenset({ListReturn.MYRIGHTS})),
        b'() "" ("%") RETURN (MYRIGHTS)',
    ),
    Case(
        LIST_METADATA,
        b'"" % RETURN (METADATA (/Shared/Comment "/private/a" /shared/comment))',
        _listed("%", annotations=("/shared/comment", "/private/a")),
        b'() "" ("%") RETURN (METADATA (/shared/comment /private/a))',
    ),
    Case(
        LIST_METADATA,
        b'"" % return (metadata {15+}\r\n/shared/comment CHILDREN metadata ("/private/a"))',
        _listed(
            "%",
            returns=frozenset({ListReturn.CHILDREN}),
            annotations=("/shared/comment", "/private/a"),
        ),
        b'() "" ("%") RETURN (CHILDREN METADATA (/shared/comment /private/a))',
    ),
    Case(
        LIST_ALL,
        b'(SUBSCRIBED SPECIAL-USE) "" (% {2+}\r\nb*) RETURN (STATUS (SIZE) MYRIGHTS status (SIZE MAILBOXID))',
        _listed(
            "%",
            "b*",
            select=frozenset({ListSelect.SUBSCRIBED, ListSelect.SPECIAL_USE}),
            returns=frozenset({ListReturn.SUBSCRIBED, ListReturn.SPECIAL_USE, ListReturn.MYRIGHTS}),
            status=(StatusItem.SIZE, StatusItem.MAILBOXID),
        ),
        b'(SPECIAL-USE SUBSCRIBED) "" ("%" "b*") '
        b"RETURN (MYRIGHTS SPECIAL-USE SUBSCRIBED STATUS (SIZE MAILBOXID))",
    ),
    # --- CREATE, SELECT, ENABLE, ID ---
    Case(CREATE, b'"a b/"', CreateArguments("a b/")),
    Case(CREATE_USE, b"a (USE (\\Sent))", CreateArguments("a", ("\\Sent",))),
    Case(
        CREATE_USE,
        b"a (use (\\dRAFTS \\Other \\Drafts))",
        CreateArguments("a", ("\\Drafts", "\\Other")),
        b"a (USE (\\Drafts \\Other))",
    ),
    Case(CREATE_USE, b"a (USE ())", CreateArguments("a"), b"a"),
    Case(SELECT, b"inbox", SelectArguments("INBOX"), b"INBOX"),
    Case(CONDSTORE, b"INBOX (condstore)", SelectArguments("INBOX", True), b"INBOX (CONDSTORE)"),
    Case(
        QRESYNC,
        b"INBOX (QRESYNC (67890007 20050715194045000))",
        SelectArguments("INBOX", qresync=QResync(67890007, 20050715194045000)),
    ),
    Case(
        QRESYNC,
        b"INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541))",
        SelectArguments(
            "INBOX",
            qresync=QResync(67890007, 90060115194045000, SequenceSet(((41, 211), (214, 541)))),
        ),
    ),
    Case(
        QRESYNC,
        b"INBOX (QRESYNC (1 1 1:29997 (5000,7500,9000,9990:9992 15000,22500,27000,29970,29973,29976)))",
        SelectArguments(
            "INBOX",
            qresync=QResync(
                1,
                1,
                SequenceSet(((1, 29997),)),
                _sets(  # type: ignore[arg-type]
                    ((5000, 5000), (7500, 7500), (9000, 9000), (9990, 9992)),
                    tuple((each, each) for each in (15000, 22500, 27000, 29970, 29973, 29976)),
                ),
            ),
        ),
    ),
    Case(
        QRESYNC,
        b"INBOX (QRESYNC (1 1 (7 9)))",
        SelectArguments("INBOX", qresync=QResync(1, 1, None, _sets(((7, 7),), ((9, 9),)))),  # type: ignore[arg-type]
    ),
    Case(
        BOTH,
        b"a (QRESYNC (1 2) CONDSTORE)",
        SelectArguments("a", True, QResync(1, 2)),
        b"a (CONDSTORE QRESYNC (1 2))",
    ),
    Case(ENABLE, b"CONDSTORE", ("CONDSTORE",)),
    Case(
        MULTISEARCH,
        b'in (mailboxes "folder1" subtree folder2) return () unseen',
        MultiSearch(
            SearchProgram(
                SearchKey(K.NOT, keys=(SearchKey(K.FLAG, text="\\Seen"),)),
                returns=frozenset({SearchReturn.ALL}),
            ),
            (FolderFilter(Filter.MAILBOXES, ("folder1",)), FolderFilter(Filter.SUBTREE, ("folder2",))),
        ),
        b"IN (MAILBOXES (folder1) SUBTREE (folder2)) NOT SEEN",
    ),
    Case(
        MULTISEARCH,
        b"RETURN (COUNT) ALL",
        MultiSearch(SearchProgram(SearchKey(K.ALL), returns=frozenset({SearchReturn.COUNT}))),
        b"IN (SELECTED) RETURN (COUNT) ALL",
    ),
    Case(NOTIFY, b"NONE", NotifyRequest()),
    Case(
        NOTIFY,
        b"set (Selected none)",
        NotifyRequest((EventGroup(FolderFilter(Filter.SELECTED), frozenset()),)),
        b"SET (SELECTED NONE)",
    ),
    Case(
        NOTIFY,
        b"SET STATUS (SELECTED-DELAYED (MESSAGEEXPUNGE MESSAGENEW (UID FLAGS))) (PERSONAL (MAILBOXNAME))",
        NotifyRequest(
            (
                EventGroup(
                    FolderFilter(Filter.SELECTED_DELAYED),
                    frozenset({"MESSAGENEW", "MESSAGEEXPUNGE"}),
                    items=(F.UID, F.FLAGS),
                ),
                EventGroup(FolderFilter(Filter.PERSONAL), frozenset({"MAILBOXNAME"})),
            ),
            True,
        ),
    ),
    Case(
        NOTIFY,
        b"SET (subtree Lists MessageNew MessageExpunge) (mailboxes (a {1}\r\nb a) (Anything))",
        NotifyRequest(
            (
                EventGroup(
                    FolderFilter(Filter.SUBTREE, ("Lists",)), frozenset({"MESSAGENEW", "MESSAGEEXPUNGE"})
                ),
                EventGroup(FolderFilter(Filter.MAILBOXES, ("a", "b")), frozenset({"ANYTHING"})),
            )
        ),
        b"SET (SUBTREE (Lists) (MESSAGEEXPUNGE MESSAGENEW)) (MAILBOXES (a b) (ANYTHING))",
    ),
    Case(
        NOTIFY,
        b"SET (inboxes (FlagChange MessageNew MessageExpunge)) (subscribed NONE)",
        NotifyRequest(
            (
                EventGroup(
                    FolderFilter(Filter.INBOXES), frozenset({"FLAGCHANGE", "MESSAGENEW", "MESSAGEEXPUNGE"})
                ),
                EventGroup(FolderFilter(Filter.SUBSCRIBED), frozenset()),
            )
        ),
        b"SET (INBOXES (FLAGCHANGE MESSAGEEXPUNGE MESSAGENEW)) (SUBSCRIBED NONE)",
    ),
    Case(
        ENABLE,
        b"imap4rev2 X-y UTF8=ACCEPT x-Y",
        ("IMAP4REV2", "X-Y", "UTF8=ACCEPT"),
        b"IMAP4REV2 X-Y UTF8=ACCEPT",
    ),
    Case(ID, b"NIL", ()),
    Case(ID, b"nil", (), b"NIL"),
    Case(ID, b"()", (), b"NIL"),
    Case(
        ID,
        b'("Name" "a" "version" NIL)',
        ((b"name", b"a"), (b"version", None)),
        b'("name" "a" "version" NIL)',
    ),
    Case(
        ID,
        b'({4+}\r\nname "%b")' % (b"v" * 1024),
        ((b"name", b"v" * 1024),),
        b'("name" {1024}\r\n%b)' % (b"v" * 1024),
    ),
    Case(
        ID,
        b"(%b)" % b" ".join(b'"%d" NIL' % each for each in range(30)),
        tuple((b"%d" % each, None) for each in range(30)),
    ),
    # --- rights ---
    Case(ACL_ENTRY, b"INBOX Fred", AclEntry("INBOX", "Fred")),
    Case(ACL_ENTRY, b'"a b" -Fred', AclEntry("a b", "-Fred")),
    Case(ACL_ENTRY, b"a $team", AclEntry("a", "$team")),
    Case(ACL_ENTRY, "a {2}\r\nü".encode(), AclEntry("a", "ü")),
    Case(SETACL, b"INBOX Chris +cda", SetAcl("INBOX", "Chris", RightsMode.ADD, "cda")),
    Case(SETACL, b"INBOX Chris -l", SetAcl("INBOX", "Chris", RightsMode.REMOVE, "l")),
    Case(SETACL, b"INBOX Chris lrs", SetAcl("INBOX", "Chris", RightsMode.REPLACE, "lrs")),
    Case(SETACL, b'a b ""', SetAcl("a", "b", RightsMode.REPLACE, "")),
    Case(SETACL, b'a b "+"', SetAcl("a", "b", RightsMode.ADD, ""), b"a b +"),
    Case(SETACL, b"a b {5}\r\n+ll0l", SetAcl("a", "b", RightsMode.ADD, "l0"), b"a b +l0"),
    # --- quota ---
    Case(QUOTA_ROOT, b'""', ""),
    Case(QUOTA_ROOT, b'"!partition/sda4"', "!partition/sda4", b"!partition/sda4"),
    Case(QUOTA_ROOT, b"#user/alice", "#user/alice"),
    Case(
        SETQUOTA,
        b'"#user/alice" (STORAGE 510)',
        SetQuota("#user/alice", (("STORAGE", 510),)),
        b"#user/alice (STORAGE 510)",
    ),
    Case(SETQUOTA, b'"" ()', SetQuota("", ())),
    Case(
        SETQUOTA,
        b"a (storage 0 ANNOTATION-STORAGE 9223372036854775807)",
        SetQuota("a", (("STORAGE", 0), ("ANNOTATION-STORAGE", MAX_NUMBER64))),
        b"a (STORAGE 0 ANNOTATION-STORAGE 9223372036854775807)",
    ),
    # --- annotations ---
    Case(GETMETADATA, b'"" /shared/comment', GetMetadata("", ("/shared/comment",)), b'"" (/shared/comment)'),
    Case(
        GETMETADATA,
        b'inbox (/shared/COMMENT "/private/comment" /Shared/Comment)',
        GetMetadata("INBOX", ("/shared/comment", "/private/comment")),
        b"INBOX (/shared/comment /private/comment)",
    ),
    Case(
        GETMETADATA,
        b"(DEPTH 1) INBOX (/private/filters/values)",
        GetMetadata("INBOX", ("/private/filters/values",), Depth.ONE),
    ),
    Case(
        GETMETADATA,
        b"INBOX (maxsize 1024 depth Infinity) /shared",
        GetMetadata("INBOX", ("/shared",), Depth.INFINITY, 1024),
        b"(MAXSIZE 1024 DEPTH infinity) INBOX (/shared)",
    ),
    Case(
        GETMETADATA,
        b"INBOX (DEPTH 0) ({14}\r\n/shared/vendor)",
        GetMetadata("INBOX", ("/shared/vendor",)),
        b"INBOX (/shared/vendor)",
    ),
    Case(GETMETADATA, b'a "/shared/a b!"', GetMetadata("a", ("/shared/a b!",)), b'a ("/shared/a b!")'),
    Case(SETMETADATA, b"INBOX (/private/comment NIL)", SetMetadata("INBOX", (("/private/comment", None),))),
    Case(
        SETMETADATA,
        b'INBOX (/private/comment {4}\r\na\r\nb /Shared/comment "b")',
        SetMetadata("INBOX", (("/private/comment", b"a\r\nb"), ("/shared/comment", b"b"))),
        b'INBOX (/private/comment {4}\r\na\r\nb /shared/comment "b")',
    ),
    Case(
        SETMETADATA,
        b'"" (/shared/vendor/token/x ~{2}\r\na\x00)',
        SetMetadata("", (("/shared/vendor/token/x", b"a\0"),)),
    ),
    Case(
        SETMETADATA,
        b'"" (/shared/vendor/token/x ~{2+}\r\n\xff\xff)',
        SetMetadata("", (("/shared/vendor/token/x", b"\xff\xff"),)),
        b'"" (/shared/vendor/token/x {2}\r\n\xff\xff)',
    ),
    Case(
        SETMETADATA_UTF8,
        '"ü" (/shared/comment "ü" /shared/b ~{2}\r\nü)'.encode(),
        SetMetadata("ü", (("/shared/comment", "ü".encode()), ("/shared/b", "ü".encode()))),
        '"ü" (/shared/comment "ü" /shared/b "ü")'.encode(),
    ),
    # --- words ---
    Case(OBJECTID, b"aZ09_-", "aZ09_-"),
    Case(OBJECTID, b"a" * 255, "a" * 255),
    Case(NSTRING8, b"NIL", None),
    Case(NSTRING8, b"~{0}\r\n", b"", b'""'),
    Case(NSTRING8, b"~{1}\r\n\x00", b"\0"),
    Case(NSTRING8, b"~{3}\r\n~{1", b"~{1", b'"~{1"'),
    Case(MODSEQ, b"1", 1),
    Case(MODSEQ, b"9223372036854775807", MAX_NUMBER64),
    Case(MODSEQ_ZERO, b"0", 0),
    Case(KNOWN_SET, b"1,3:5,9:7", SequenceSet(((1, 1), (3, 5), (9, 7)))),
]

_BAD = {
    SEARCH_PARTIAL: [
        b"RETURN (PARTIAL) ALL",
        b"RETURN (PARTIAL 1) ALL",
        b"RETURN (PARTIAL 0:1) ALL",
        b"RETURN (PARTIAL 1:*) ALL",
        b"RETURN (PARTIAL -1:1) ALL",
        b"RETURN (PARTIAL 1:4294967296) ALL",
        b"RETURN (PARTIAL 1:12345678901) ALL",
        b"RETURN (PARTIAL 1:2 ALL) ALL",
        b"RETURN (PARTIAL 1:2 PARTIAL 1:2) ALL",
    ],
    PARTIAL: [b" (PARTIAL)", b" (PARTIAL 1)", b" (PARTIAL 1:2 PARTIAL 1:2)", b" (PARTIAL 01:2)"],
    BINARY: [
        b"BINARY",
        b"(BINARY)",
        b"BINARY[TEXT]",
        b"BINARY[1.MIME]",
        b"BINARY[1.]",
        b"BINARY[0]",
        b"BINARY[1",
        b"BINARY[1]<0>",
        b"BINARY[1]<0.0>",
        b"BINARY.SIZE[1]<0.5>",
        b"BINARY.SIZE",
        b"BINARY.PEEK",
        b"BINARY.PEEK.SIZE[1]",
    ],
    PREVIEW: [
        b"PREVIEW ()",
        b"PREVIEW (FUZZY)",
        b"(PREVIEW (FUZZY))",
        b"PREVIEW  (LAZY)",
        b"(PREVIEW(LAZY))",
    ],
    CHANGED_SINCE: [
        b" ",
        b"(CHANGEDSINCE 1)",
        b" ()",
        b" (CHANGEDSINCE)",
        b" (CHANGEDSINCE 0)",
        b" (CHANGEDSINCE 9223372036854775808)",
        b" (CHANGEDSINCE 1 CHANGEDSINCE 1)",
        b" (CHANGEDSINCE 1",
        b" CHANGEDSINCE 1",
        b" (CHANGEDSINCE 1 VANISHED)",
        b" (UNCHANGEDSINCE 1)",
    ],
    VANISHED: [b" (VANISHED)", b" (CHANGEDSINCE 1 VANISHED VANISHED)", b" (VANISHED 1 CHANGEDSINCE 1)"],
    _fetchModifiers(False, E.CONDSTORE, E.QRESYNC): [b" (CHANGEDSINCE 1 VANISHED)"],
    UNCHANGED_SINCE: [
        b" ()",
        b" (UNCHANGEDSINCE)",
        b" (UNCHANGEDSINCE -1)",
        b" (UNCHANGEDSINCE 1 UNCHANGEDSINCE 1)",
        b" (CHANGEDSINCE 1)",
        b"(UNCHANGEDSINCE 1)",
        b"  (UNCHANGEDSINCE 1)",
    ],
    RESULT: [b"$,1", b"1,$", b"$:1", b"1:$", b"$$", b"$1"],
    SEARCH_RETURN: [
        b"RETURN",
        b"RETURN ()",
        b"RETURN () ",
        b"RETURN ALL ALL",
        b"RETURN (MEDIAN) ALL",
        b"RETURN (SAVE) ALL",
        b"RETURN (MIN) RETURN (MAX) ALL",
        b"CHARSET utf-8 RETURN (MIN) ALL",
        b"RETURN (MIN MAX ALL",
    ],
    SEARCH_RESULT: [b"$,1", b"UID $,1", b"KEYWORD", b"$ALL"],
    SEARCH_MODSEQ: [
        b"MODSEQ",
        b"MODSEQ a",
        b"MODSEQ 9223372036854775808",
        b'MODSEQ "/flags/a"',
        b'MODSEQ "/flags/a" 1',
        b'MODSEQ "/flags/a" all',
        b'MODSEQ "/flags/a" none 1',
        b'MODSEQ "/flags/" all 1',
        b'MODSEQ "/flag/a" all 1',
        b'MODSEQ "/flags/a b" all 1',
        b"MODSEQ /flags/a all 1",
    ],
    SEARCH_WITHIN: [b"OLDER", b"OLDER 0", b"YOUNGER -1", b"YOUNGER 4294967296"],
    SEARCH_SAVEDATE: [b"SAVEDON", b"SAVEDON 30-Feb-2024", b"SAVEDATESUPPORTED ", b"SAVEDATE"],
    SEARCH_OBJECTID: [b"EMAILID", b'EMAILID "a"', b"THREADID a.b", b"EMAILID " + b"a" * 256],
    SORT_RETURN: [
        b"RETURN (SUBJECT) utf-8 ALL",
        b"RETURN (SAVE) (SUBJECT) utf-8 ALL",
        b"RETURN (SUBJECT) (SUBJECT) utf-8 ALL",
        b"RETURN(MIN) (SUBJECT) utf-8 ALL",
        b"RETURNS (MIN) (SUBJECT) utf-8 ALL",
    ],
    SORT: [
        b"",
        b"()",
        b"() utf-8 ALL",
        b"(SUBJECT)",
        b"(SUBJECT) utf-8",
        b"(SUBJECT) utf-8 ",
        b"(SUBJECT) nonsense ALL",
        b"(REVERSE) utf-8 ALL",
        b"(REVERSE REVERSE DATE) utf-8 ALL",
        b"(COLOUR) utf-8 ALL",
        b"SUBJECT utf-8 ALL",
        b"(SUBJECT) utf-8 ALL)",
        b"(SUBJECT) us-ascii TEXT {1}\r\n\xff",
    ],
    THREAD: [
        b"",
        b"REFERENCES",
        b"REFERENCES utf-8",
        b"REFERENCES ALL",
        b"NONSENSE utf-8 ALL",
        b"REFERENCES utf-8 ALL ",
    ],
    LIST: [b'() "" %', b'"" (%)', b'"" % RETURN ()', b'"" % ', b'""'],
    LIST_EXTENDED: [
        b"",
        b'(SUBSCRIBED)"" %',
        b'(NONSENSE) "" %',
        b'(RECURSIVEMATCH) "" %',
        b'(REMOTE RECURSIVEMATCH) "" %',
        b'(SPECIAL-USE) "" %',
        b'(SUBSCRIBED "" %',
        b'"" ()',
        b'"" (%',
        b'"" (% )',
        b'"" % RETURN',
        b'"" % RETURN CHILDREN',
        b'"" % RETURN (NONSENSE)',
        b'"" % RETURN (MYRIGHTS)',
        b'"" % RETURN (SPECIAL-USE)',
        b'"" % RETURN (STATUS (SIZE))',
        b'"" % RETURN (RECURSIVEMATCH)',
        b'"" % (CHILDREN)',
        b'"" % RETURN () RETURN ()',
        b'"" (%s)' % b" ".join([b"%"] * 101),
    ],
    LIST_SPECIAL_USE: [b'(SPECIAL-USE RECURSIVEMATCH) "" %'],
    LIST_METADATA: [
        b'"" % RETURN (METADATA)',
        b'"" % RETURN (METADATA ())',
        b'"" % RETURN (METADATA (comment))',
        b'"" % RETURN (METADATA (/shared/a*))',
        b'"" % RETURN (METADATA (DEPTH 1) (/shared/a))',
        b'"" % RETURN (METADATA (/shared/a)',
        b'(METADATA (/shared/a)) "" %',
    ],
    LIST_STATUS: [
        b'"" % RETURN (STATUS)',
        b'"" % RETURN (STATUS ())',
        b'"" % RETURN (STATUS SIZE)',
        b'"" % RETURN (STATUS (MAILBOXID))',
    ],
    CREATE: [b"", b"a ", b"a b", b"a ()", b"a (USE (\\Sent))"],
    CREATE_USE: [
        b"a (USE)",
        b"a (USE \\Sent)",
        b"a (USE (Sent))",
        b"a (USE (\\))",
        b"a (USE (\\Sent) USE (\\Sent))",
        b"a (FOR (\\Sent))",
        b"a(USE (\\Sent))",
    ],
    SELECT: [b"", b"a ", b"a b", b"a ()", b"a (CONDSTORE)", b"a (QRESYNC (1 1))"],
    CONDSTORE: [
        b"a (CONDSTORE",
        b"a (CONDSTORE 1)",
        b"a (CONDSTORE CONDSTORE)",
        b"a CONDSTORE",
        b"a (QRESYNC (1 1))",
    ],
    QRESYNC: [
        b"a (QRESYNC)",
        b"a (QRESYNC ())",
        b"a (QRESYNC (1))",
        b"a (QRESYNC (0 1))",
        b"a (QRESYNC (1 0))",
        b"a (QRESYNC (4294967296 1))",
        b"a (QRESYNC (1 9223372036854775808))",
        b"a (QRESYNC (1 1 ))",
        b"a (QRESYNC (1 1 *))",
        b"a (QRESYNC (1 1 1:*))",
        b"a (QRESYNC (1 1 1:2 3:4))",
        b"a (QRESYNC (1 1 1:2 (1)))",
        b"a (QRESYNC (1 1 1:2 (1 2) (1 2)))",
        b"a (QRESYNC (1 1 (1 *)))",
        b"a (QRESYNC (1 1 (1:2 1)))",
        b"a (QRESYNC (1 1 (2,1 1,2)))",
        b"a (QRESYNC (1 1 (1,2 2:1)))",
        b"a (QRESYNC (1 1 (1:2,2 1:3)))",
        b"a (QRESYNC 1 1)",
        b"a (QRESYNC (1 1)",
    ],
    _select(E.QRESYNC, E.SEARCHRES): [b"a (QRESYNC (1 1 $))"],
    MULTISEARCH: [
        b"",
        b"IN",
        b"IN (personal)",
        b"IN () ALL",
        b"IN personal ALL",
        b"IN (selected-delayed) ALL",
        b"IN (nobody) ALL",
        b"IN (subtree) ALL",
        b"IN (subtree-one ()) ALL",
        b"IN (personal (DEPTH 1)) ALL",
        b"IN (personal ) ALL",
        b"IN (personal)  ALL",
        b"IN (personal) RETURN (SAVE) ALL",
        b"RETURN (COUNT)",
    ],
    NOTIFY: [
        b"",
        b"SET",
        b"SET STATUS",
        b"SET STATUS STATUS (personal NONE)",
        b"NONE (personal NONE)",
        b"SOME (personal NONE)",
        b"SET personal NONE",
        b"SET ()",
        b"SET (personal)",
        b"SET (personal ())",
        b"SET (nobody (MailboxName))",
        b"SET (personal (MailboxName) )",
        b"SET (personal (MailboxName)) ",
        b"SET (subtree (MailboxName))",
        b"SET (mailboxes () (MailboxName))",
        b"SET (selected (MessageNew))",
        b"SET (selected (MessageExpunge))",
        b"SET (personal (FlagChange))",
        b"SET (personal (AnnotationChange))",
        b"SET (selected (MailboxName))",
        b"SET (selected (MessageNew () MessageExpunge))",
        b"SET (selected (MessageNew (nothing) MessageExpunge))",
        b"SET (selected (MessageNew (UID MessageExpunge)))",
        b"SET (personal (MessageNew (UID) MessageExpunge))",
        b"SET (selected NONE) (selected NONE)",
        b"SET (selected NONE) (selected-delayed NONE)",
    ],
    ENABLE: [b"", b"a  b", b"(a)", b'"a"', b"a "],
    ID: [
        b"",
        b"a",
        b'"a"',
        b'("a")',
        b'("a" "b" "c")',
        b'(a "b")',
        b'("a" b)',
        b'("a" "b" "A" "c")',
        b"(NIL NIL)",
        b'("%b" NIL)' % (b"a" * 31),
        b'("a" "%b")' % (b"v" * 1025),
        b"(%b)" % b" ".join(b'"%d" NIL' % each for each in range(31)),
        b'("a" NIL',
    ],
    ACL_ENTRY: [b"", b"a", b'a ""', b"a (b)", b'a "\xff"', b"a " + b"b" * 8193],
    SETACL: [b"a b", b"a b c d", b"a b L", b"a b +-l", b"a b l+", b'a b "l r"', "a b ü".encode()],
    QUOTA_ROOT: [b"", b"(a)", b'"\xff"'],
    SETQUOTA: [
        b"a",
        b"a STORAGE 1",
        b"a (STORAGE)",
        b"a (STORAGE -1)",
        b"a (STORAGE 9223372036854775808)",
        b"a (STORAGE 1 storage 2)",
        b'a ("STORAGE" 1)',
        b"a (STORAGE 1",
    ],
    GETMETADATA: [
        b"",
        b"a",
        b"a ()",
        b"a (MAXSIZE 1)",
        b"(MAXSIZE 1) a",
        b"(MAXSIZE) a /shared/x",
        b"(MAXSIZE 4294967296) a /shared/x",
        b"(DEPTH 2) a /shared/x",
        b"(DEPTH 1 DEPTH 1) a /shared/x",
        b"(DEPTH 1) a (DEPTH 1) /shared/x",
        b"(WIDTH 1) a /shared/x",
        b"a /comment",
        b"a shared/comment",
        b"a /sharedcomment",
        b"a /shared/",
        b"a /shared//x",
        b"a /shared/x/",
        b'a "/shared/*"',
        b'a "/shared/%"',
        b"a {9}\r\n/shared/\x7f",
        b"a {9}\r\n/shared/\x1f",
        "a {10}\r\n/shared/ü".encode(),
        b"a /shared/" + b"x" * 8192,
        b"a (/shared/x /shared/y",
    ],
    SETMETADATA_UTF8: [b'a (/shared/x "\xff")'],
    SETMETADATA: [
        b"",
        b"a",
        b"a ()",
        b"a /shared/x NIL",
        b"a (/shared/x)",
        b"a (/shared/x NILL)",
        b"a (/shared/x value)",
        b"a (/shared NIL)",
        b"a (/shared/vendor NIL)",
        b"a (/private/vendor/token NIL)",
        b"a (/shared/x NIL /SHARED/X NIL)",
        b"a (/shared/x {1}\r\n\x00)",
        b"a (/shared/x NIL",
    ],
    OBJECTID: [b"", b"a" * 256, b"a.b", b"\xc3\xbc", b'"a"'],
    NSTRING8: [b"", b"~", b"~{", b'~"a"', b"{1}\r\n\x00", b"a"],
    MODSEQ: [b"", b"0", b"000", b"-1", b"9223372036854775808"],
    MODSEQ_ZERO: [b"", b"-1", b"9223372036854775808"],
    KNOWN_SET: [b"", b"*", b"1:*", b"$"],
}

BAD_CASES = [BadCase(production, wire) for production, wires in _BAD.items() for wire in wires]
