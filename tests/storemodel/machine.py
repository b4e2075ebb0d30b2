"""
Random requests of two users, to a store and to the model of one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from mailstore import engine
from mailstore.engine import EngineLimits
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION
from mailstore.ipc.groupcommit import GroupCommitter
from mailstore.ipc.limits import IpcLimits
from mailstore.model import (
    ALL_RIGHTS,
    PUBLIC_QUOTA,
    PUBLIC_ROOT,
    SYSTEM,
    USER_QUOTA,
    Criterion,
    FetchSpec,
    FlagMode,
    NewMessage,
    SearchTerm,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)
from mailstore.stores import openChecker
from mailstore.testing.storecases.base import CREDENTIALS, Recorder
from tests.ipc.fakes import Joined, TurningClock, joined
from tests.storemodel.model import PUBLIC, Errors, Folder, Model, Place
from tests.storemodel.spun import Spun, privateReactor

_T = TypeVar("_T")

USERS = ("alice", "bob")

#: Small, so that answers come in several batches and tombstones are forgotten.
LIMITS = EngineLimits(
    batch_rows=3, search_rows=2, search_texts=2, slice_rows=2, max_tombstones=3, snapshot_cache=3000
)

_EVERY = UidSet(((1, 0xFFFFFFFF),))
_WORDS = ("quince", "medlar", "sorb")

#: What begins the names of requests that change no folder.
_ON_MESSAGES = tuple(
    f"{user} {word}" for user in USERS for word in ("appends", "stores", "copies", "moves", "expunges")
)

_users = st.sampled_from(USERS)
_paths = st.sampled_from(("A", "A/B", "A/B/C", "D", "D/B", "E/F"))
_names = st.one_of(
    st.sampled_from(("INBOX", "INBOX/G")),
    _paths,
    _paths.map(lambda path: f"{PUBLIC_ROOT}/{path}"),
    _paths.map(lambda path: f"Other Users/alice/{path}"),
    st.just("Other Users/bob/INBOX"),
)
#: A name, or which of the folders that are there.
_choices = st.one_of(*[st.integers(0, 30)] * 3, _names)
_flags = st.frozensets(st.sampled_from(("\\Seen", "\\Deleted", "\\Flagged", "one", "two")), max_size=3)
_uids = st.lists(st.integers(1, 8), min_size=1, max_size=5, unique=True)
_letters = st.sets(st.sampled_from("lrswikxte")).map(
    lambda taken: "".join(each for each in "lrswikxte" if each not in taken)
)
_texts = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3)


@attrs.define
class _View:
    """
    What a session knows of a folder by following its changes.
    """

    modseq: int = 0
    messages: dict[int, frozenset[str]] = attrs.field(factory=dict)


class StoreMachine(RuleBasedStateMachine):
    """
    Sequences of requests; after each, what somebody sees is what the model has.

    @cvar behind_channel: the store is in a file, changed in groups, and reached through a channel.
    """

    behind_channel = False

    def __init__(self) -> None:
        super().__init__()
        self.directory = ""
        self.joined: Joined | Spun | None = None
        self.model = Model(USERS)
        self.views: dict[tuple[str, int], _View] = {}
        self.modseqs: dict[tuple[str, int], int] = {}
        #: Requests that were begun, with what is to be done when they are answered.
        self.begun: list[tuple[Deferred[Any], Errors, Callable[[Any], None], str]] = []
        self.newest = 0
        self.count = 0
        self.observer = Recorder()

    @initialize()
    def open(self) -> None:
        """
        A new store.
        """
        options: dict[str, Any] = {"renditions": RENDITIONS, "renditions_version": RENDITIONS_VERSION}
        if self.behind_channel:
            self.directory = tempfile.mkdtemp(prefix="msmodel")
            self.joined = self._join(IpcLimits(poll_interval=0, window=2), options)
            self.store: Any = self.joined.remote
        else:
            self.store = self.engine = engine.open("sqlite::memory:", limits=LIMITS, **options)
        for user in USERS:
            self.now(self.engine.createUser(user, CREDENTIALS))
        self.now(self.engine.setRights(SYSTEM, PUBLIC_ROOT, "alice", ALL_RIGHTS))
        for place, folder in self.model.folders.items():
            if folder.selectable:
                self._learn(place)
        self.store.observe(self.observer)
        for name in ("A/B", f"{PUBLIC_ROOT}/A/B", f"{PUBLIC_ROOT}/D"):
            self.create("alice", name)
        for name, letters in (("A/B", "lrswitekx"), (f"{PUBLIC_ROOT}/A", "lrswite")):
            self.setRights("alice", name, "bob", letters)
            self.append(
                "bob",
                f"Other Users/alice/{name}" if name == "A/B" else name,
                list(_WORDS),
                frozenset(("one",)),
            )

    def _join(self, limits: IpcLimits, options: dict[str, Any]) -> Joined | Spun:
        """
        Put an engine behind a channel.
        """
        clock = TurningClock()
        self._openFile(clock, options)
        ends = joined(limits, store=self.engine, connect=False)
        # One reactor for all.
        ends.clock.calls = clock.calls
        ends.connect()
        ends.settle()
        return ends

    def _openFile(self, clock: Any, options: dict[str, Any]) -> None:
        committer: Any = GroupCommitter(clock, in_thread=_atOnce)
        url = f"sqlite:{self.directory}/mail.db"
        self.engine = engine.open(url, limits=LIMITS, committer=committer, **options)
        self.engine._database._write.execute("PRAGMA synchronous = OFF")

    def teardown(self) -> None:
        """
        What the model has is there, all of it, and the file is sound.
        """
        try:
            self.settle()
            for place in list(self.model.folders):
                for user in USERS:
                    self._compareFolder(user, place)
            self.now(self.engine.close())
            if isinstance(self.joined, Spun):
                self.joined.close()
            if self.behind_channel:
                checker = openChecker(f"sqlite:{self.directory}/mail.db", LIMITS)
                checker.find()
                checker.close()
                assert not checker.report.found, checker.report.findings
        finally:
            if self.directory:
                shutil.rmtree(self.directory)

    # --- asking ---

    def _settleClock(self) -> None:
        if self.joined is not None:
            self.joined.settle()

    def now(self, request: Coroutine[Any, Any, _T]) -> _T:
        """
        The result of a request.
        """
        results: list[Any] = []
        Deferred.fromCoroutine(request).addBoth(results.append)
        self._settleClock()
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()
        found: _T = result
        return found

    def all(self, answer: AsyncGenerator[_T, None]) -> list[_T]:
        """
        All batches of an answer.
        """

        async def gather() -> list[_T]:
            return [each async for each in answer]

        return self.now(gather())

    def begin(
        self,
        what: str,
        request: Coroutine[Any, Any, Any],
        errors: Errors,
        check: Callable[[Any], None] = lambda result: None,
        alone: bool = False,
    ) -> None:
        """
        Begin a request; over a channel others may be begun before it is answered.

        @param errors: what it must be refused with: one of these; none if it must succeed.
        @param alone: it is done in several slices, between which others would see, and change, a part of it.
        """
        if alone:
            self.settle()
        self.begun.append((Deferred.fromCoroutine(request), errors, check, what))
        if self.joined is None or alone or len(self.begun) >= 4:
            self.settle()

    def settle(self) -> None:
        """
        Wait for all answers.
        """
        self._settleClock()
        begun, self.begun = self.begun, []
        for deferred, errors, check, what in begun:
            results: list[Any] = []
            deferred.addBoth(results.append)
            assert results, f"{what}: no answer"
            (result,) = results
            if isinstance(result, Failure):
                assert type(result.value) in errors, (
                    f"{what}: {result.value!r}, expected {errors or 'success'}"
                )
            else:
                assert not errors, f"{what}: succeeded, expected {errors}"
                check(result)
        for place, folder in self.model.folders.items():
            if folder.selectable and not folder.identity:
                self._learn(place)

    def _learn(self, place: Place) -> None:
        """
        Take over a new folder's numbers.
        """
        status = self.now(self.engine.status(SYSTEM, self.model.shown(SYSTEM, place)))
        folder = self.model.folders[place]
        folder.identity, folder.validity = status.folder, status.uid_validity
        known = [
            each.validity for each in self.model.folders.values() if each is not folder and each.identity
        ]
        assert folder.validity not in known

    def _name(self, user: str, choice: int | str) -> str:
        """
        A name, by which a user knows a folder if that was chosen.
        """
        if isinstance(choice, str):
            return choice
        names = sorted(self.model.shown(user, place) for place in self.model.folders if place[1])
        return names[choice % len(names)]

    def _same(self, what: str, expected: Any, by: Callable[[Any], Any] = lambda result: result) -> Any:
        def check(result: Any) -> None:
            found = by(result)
            assert found == expected, f"{what}: {found}, expected {expected}"

        return check

    # --- folders ---

    @rule(user=_users, name=_choices)
    def create(self, user: str, name: int | str) -> None:
        """
        CREATE.
        """
        name = self._name(user, name)
        if self.model.place(user, name)[1] in ("INBOX", ""):
            return
        self.settle()
        errors = self.model.create(user, name)
        self.begin(f"{user} creates {name}", self.store.createFolder(user, name), errors, self._created)

    def _created(self, identity: int) -> None:
        name = self._nameOf(identity)
        if not name:
            # It has been deleted since.
            return
        status = self.now(self.engine.status(SYSTEM, name))
        assert status.uid_validity > self.newest, f"{status.uid_validity} after {self.newest}"
        self.newest = status.uid_validity

    def _nameOf(self, identity: int) -> str:
        for place, folder in self.model.folders.items():
            if folder.selectable and not folder.identity:
                self._learn(place)
            if folder.identity == identity:
                return self.model.shown(SYSTEM, place)
        return ""

    @rule(user=_users, name=_choices)
    def delete(self, user: str, name: int | str) -> None:
        """
        DELETE.
        """
        name = self._name(user, name)
        errors = self.model.delete(user, name)
        self.begin(f"{user} deletes {name}", self.store.deleteFolder(user, name), errors)

    @rule(user=_users, name=_choices, new_name=_names)
    def rename(self, user: str, name: int | str, new_name: str) -> None:
        """
        RENAME.
        """
        name = self._name(user, name)
        errors = self.model.rename(user, name, new_name)
        self.begin(f"{user} renames {name} {new_name}", self.store.renameFolder(user, name, new_name), errors)

    @rule(
        user=_users, name=_choices, whom=st.sampled_from(("bob", "-bob", "authenticated")), letters=_letters
    )
    def setRights(self, user: str, name: int | str, whom: str, letters: str) -> None:
        """
        SETACL.
        """
        name = self._name(user, name)
        errors = self.model.setRights(user, name, whom, letters)
        self.begin(
            f"{user} gives {whom} {letters} on {name}",
            self.store.setRights(user, name, whom, letters),
            errors,
        )

    @rule(user=_users, name=_choices, on=st.booleans())
    def subscribe(self, user: str, name: int | str, on: bool) -> None:
        """
        SUBSCRIBE and UNSUBSCRIBE.
        """
        name = self._name(user, name)
        names = self.model.subscriptions[user]
        if on:
            names.add(name)
            self.begin("subscribe", self.store.subscribe(user, name), set())
        else:
            names.discard(name)
            self.begin("unsubscribe", self.store.unsubscribe(user, name), set())

    @rule(owner=st.sampled_from((PUBLIC, *USERS)), limit=st.one_of(st.none(), st.integers(0, 12)))
    def setQuota(self, owner: str, limit: int | None) -> None:
        """
        SETQUOTA.
        """
        self.settle()
        self.model.quotas.pop(owner, None)
        if limit is not None:
            self.model.quotas[owner] = limit
        root = PUBLIC_QUOTA if owner == PUBLIC else USER_QUOTA + owner
        limits = () if limit is None else (("MESSAGE", limit),)
        quota = self.now(self.engine.setQuota(SYSTEM, root, limits))
        held = {resource: used for resource, used, _ in quota.resources}["MESSAGE"]
        assert held == self.model.held(owner), f"{root} holds {held}"

    # --- messages ---

    @rule(user=_users, name=_choices, words=_texts, flags=_flags)
    def append(self, user: str, name: int | str, words: list[str], flags: frozenset[str]) -> None:
        """
        APPEND, of a few messages that may be the same as others.
        """
        name = self._name(user, name)
        if any(not what.startswith(_ON_MESSAGES) for *_, what in self.begun):
            # Whether the folder takes it is looked at first in what is durable.
            self.settle()
        self.count += 1
        number = self.count % 5
        texts = [f"Subject: {word} {number}\r\n\r\n{word} {'x' * 9 * number}\r\n".encode() for word in words]
        errors, uids = self.model.append(user, name, texts, flags)
        messages = tuple(NewMessage(text, tuple(sorted(flags))) for text in texts)
        what = f"{user} appends {len(texts)} to {name}"
        check = self._same(what, uids, lambda result: result.uids)
        self.begin(what, self.store.append(user, name, messages), errors, check)

    def _folder(self, user: str, name: str) -> tuple[Place, Folder] | None:
        """
        A folder whose number is known, and that can be asked for by it.
        """
        place = self.model.place(user, name)
        folder = self.model.folders.get(place)
        if folder is None or not folder.selectable:
            return None
        if not folder.identity:
            self.settle()
        return place, folder

    @rule(user=_users, name=_choices, uids=_uids, mode=st.sampled_from(FlagMode), flags=_flags)
    def storeFlags(
        self, user: str, name: int | str, uids: list[int], mode: FlagMode, flags: frozenset[str]
    ) -> None:
        """
        STORE.
        """
        name = self._name(user, name)
        found = self._folder(user, name)
        if found is None:
            return
        place, folder = found
        errors = self.model.store(user, place, uids, mode, flags)
        what = f"{user} stores {mode.name} {sorted(flags)} for {uids} in {name}"
        request = self.store.storeFlags(user, folder.identity, UidSet.of(uids), mode, tuple(sorted(flags)))
        self.begin(what, request, errors, alone=_isSliced(uids))

    @rule(user=_users, name=_choices, uids=_uids, where=_choices, move=st.booleans())
    def transfer(self, user: str, name: int | str, uids: list[int], where: int | str, move: bool) -> None:
        """
        COPY and MOVE.
        """
        name = self._name(user, name)
        where = self._name(user, where)
        found = self._folder(user, name)
        if found is None:
            return
        place, folder = found
        errors, sources, targets = self.model.transfer(user, place, sorted(uids), where, move)
        what = f"{user} {'moves' if move else 'copies'} {uids} from {name} to {where}"
        request = self.store.move if move else self.store.copy
        self.begin(
            what,
            request(user, folder.identity, UidSet.of(uids), where),
            errors,
            self._same(
                what,
                (sources, list(targets)),
                lambda result: (list(uint32s(result.sources)), list(uint32s(result.targets))),
            ),
            alone=_isSliced(uids),
        )

    @rule(user=_users, name=_choices, uids=st.one_of(st.none(), _uids))
    def expunge(self, user: str, name: int | str, uids: list[int] | None) -> None:
        """
        EXPUNGE and UID EXPUNGE.
        """
        name = self._name(user, name)
        found = self._folder(user, name)
        if found is None:
            return
        place, folder = found
        errors, gone = self.model.expunge(user, place, uids)
        what = f"{user} expunges {uids} in {name}"
        chosen = None if uids is None else UidSet.of(uids)
        check = self._same(what, UidSet.of(gone))
        request = self.store.expunge(user, folder.identity, chosen)
        self.begin(what, request, errors, check, alone=_isSliced(uids))

    # --- looking ---

    @rule()
    def indexMore(self) -> None:
        """
        The store does what it has left undone.
        """
        self.settle()
        self.now(self.engine.indexMore())

    @rule(user=_users, name=_choices)
    def look(self, user: str, name: int | str) -> None:
        """
        Everything that a user can see of a folder.
        """
        name = self._name(user, name)
        self.settle()
        self._compareFolder(user, self.model.place(user, name))

    def _compareFolder(self, user: str, place: Place) -> None:
        name = self.model.shown(user, place)
        errors = self.model.mailbox(user, place, "r")
        folder = self.model.folders.get(place)
        if errors or folder is None:
            try:
                self.now(self.store.status(user, name))
            except Exception as error:
                assert type(error) in errors, f"{name}: {error!r}, expected {errors}"
            else:
                raise AssertionError(f"{user} may not see {name}")
            return
        expected = {uid: self.model.seenBy(user, place, each) for uid, each in folder.messages.items()}
        opened = self.now(self.store.openFolder(user, name, False))
        status = opened.status
        found = (
            (status.folder, status.uid_validity, status.uid_next, status.messages),
            (status.unseen, status.deleted),
            opened.uids,
            set(opened.rights),
        )
        must = (
            (folder.identity, folder.validity, folder.uid_next, len(expected)),
            tuple(
                sum((flag in each) is there for each in expected.values())
                for flag, there in (("\\Seen", False), ("\\Deleted", True))
            ),
            UidSet.of(expected),
            set(self.model.rights(user, place)),
        )
        assert found == must, f"{user} sees {name}: {found}, expected {must}"
        key = (user, folder.identity)
        assert status.highest_modseq >= self.modseqs.get(key, 0)
        self.modseqs[key] = status.highest_modseq
        self._compareMessages(user, folder, expected)
        self._follow(user, folder, expected)
        self._search(user, folder, expected)

    def _compareMessages(self, user: str, folder: Folder, expected: dict[int, frozenset[str]]) -> None:
        flags: dict[int, frozenset[str]] = {}
        spec = FetchSpec(flags=True)
        for batch in self.all(self.store.fetch(user, folder.identity, _EVERY, spec)):
            for uid, mask in zip(uint32s(batch.uids), uint64s(batch.flags), strict=True):
                flags[uid] = frozenset(flagNames(mask, batch.keywords))
        assert flags == expected, f"{user} reads {flags}, expected {expected}"

    def _follow(self, user: str, folder: Folder, expected: dict[int, frozenset[str]]) -> None:
        view = self.views.setdefault((user, folder.identity), _View())
        for delta in self.all(self.store.changes(user, folder.identity, view.modseq, False)):
            for uid in [uid for uid in view.messages if uid in delta.vanished]:
                del view.messages[uid]
            for uid, mask in zip(uint32s(delta.changed.uids), uint64s(delta.changed.flags), strict=True):
                view.messages[uid] = frozenset(flagNames(mask, delta.keywords))
            assert delta.highest_modseq >= view.modseq
            reached = delta.highest_modseq
        view.modseq = reached
        assert view.messages == expected, f"{user} follows to {view.messages}, expected {expected}"

    def _search(self, user: str, folder: Folder, expected: dict[int, frozenset[str]]) -> None:
        for word in _WORDS[:2]:
            found = self._found(user, folder, SearchTerm(Criterion.TEXT, text=word))
            wanted = [uid for uid, each in sorted(folder.messages.items()) if word.encode() in each.text]
            assert found == wanted, f"{user} finds {word} in {found}, expected {wanted}"
        found = self._found(user, folder, SearchTerm(Criterion.FLAG, text="one"))
        assert found == [uid for uid in sorted(expected) if "one" in expected[uid]]

    def _found(self, user: str, folder: Folder, term: SearchTerm) -> list[int]:
        batches = self.all(self.store.search(user, folder.identity, term))
        return [uid for batch in batches for uid in uint32s(batch)]

    @rule(user=_users)
    def list(self, user: str) -> None:
        """
        All folders that a user may look up, and his subscriptions.
        """
        self.settle()
        found: set[str] = set()
        for tree in self.now(self.store.trees(user)):
            for batch in self.all(self.store.folders(user, tree)):
                found |= {name for name, can in zip(batch.names, batch.selectable, strict=True) if can}
        expected = {
            self.model.shown(user, place)
            for place, folder in self.model.folders.items()
            if folder.selectable and "l" in self.model.rights(user, place)
        }
        assert found == expected, f"{user} lists {sorted(found)}, expected {sorted(expected)}"
        assert set(self.now(self.store.subscriptions(user))) == self.model.subscriptions[user]

    @precondition(lambda self: not self.begun)
    @invariant()
    def sound(self) -> None:
        """
        What trees hold is what their folders hold.
        """
        if not hasattr(self, "engine"):
            return
        with self.engine._database.reading() as db:
            wrong = db.execute(
                "SELECT owner FROM trees t WHERE (folders, messages, size) <>"
                " (SELECT count(*), sum(messages), sum(size) FROM folders f WHERE f.owner = t.owner)"
            ).fetchall()
        assert not wrong, wrong


class ChannelMachine(StoreMachine):
    """
    Over a channel, with several requests under way.
    """

    behind_channel = True


class SharedMachine(ChannelMachine):
    """
    Over shared memory, in the turns of a reactor that watches real doorbells.
    """

    def _join(self, limits: IpcLimits, options: dict[str, Any]) -> Spun:
        self._openFile(privateReactor(), options)
        return Spun(self.engine, f"shm:{self.directory}/s", limits)


def _isSliced(uids: list[int] | None) -> bool:
    return uids is None or len(uids) > LIMITS.slice_rows


def _atOnce(work: Callable[[], None]) -> Deferred[None]:
    try:
        work()
    except Exception:
        return Deferred.fromCoroutine(_raise(Failure()))
    return succeed(None)


async def _raise(failure: Failure) -> None:
    failure.raiseException()
