"""
A client that works, and knows what it was told.
"""

from __future__ import annotations

import random
import re
import threading
from collections import deque
from collections.abc import Mapping

from tests.clients.rawclient import RawClient
from tests.crash.deeds import SHARED, Chooser, Deed
from tests.crash.ledger import Folder, Found, Ledger

#: Seconds without an answer after which a client counts as hanging.
_PATIENCE = 60.0

#: Commands that are remembered for when something goes wrong.
_STORY = 30


class Refused(Exception):
    """
    The store is not there, or was not when it was to answer.
    """


class Round:
    """
    What clients are told of the play: all of it in time.

    @ivar enough: begin no other command.
    @ivar killed: a process was killed, or will be in the next moment.
    @ivar hangs_up: a lost connection is no surprise.
    """

    def __init__(self) -> None:
        self.enough = threading.Event()
        self.killed = threading.Event()
        self.hangs_up = threading.Event()


class Worker:
    """
    One connection's work, in a thread for each stretch of it.

    @ivar ledger: what must be there, but for the open command.
    @ivar open: the command of which it is not known whether it has happened.
    @ivar error: what should not have happened.
    @ivar told: mod-sequences that it was told, by UIDVALIDITY and UID.
    """

    def __init__(self, number: int, user: str, seed: str) -> None:
        self.number = number
        self.user = user
        self.roots = (b"w%d" % number, b"Public Folders/w%d" % number)
        self.ledger = Ledger({name: Folder() for name in (b"INBOX", SHARED, *self.roots)})
        self.open: Deed | None = None
        self.error: Exception | None = None
        self.told: dict[tuple[int, int], int] = {}
        self.acknowledged = self.unknown = self.happened = 0
        self.name = f"w{number}"
        self._chooser = Chooser(self.name, self.roots, random.Random(f"{seed}/{number}"))
        self._client: RawClient | None = None
        self._selected = b""
        self._may_end = False
        self._story: deque[str] = deque(maxlen=_STORY)
        self._thread: threading.Thread | None = None

    # --- working ---

    def begin(self, port: int, play: Round) -> None:
        """
        Work in a thread, until it is enough or a command was not carried out for sure.
        """
        self._thread = threading.Thread(target=self._work, args=(port, play), daemon=True)
        self._thread.start()

    def rest(self) -> None:
        """
        Wait for the end of it.

        @raise AssertionError: something is wrong.
        """
        assert self._thread is not None
        self._thread.join(2 * _PATIENCE)
        if self._thread.is_alive():
            raise AssertionError(f"client {self.name} hangs; it did:\n{self.story}")
        if self.error is not None:
            raise AssertionError(f"client {self.name}: {self.error!r}; it did:\n{self.story}") from self.error

    @property
    def story(self) -> str:
        """
        What it did last.
        """
        return "\n".join(self._story)

    def _work(self, port: int, play: Round) -> None:
        try:
            if self._client is None:
                self._connect(port)
            while not play.enough.is_set() and self.open is None and self._step(play):
                pass
            assert play.killed.is_set(), "an answer that says less than it must"
        except Refused as refused:
            if not play.killed.is_set():
                self.error = refused
            if self.open is not None and self.open.reselect:
                # If the open folder is gone, the connection ends with a BYE (RFC 2180 section 3.3).
                self.hangUp()
        except (OSError, EOFError) as error:
            self._story.append(f"lost: {error!r}")
            if not self._may_end and not play.hangs_up.wait(5):
                self.error = error
            self.hangUp()
        except Exception as error:
            self.error = error

    def _connect(self, port: int) -> None:
        self._selected = b""
        self._client = RawClient(port, _PATIENCE)
        try:
            self._ask(b"LOGIN %s password" % self.user.encode())
            self._ask(b"ENABLE CONDSTORE")
        except Refused:
            self.hangUp()
            raise

    def hangUp(self) -> None:
        """
        Give up the connection.
        """
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _step(self, play: Round) -> bool:
        """
        @return: all that belongs to the command was told.
        """
        deed = self._chooser.choose(self.ledger)
        if deed.folder and deed.folder != self._selected:
            self._selected = b""
            self._ask(b'SELECT "%s"' % deed.folder)
            self._selected = deed.folder
        self.open = deed
        may_end = deed.reselect and bool(self._selected)
        if deed.reselect:
            self._selected = b""
        responses = self._ask(deed.line)
        # When the store died just when the front end asked whether it is the open folder that is to be
        # deleted, the connection ends with a BYE (RFC 2180 section 3.3) some time later.
        self._may_end = may_end and play.killed.is_set()
        told = deed.acknowledged(self.ledger, responses)
        self.open = None
        self.acknowledged += 1
        if deed.folder:
            self._learn(deed.folder, responses)
        return told

    def _ask(self, line: bytes) -> list[bytes]:
        """
        @raise Refused: for want of a store.
        """
        assert self._client is not None
        shown = line if len(line) < 150 else line[:150] + b"... (%d bytes)" % len(line)
        self._story.append(f"{self.name}: {shown!r}")
        responses = self._client.command(line)
        self._story.append(f"{self.name}:     {responses[-1][:200]!r}")
        reply = responses[-1].partition(b" ")[2]
        if reply.startswith(b"NO [UNAVAILABLE]"):
            raise Refused
        if not reply.startswith(b"OK"):
            raise AssertionError(f"answered {reply!r}")
        return responses

    def _learn(self, name: bytes, responses: list[bytes]) -> None:
        """
        Remember what mod-sequences were told.
        """
        folder = self.ledger.folders[name]
        for response in responses:
            uid, modseq = re.search(rb"UID (\d+)", response), re.search(rb"MODSEQ \((\d+)\)", response)
            if b" FETCH (" in response and uid and modseq and folder.validity:
                key = (folder.validity, int(uid[1]))
                self.told[key] = max(int(modseq[1]), self.told.get(key, 0))

    # --- looking ---

    def agree(self, found: Mapping[bytes, Found], subscribed: set[bytes]) -> None:
        """
        Hold what was read against the ledger, and find out whether the open command has happened.

        @raise AssertionError: it cannot be so.
        """
        mine = {
            name: self._ownPart(each) if name in (b"INBOX", SHARED) else each
            for name, each in found.items()
            if name in (b"INBOX", SHARED) or name.startswith(self.roots)
        }
        subscribed = {name for name in subscribed if name.startswith(self.roots)}
        wrong = self.ledger.difference(mine, subscribed)
        deed, self.open = self.open, None
        if deed is not None:
            self.unknown += 1
            otherwise = ""
            for change in (deed.change, *deed.parts):
                done = self.ledger.copy()
                change(done)
                difference = done.difference(mine, subscribed)
                if not difference:
                    self.happened += bool(wrong)
                    self.ledger, wrong = done, ""
                    break
                otherwise = otherwise or difference
            if wrong:
                shown = deed.line[:100] + (b"..." if len(deed.line) > 100 else b"")
                wrong = f"if {shown!r} has happened: {otherwise}; if not: {wrong}"
        if wrong:
            raise AssertionError(f"client {self.name}: {wrong}\nit did:\n{self.story}")
        self.ledger.adopt(mine)
        there = {each.validity for each in mine.values()}
        self.told = {key: modseq for key, modseq in self.told.items() if key[0] in there}

    def _ownPart(self, found: Found) -> Found:
        begin = b"Subject: %s." % self.name.encode()
        letters = {uid: each for uid, each in found.letters.items() if each.text.startswith(begin)}
        return Found(found.validity, found.uid_next, found.modseq, letters, found.modseqs)
