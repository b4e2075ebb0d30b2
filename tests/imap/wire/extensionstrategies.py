"""
Hypothesis strategies for what extensions add, with the productions that it belongs to.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from mailstore.imap.wire.acl import AclEntry, RightsMode, SetAcl
from mailstore.imap.wire.condstore import FetchModifiers, StoreModifiers
from mailstore.imap.wire.createargs import SPECIAL_USES, CreateArguments
from mailstore.imap.wire.esearch import SearchResult
from mailstore.imap.wire.extensions import EVERY_EXTENSION
from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.listextended import ListRequest, ListReturn, ListSelect
from mailstore.imap.wire.metadata import Depth, GetMetadata, SetMetadata
from mailstore.imap.wire.partial import PartialResult
from mailstore.imap.wire.quota import QuotaResource, SetQuota
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.selectargs import QResync, SelectArguments
from mailstore.imap.wire.sortargs import SortArguments, SortCriterion, SortKey
from mailstore.imap.wire.threadargs import ThreadAlgorithm, ThreadArguments, ThreadNode
from mailstore.imap.wire.values import (
    MAX_NUMBER,
    MAX_NUMBER64,
    FetchData,
    FetchItems,
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
from tests.imap.wire import extensioncases as commands
from tests.imap.wire import responsecases as responses
from tests.imap.wire.encoding import encodeFetchItems, encodeSearch
from tests.imap.wire.production import Production
from tests.imap.wire.strategies import (
    atoms,
    date_times,
    days,
    fetch_data,
    fetchSections,
    mailboxes,
    names,
    numbers64,
    nz_numbers,
    search_leaves,
    searchKeys,
    strings,
    texts,
)

#: A production and a value of it.
Example = tuple[Production, Any]

FETCH = Production("fetch", readFetchItems, encodeFetchItems, extensions=EVERY_EXTENSION)
SEARCH = Production("search", readSearch, encodeSearch, extensions=EVERY_EXTENSION)

mod_sequences = st.integers(1, MAX_NUMBER64)
object_ids = st.from_regex(r"[A-Za-z0-9_-]{1,255}", fullmatch=True)
any_bytes = strings | st.binary()
visible = names.filter(lambda name: "\0" not in name)
patterns = visible
rights = st.lists(st.sampled_from("lrswipkxtea0n"), unique=True, max_size=6).map("".join)
words = atoms.map(str.upper)

#: Ranges, ascending and apart.
ranges = st.lists(st.integers(1, 4_000_000), min_size=1, max_size=12, unique=True).map(
    lambda ends: tuple(
        (low * 2, low * 2 + gap % 2)
        for low, gap in zip(sorted(ends), ends, strict=True)
        if low * 2 < MAX_NUMBER
    )
)
known_sets = st.lists(st.tuples(nz_numbers, nz_numbers), min_size=1, max_size=6).map(
    lambda pairs: SequenceSet(tuple(pairs))
)


def _sample(pairs: list[int]) -> tuple[SequenceSet, SequenceSet]:
    numbers = sorted(pairs)
    return (
        SequenceSet(tuple((each, each) for each in numbers)),
        SequenceSet(tuple((each + at, each + at) for at, each in enumerate(numbers))),
    )


samples = st.lists(st.integers(1, 100_000), min_size=1, max_size=8, unique=True).map(_sample)

status_items = st.lists(st.sampled_from(StatusItem), unique=True, max_size=4).map(tuple)


def _fetchItems(items: list[FetchData | FetchSection]) -> FetchItems:
    """
    PREVIEW in one form only.
    """
    lazy = FetchData.PREVIEW in items
    return tuple(item for item in items if not (lazy and item is FetchData.PREVIEW_LAZY))


@st.composite
def _binarySections(draw: st.DrawFn) -> FetchSection:
    part = tuple(draw(st.lists(nz_numbers, max_size=4)))
    form = draw(st.sampled_from([SectionForm.DECODED, SectionForm.DECODED_SIZE]))
    label = b"%b[%b]" % (form.value.encode(), ".".join(map(str, part)).encode())
    if form is SectionForm.DECODED_SIZE:
        return FetchSection(label, part=part, peek=True, form=form)
    partial = draw(st.none() | st.tuples(numbers64, st.integers(1, MAX_NUMBER64)))
    if partial is not None:
        label += b"<%d>" % partial[0]
    return FetchSection(label, part=part, partial=partial, peek=draw(st.booleans()), form=form)


_extended_data = st.sampled_from(
    [FetchData.EMAILID, FetchData.THREADID, FetchData.SAVEDATE, FetchData.PREVIEW, FetchData.PREVIEW_LAZY]
)
fetch_items = st.lists(
    _extended_data | _binarySections() | fetch_data | fetchSections(), min_size=1, max_size=6, unique=True
).map(_fetchItems)

_saved = SequenceSet((), saved=True)
_leaves = st.one_of(
    search_leaves,
    st.sampled_from(
        [
            SearchKey(SearchKind.SEQUENCE, sequence=_saved),
            SearchKey(SearchKind.UID, sequence=_saved),
            SearchKey(SearchKind.SAVEDATESUPPORTED),
        ]
    ),
    st.builds(SearchKey, st.sampled_from([SearchKind.OLDER, SearchKind.YOUNGER]), number=nz_numbers),
    st.builds(
        SearchKey,
        st.sampled_from([SearchKind.SAVEDBEFORE, SearchKind.SAVEDON, SearchKind.SAVEDSINCE]),
        number=days,
    ),
    st.builds(SearchKey, st.sampled_from([SearchKind.EMAILID, SearchKind.THREADID]), text=object_ids),
    st.builds(SearchKey, st.just(SearchKind.MODSEQ), number=numbers64),
    st.builds(
        SearchKey,
        st.just(SearchKind.MODSEQ),
        text=atoms | st.just("\\Seen"),
        field=st.sampled_from(["priv", "shared", "all"]),
        number=numbers64,
    ),
)
_keys = searchKeys(_leaves)
_whole_returns = st.sampled_from([each for each in SearchReturn if each is not SearchReturn.PARTIAL])
_returns = st.none() | st.frozensets(_whole_returns, min_size=1)
_charsets = st.sampled_from(["", "utf-8"])
partial_ranges = st.builds(PartialRange, nz_numbers, nz_numbers, st.booleans())
_partial_returns = st.frozensets(
    _whole_returns.filter(lambda each: each is not SearchReturn.ALL), max_size=3
).map(lambda options: options | {SearchReturn.PARTIAL})
search_programs = st.builds(SearchProgram, _keys, _charsets, _returns) | st.builds(
    SearchProgram, _keys, _charsets, _partial_returns, partial_ranges
)
criteria_programs = st.builds(SearchProgram, _keys, st.sampled_from(["utf-8", "GB18030"]))

_components = st.lists(st.from_regex(r"[a-z !#$'(){\\\"~.]{1,8}", fullmatch=True), min_size=1, max_size=3)
entries = st.builds(
    lambda scope, parts: "/".join((scope, *parts)),
    st.sampled_from(["/shared", "/private", "/shared/vendor/token"]),
    _components.filter(lambda parts: parts[0] != "vendor"),
)


@st.composite
def _listRequests(draw: st.DrawFn) -> ListRequest:
    reference = draw(mailboxes)
    if draw(st.booleans()):
        return ListRequest(reference, (draw(patterns),))
    select = draw(st.frozensets(st.sampled_from(ListSelect)))
    if ListSelect.RECURSIVEMATCH in select:
        select |= {ListSelect.SUBSCRIBED}
    returns = draw(st.frozensets(st.sampled_from(ListReturn)))
    returns |= {ListReturn(each.value) for each in select if each.value in ("SUBSCRIBED", "SPECIAL-USE")}
    found = tuple(draw(st.lists(patterns, min_size=1, max_size=4)))
    annotations = tuple(draw(st.lists(entries, max_size=3, unique=True)))
    return ListRequest(reference, found, select, returns, draw(status_items), annotations, True)


list_requests = _listRequests()

creates = st.builds(
    CreateArguments,
    mailboxes,
    st.lists(st.sampled_from([*SPECIAL_USES, "\\Other"]), unique=True, max_size=3).map(tuple),
)
qresyncs = st.builds(QResync, nz_numbers, mod_sequences, st.none() | known_sets, st.none() | samples)
selects = st.builds(SelectArguments, mailboxes, st.booleans(), st.none() | qresyncs)
sorts = st.builds(
    SortArguments,
    st.lists(
        st.builds(SortCriterion, st.sampled_from(SortKey), st.booleans()),
        min_size=1,
        max_size=4,
        unique_by=lambda criterion: criterion.key,
    ).map(tuple),
    criteria_programs,
)
threads = st.builds(ThreadArguments, st.sampled_from(ThreadAlgorithm), criteria_programs)
identifiers = texts.filter(bool)
set_acls = st.builds(SetAcl, mailboxes, identifiers, st.sampled_from(RightsMode), rights)
limits = st.lists(st.tuples(words, numbers64), unique_by=lambda limit: limit[0], max_size=4).map(tuple)

get_metadata = st.builds(
    GetMetadata,
    mailboxes,
    st.lists(entries, min_size=1, max_size=4, unique=True).map(tuple),
    st.sampled_from(Depth),
    st.none() | st.integers(0, MAX_NUMBER),
)
set_metadata = st.builds(
    SetMetadata,
    mailboxes,
    st.lists(
        st.tuples(entries, st.none() | any_bytes), min_size=1, max_size=4, unique_by=lambda each: each[0]
    ).map(tuple),
)
id_params = st.lists(
    st.tuples(
        st.binary(max_size=30).map(lambda data: data.replace(b"\0", b"").lower()),
        st.none() | st.binary(max_size=99).map(lambda data: data.replace(b"\0", b"")),
    ),
    max_size=5,
    unique_by=lambda pair: pair[0],
).map(tuple)


def _example(production: Production, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Example]:
    return st.tuples(st.just(production), values)


COMMANDS: st.SearchStrategy[Example] = st.one_of(
    _example(FETCH, fetch_items),
    _example(
        commands.VANISHED,
        st.just(FetchModifiers()) | st.builds(FetchModifiers, mod_sequences, st.booleans()),
    ),
    _example(commands.PARTIAL, st.builds(FetchModifiers, partial=st.none() | partial_ranges)),
    _example(commands.UNCHANGED_SINCE, st.builds(StoreModifiers, st.none() | numbers64)),
    _example(SEARCH, search_programs),
    _example(Production("sort", commands.SORT.read, commands.SORT.write, extensions=EVERY_EXTENSION), sorts),
    _example(
        Production("thread", commands.THREAD.read, commands.THREAD.write, extensions=EVERY_EXTENSION), threads
    ),
    _example(
        Production("list", commands.LIST.read, commands.LIST.write, extensions=EVERY_EXTENSION), list_requests
    ),
    _example(commands.CREATE_USE, creates),
    _example(commands.BOTH, selects),
    _example(commands.ENABLE, st.lists(words, min_size=1, max_size=5, unique=True).map(tuple)),
    _example(commands.ACL_ENTRY, st.builds(AclEntry, mailboxes, identifiers)),
    _example(commands.SETACL, set_acls),
    _example(commands.QUOTA_ROOT, texts),
    _example(commands.SETQUOTA, st.builds(SetQuota, texts, limits)),
    _example(commands.GETMETADATA, get_metadata),
    _example(commands.SETMETADATA, set_metadata),
    _example(commands.ID, id_params),
    _example(commands.NSTRING8, st.none() | any_bytes),
)


@st.composite
def _threadNodes(draw: st.DrawFn) -> tuple[ThreadNode, ...]:
    """
    Messages at depths one can have after another; some first ones are not there.
    """
    nodes: list[ThreadNode] = []
    depth = -1
    for number, step in enumerate(draw(st.lists(st.integers(0, 3), max_size=15)), 1):
        depth = max(depth + 1 - step, 0)
        if not depth and draw(st.booleans()):
            nodes += [(0, 0), (1, number), (1, number + 100)]
            depth = 1
        else:
            nodes.append((depth, number))
    return tuple(nodes)


numbers_found = st.lists(nz_numbers, max_size=9).map(tuple)


@st.composite
def _found(draw: st.DrawFn) -> Any:
    numbers = draw(numbers_found)
    return numbers, draw(st.none() | mod_sequences) if numbers else None


results = st.builds(
    SearchResult,
    st.none() | nz_numbers,
    st.none() | nz_numbers,
    st.just(()) | ranges,
    st.none() | st.integers(0, MAX_NUMBER),
    st.none() | mod_sequences,
    st.none() | st.builds(PartialResult, partial_ranges, st.just(()) | ranges),
)
tags = st.from_regex(rb"[A-Za-z0-9.\]\[&'=-]{1,12}", fullmatch=True)
resources = st.lists(st.builds(QuotaResource, words, numbers64, numbers64), max_size=4).map(tuple)
status_values = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([StatusItem.UNSEEN, StatusItem.SIZE]), numbers64),
        st.tuples(st.just(StatusItem.MAILBOXID), object_ids),
        st.tuples(st.just(StatusItem.APPENDLIMIT), st.none() | numbers64),
    ),
    max_size=4,
).map(tuple)
list_lines = st.tuples(
    mailboxes,
    st.sampled_from([b"", b"\\HasChildren", b"\\NonExistent \\Subscribed"]),
    st.sampled_from([None, "/", '"', "\\"]),
    st.sampled_from([(), (ListSelect.SUBSCRIBED,), (ListSelect.SPECIAL_USE, ListSelect.SUBSCRIBED)]),
    st.none() | mailboxes,
)
values = st.lists(st.tuples(entries, st.none() | any_bytes), min_size=1, max_size=4).map(tuple)
acl_entries = st.lists(st.tuples(texts, rights), max_size=4).map(tuple)

RESPONSES: st.SearchStrategy[Example] = st.one_of(
    _example(responses.LIST, list_lines),
    _example(responses.LIST_UTF8, list_lines),
    _example(responses.STATUS, st.tuples(mailboxes, status_values)),
    _example(responses.ESEARCH, st.tuples(tags, st.booleans(), results)),
    _example(responses.SEARCH, _found()),
    _example(responses.SORT, _found()),
    _example(responses.THREAD, _threadNodes()),
    _example(responses.VANISHED, st.tuples(ranges, st.booleans())),
    _example(responses.ENABLED, st.lists(words, max_size=4).map(tuple)),
    _example(responses.ACL, st.tuples(mailboxes, acl_entries)),
    _example(responses.ACL_UTF8, st.tuples(mailboxes, acl_entries)),
    _example(
        responses.LISTRIGHTS, st.tuples(mailboxes, texts, rights, st.lists(rights, max_size=3).map(tuple))
    ),
    _example(responses.MYRIGHTS, st.tuples(mailboxes, rights)),
    _example(responses.QUOTA, st.tuples(texts, resources)),
    _example(responses.QUOTAROOT, st.tuples(mailboxes, st.lists(texts, max_size=3).map(tuple))),
    _example(responses.METADATA, st.tuples(mailboxes, values)),
    _example(responses.METADATA_UTF8, st.tuples(mailboxes, values)),
    _example(
        responses.METADATA_CHANGED,
        st.tuples(mailboxes, st.lists(entries, min_size=1, max_size=4).map(tuple)),
    ),
    _example(responses.ID, id_params),
    _example(
        responses.FETCH,
        st.one_of(
            st.tuples(st.just("MODSEQ"), mod_sequences),
            st.tuples(st.just("EMAILID"), object_ids),
            st.tuples(st.just("THREADID"), st.none() | object_ids),
            st.tuples(st.just("SAVEDATE"), st.none() | date_times),
            st.tuples(st.just("PREVIEW"), st.none() | visible),
            st.tuples(st.just(b"BINARY[1.2]<5>"), st.none() | any_bytes),
            st.tuples(st.just(b"BINARY.SIZE[]"), numbers64),
        ),
    ),
)
