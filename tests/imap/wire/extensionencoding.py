"""
Writes the arguments of commands that belong to extensions, as a client would.
"""

from __future__ import annotations

import attrs

from mailstore.imap.wire import writer
from mailstore.imap.wire.acl import AclEntry, SetAcl
from mailstore.imap.wire.condstore import FetchModifiers, StoreModifiers
from mailstore.imap.wire.createargs import CreateArguments
from mailstore.imap.wire.idparams import IdParams
from mailstore.imap.wire.listextended import ListRequest
from mailstore.imap.wire.mailboxfilters import FolderFilter
from mailstore.imap.wire.metadata import Depth, GetMetadata, SetMetadata
from mailstore.imap.wire.multisearch import MultiSearch
from mailstore.imap.wire.notifyargs import MESSAGE_NEW, NotifyRequest
from mailstore.imap.wire.partial import partialText
from mailstore.imap.wire.quota import SetQuota
from mailstore.imap.wire.selectargs import SelectArguments
from mailstore.imap.wire.sortargs import SortArguments
from mailstore.imap.wire.threadargs import ThreadArguments
from mailstore.imap.wire.values import SearchReturn
from tests.imap.wire.encoding import (
    encodeFetchItems,
    encodeReturn,
    encodeSearch,
    encodeSearchCriteria,
    encodeSequenceSet,
    encodeStatusItems,
)


def _name(name: str) -> bytes:
    return writer.astring(name.encode())


def _pattern(pattern: str) -> bytes:
    written = writer.mailbox(pattern)
    return written if written.startswith((b'"', b"{")) else writer.quoted(written)


def encodeList(request: ListRequest) -> bytes:
    """
    The arguments of LIST, with everything that makes it extended if it is.
    """
    wire = b""
    if request.extended:
        wire += b"(%b) " % b" ".join(sorted(option.value.encode() for option in request.select))
    wire += writer.mailbox(request.reference) + b" "
    if not request.extended:
        return wire + _pattern(request.patterns[0])
    options = sorted(option.value.encode() for option in request.returns)
    if request.status:
        options.append(b"STATUS " + encodeStatusItems(request.status))
    if request.annotations:
        names = [writer.astring(each.encode()) for each in request.annotations]
        options.append(b"METADATA (%b)" % b" ".join(names))
    return wire + b"(%b) RETURN (%b)" % (b" ".join(map(_pattern, request.patterns)), b" ".join(options))


def encodeCreate(arguments: CreateArguments) -> bytes:
    """
    The arguments of CREATE.
    """
    wire = writer.mailbox(arguments.mailbox)
    return wire + b" (USE (%b))" % " ".join(arguments.uses).encode() if arguments.uses else wire


def encodeSelect(arguments: SelectArguments) -> bytes:
    """
    The arguments of SELECT.
    """
    options = [b"CONDSTORE"] if arguments.condstore else []
    known = arguments.qresync
    if known is not None:
        values = [b"%d %d" % (known.uid_validity, known.mod_sequence)]
        if known.known_uids is not None:
            values.append(encodeSequenceSet(known.known_uids))
        if known.sample is not None:
            values.append(b"(%b)" % b" ".join(map(encodeSequenceSet, known.sample)))
        options.append(b"QRESYNC (%b)" % b" ".join(values))
    wire = writer.mailbox(arguments.mailbox)
    return wire + b" (%b)" % b" ".join(options) if options else wire


def encodeEnable(names: tuple[str, ...]) -> bytes:
    """
    The arguments of ENABLE.
    """
    return " ".join(names).encode()


def _filter(which: FolderFilter) -> bytes:
    names = b" ".join([writer.mailbox(name) for name in which.names])
    return which.kind.value.encode() + (b" (%b)" % names if names else b"")


def encodeMultiSearch(search: MultiSearch) -> bytes:
    """
    The arguments of ESEARCH; it returns all where nothing is said.
    """
    sources = b" ".join(map(_filter, search.sources))
    program = search.program
    if program.returns == frozenset({SearchReturn.ALL}):
        program = attrs.evolve(program, returns=None)
    return b"IN (%b) %b" % (sources, encodeSearch(program))


