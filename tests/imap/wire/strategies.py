"""
Hypothesis strategies for the values of L{mailstore.imap.wire.values}, as they come out of the reader.
"""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mailstore.imap.wire import writer
from mailstore.imap.wire.values import (
    MAX_NUMBER,
    MAX_NUMBER64,
    AppendArguments,
    AppendMessage,
    CatenatePart,
    FetchData,
    FetchItems,
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

#: The same examples in every run, without files.
examples = settings(
    max_examples=100,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

#: For what is of many kinds.
moreExamples = settings(examples, max_examples=200)

ATOM_CHARS = "".join(chr(each) for each in range(0x21, 0x7F) if chr(each) not in '(){%*"\\]')

names = st.text(st.characters(exclude_categories=["Cs"]))
#: Bytes of a string; long ones, which have to be literals, among them.
strings = st.binary().map(lambda data: data.replace(b"\0", b"")) | st.binary(max_size=3).map(
    lambda data: data.replace(b"\0", b"a") * 400
)
texts = names.map(lambda text: text.replace("\0", ""))
atoms = st.text(ATOM_CHARS, min_size=1, max_size=12)
fields = st.text([chr(each) for each in range(33, 127) if each != 58], min_size=1, max_size=12)
flags = atoms | st.sampled_from(["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "\\Other"])
#: What reads the same however it is written; every spelling of INBOX is one name.
mailboxes = names.filter(lambda name: "\0" not in name and (name.upper() != "INBOX" or name == "INBOX"))

numbers = st.integers(0, MAX_NUMBER)
nz_numbers = st.integers(1, MAX_NUMBER)
numbers64 = st.integers(0, MAX_NUMBER64)
sequence_sets = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8).map(
    lambda ranges: SequenceSet(tuple(ranges))
)

days = st.integers(date(1, 1, 1).toordinal(), date(9999, 12, 31).toordinal())
zones = st.integers(-23 * 60 - 59, 23 * 60 + 59)
date_times = st.tuples(st.integers(-60_000_000_000, 250_000_000_000), zones)


@st.composite
def fetchSections(draw: st.DrawFn) -> FetchSection:
    """
    C{BODY[...]} of any kind.
    """
    part = tuple(draw(st.lists(nz_numbers, max_size=4)))
    text = draw(st.sampled_from([each for each in SectionText if part or each is not SectionText.MIME]))
    names: tuple[str, ...] = ()
    spec = ".".join([*map(str, part), text.value] if text.value else map(str, part)).encode()
    if text in (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT):
        names = tuple(draw(st.lists(fields, min_size=1, max_size=4)))
        spec += b" (%b)" % b" ".join(writer.astring(each.encode()) for each in names)
    partial = draw(st.none() | st.tuples(numbers64, st.integers(1, MAX_NUMBER64)))
    label = b"BODY[%b]" % spec + (b"" if partial is None else b"<%d>" % partial[0])
    return FetchSection(label, text, part, names, partial, draw(st.booleans()))


#: Without extensions.
fetch_data = st.sampled_from(
    [
        FetchData.UID,
        FetchData.FLAGS,
        FetchData.INTERNALDATE,
        FetchData.RFC822_SIZE,
        FetchData.ENVELOPE,
        FetchData.BODY,
        FetchData.BODYSTRUCTURE,
        FetchData.MODSEQ,
    ]
)
fetch_items: st.SearchStrategy[FetchItems] = st.lists(
    fetch_data | fetchSections(), min_size=1, max_size=6, unique=True
).map(tuple)

store_flags = st.builds(
    StoreFlags, st.sampled_from(StoreMode), st.lists(flags, max_size=5, unique=True).map(tuple), st.booleans()
)
#: Without extensions.
status_items = st.lists(
    st.sampled_from(
        [
            StatusItem.MESSAGES,
            StatusItem.RECENT,
            StatusItem.UIDNEXT,
            StatusItem.UIDVALIDITY,
            StatusItem.UNSEEN,
            StatusItem.DELETED,
            StatusItem.SIZE,
            StatusItem.HIGHESTMODSEQ,
        ]
    ),
    min_size=1,
    unique=True,
).map(tuple)
list_arguments = st.builds(ListArguments, mailboxes, names.filter(lambda name: "\0" not in name))


def _appendMessage(size: int, names: list[str], when: tuple[int, int] | None, kind: int) -> AppendMessage:
    date, zone = when or (None, 0)
    return AppendMessage(size, tuple(names), date, zone, kind > 0, kind > 1)


catenated = st.builds(
    lambda names, parts: AppendMessage(0, tuple(names), parts=tuple(parts)),
    st.lists(flags, max_size=2, unique=True),
    st.lists(
        st.builds(CatenatePart, url=strings)
        | st.builds(CatenatePart, size=st.integers(0, 9), utf8=st.booleans()),
        min_size=1,
        max_size=4,
    ),
)

append_arguments = st.builds(
    AppendArguments,
    mailboxes,
    st.lists(
        catenated
        | st.builds(
            _appendMessage,
            st.integers(0, 9),
            st.lists(flags, max_size=3, unique=True),
            st.none() | st.tuples(st.integers(0, 250_000_000_000), zones),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
)

search_leaves = st.one_of(
    st.sampled_from([SearchKey(SearchKind.ALL), SearchKey(SearchKind.RECENT)]),
    st.builds(SearchKey, st.sampled_from([SearchKind.SEQUENCE, SearchKind.UID]), sequence=sequence_sets),
    st.builds(
        SearchKey,
        st.just(SearchKind.FLAG),
        text=atoms | st.sampled_from(["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"]),
    ),
    st.builds(SearchKey, st.sampled_from([SearchKind.LARGER, SearchKind.SMALLER]), number=numbers64),
    st.builds(SearchKey, st.sampled_from([SearchKind.BEFORE, SearchKind.SENTSINCE]), number=days),
    st.builds(SearchKey, st.just(SearchKind.HEADER), field=fields, text=texts),
    st.builds(SearchKey, st.sampled_from([SearchKind.BODY, SearchKind.TEXT]), text=texts),
)


def _operator(kind: SearchKind, keys: list[SearchKey]) -> SearchKey:
    """
    In the normal form that the reader gives.
    """
    if kind is SearchKind.NOT:
        return keys[0].keys[0] if keys[0].kind is kind else SearchKey(kind, keys=(keys[0],))
    flat: list[SearchKey] = []
    for key in keys:
        flat.extend(key.keys if key.kind is kind else (key,))
    return SearchKey(kind, keys=tuple(flat))


def searchKeys(leaves: st.SearchStrategy[SearchKey]) -> st.SearchStrategy[SearchKey]:
    """
    Keys made of C{leaves} by operators.
    """
    return st.recursive(
        leaves,
        lambda keys: st.builds(
            _operator,
            st.sampled_from([SearchKind.AND, SearchKind.OR, SearchKind.NOT]),
            st.lists(keys, min_size=2, max_size=4),
        ),
        max_leaves=12,
    )


search_keys = searchKeys(search_leaves)
search_programs = st.builds(SearchProgram, search_keys, st.sampled_from(["", "utf-8", "GB18030"]))