def encodeNotify(request: NotifyRequest) -> bytes:
    """
    The arguments of NOTIFY.
    """
    if not request.groups:
        return b"NONE"
    words = [b"SET", *([b"STATUS"] if request.status else [])]
    for group in request.groups:
        events = [
            b"%b %b" % (event.encode(), encodeFetchItems(group.items))
            if event == MESSAGE_NEW and group.items
            else event.encode()
            for event in sorted(group.events)
        ]
        words.append(b"(%b %b)" % (_filter(group.filter), b"(%b)" % b" ".join(events) if events else b"NONE"))
    return b" ".join(words)


def encodeFetchModifiers(modifiers: FetchModifiers) -> bytes:
    """
    What stands behind the items of FETCH.
    """
    words = []
    if modifiers.changed_since is not None:
        words.append(b"CHANGEDSINCE %d" % modifiers.changed_since)
    if modifiers.vanished:
        words.append(b"VANISHED")
    if modifiers.partial is not None:
        words.append(b"PARTIAL " + partialText(modifiers.partial))
    return b" (%b)" % b" ".join(words) if words else b""


def encodeStoreModifiers(modifiers: StoreModifiers) -> bytes:
    """
    What stands before the flags of STORE.
    """
    since = modifiers.unchanged_since
    return b"" if since is None else b" (UNCHANGEDSINCE %d)" % since


def encodeSort(arguments: SortArguments) -> bytes:
    """
    The arguments of SORT.
    """
    criteria = [b"REVERSE " * each.reverse + each.key.value.encode() for each in arguments.criteria]
    wire = encodeReturn(arguments.program)
    return wire + b"(%b) " % b" ".join(criteria) + encodeSearchCriteria(arguments.program)


def encodeThread(arguments: ThreadArguments) -> bytes:
    """
    The arguments of THREAD.
    """
    return arguments.algorithm.value.encode() + b" " + encodeSearchCriteria(arguments.program)


def encodeAclEntry(entry: AclEntry) -> bytes:
    """
    The arguments of DELETEACL and LISTRIGHTS.
    """
    return writer.mailbox(entry.mailbox) + b" " + _name(entry.identifier)


def encodeSetAcl(arguments: SetAcl) -> bytes:
    """
    The arguments of SETACL.
    """
    entry = AclEntry(arguments.mailbox, arguments.identifier)
    return encodeAclEntry(entry) + b" " + _name(arguments.mode.value + arguments.rights)


def encodeQuotaRoot(root: str) -> bytes:
    """
    The argument of GETQUOTA.
    """
    return _name(root)


def encodeSetQuota(arguments: SetQuota) -> bytes:
    """
    The arguments of SETQUOTA.
    """
    limits = b" ".join(b"%b %d" % (name.encode(), limit) for name, limit in arguments.limits)
    return _name(arguments.root) + b" (%b)" % limits


def encodeGetMetadata(arguments: GetMetadata) -> bytes:
    """
    The arguments of GETMETADATA, options first.
    """
    options = []
    if arguments.max_size is not None:
        options.append(b"MAXSIZE %d" % arguments.max_size)
    if arguments.depth is not Depth.ZERO:
        options.append(b"DEPTH " + arguments.depth.value.lower().encode())
    wire = b"(%b) " % b" ".join(options) if options else b""
    entries = b" ".join(map(_name, arguments.entries))
    return wire + writer.mailbox(arguments.mailbox) + b" (%b)" % entries


def encodeSetMetadata(arguments: SetMetadata, utf8: bool = False) -> bytes:
    """
    The arguments of SETMETADATA.
    """
    values = b" ".join(_name(name) + b" " + writer.nstring8(value, utf8) for name, value in arguments.values)
    return writer.mailbox(arguments.mailbox, utf8) + b" (%b)" % values


def encodeId(params: IdParams) -> bytes:
    """
    The argument of ID.
    """
    if not params:
        return b"NIL"
    return b"(%b)" % b" ".join(writer.string(name) + b" " + writer.nstring(value) for name, value in params)
