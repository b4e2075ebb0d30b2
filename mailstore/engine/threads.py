"""
Putting together what belongs together (RFC 5256 section 3): the two ways of threading.

What is found is gathered and linked slice by slice; only the trees
themselves are made at once.  Nothing here is recursive: a chain of answers can be long.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Generator, Iterator
from typing import Any

from mailstore.engine.limits import EngineLimits
from mailstore.engine.sorting import Gatherer, Room
from mailstore.message.references import SIZE
from mailstore.model import ThreadAlgorithm, ThreadColumns, uint32s

_SENT = "coalesce(s.sent, m.internal_date)"

#: How far up the trees it is looked for loops, for one message; where that is not enough,
#: no more is put on top.
_MAX_CLIMB = 2000

#: Messages that are looked at before others have their turn.
_SLICE = 2000


#: Bytes of a message that is threaded by its subject, beside that.
_COST = 120

#: Bytes of a node, with what links it, and of an identifier that leads to one.
_NODE_COST, _IDENTIFIER_COST = 400, 200


def threading(limits: EngineLimits, room: Room, algorithm: ThreadAlgorithm) -> Threads:
    """
    What gathers messages and puts them together.

    @param room: where they are gathered.
    """
    if algorithm is ThreadAlgorithm.ORDEREDSUBJECT:
        return _OrderedSubject(limits, room)
    return _References(limits, room)


class Threads(Gatherer):
    """
    Messages that are being put together.
    """

    def _trees(self) -> Iterator[tuple[int, int] | None]:
        """
        UIDs and depths, in preorder; C{None} to let others have their turn.
        """
        raise NotImplementedError

    def _forget(self) -> None:
        """
        The trees are made: nothing that was gathered is needed any more.
        """
        raise NotImplementedError

    def batches(self) -> Iterator[ThreadColumns]:
        """
        The trees.
        """
        uids, depths = uint32s(), uint32s()
        for each in self._trees():
            if each is None:
                yield ThreadColumns(b"", b"")
                continue
            uids.append(each[0])
            depths.append(each[1])
            if not len(uids) % _SLICE:
                yield ThreadColumns(b"", b"")
        # Who reads slowly keeps others from no more than that.
        self._forget()
        self._hold(2 * uids.itemsize * len(uids))
        for start in range(0, len(uids), self._rows):
            end = start + self._rows
            yield ThreadColumns(uids[start:end].tobytes(), depths[start:end].tobytes())


class _OrderedSubject(Threads):
    def __init__(self, limits: EngineLimits, room: Room) -> None:
        super().__init__(limits, room, ("s.subject", _SENT))
        self._forget()

    def _forget(self) -> None:
        self._uids = uint32s()
        self._sent = array("q")
        self._subjects: list[str] = []

    def _take(self, uid: int, values: list[Any]) -> int:
        subject, sent = values
        self._uids.append(uid)
        self._sent.append(sent)
        self._subjects.append(subject)
        return _COST + sys.getsizeof(subject)

    def _trees(self) -> Iterator[tuple[int, int] | None]:
        order = list(range(len(self._uids)))
        order.sort(key=self._subjects.__getitem__)
        yield None
        threads = uint32s(bytes(uint32s().itemsize * len(order)))
        count, last = -1, None
        for at in order:
            if self._subjects[at] != last:
                count, last = count + 1, self._subjects[at]
            threads[at] = count
        self._subjects = []
        yield None
        # By the first of each, and within each by when they were sent; both as they came if that is the same.
        order.sort()
        order.sort(key=self._sent.__getitem__)
        yield None
        ranks = uint32s(bytes(threads.itemsize * (count + 1)))
        rank = 0
        for at in order:
            if not ranks[threads[at]]:
                rank += 1
                ranks[threads[at]] = rank
        yield None
        order.sort(key=lambda at: ranks[threads[at]])
        yield None
        last_rank = 0
        for at in order:
            rank = ranks[threads[at]]
            yield self._uids[at], int(rank == last_rank)
            last_rank = rank


class _References(Threads):
    # A node is a message, or one that only others speak of: a dummy, with UID 0.
    # Nodes are numbers, and what is known of each is in the columns.

    def __init__(self, limits: EngineLimits, room: Room) -> None:
        super().__init__(limits, room, ("s.message", "s.refs", "s.subject", "s.is_reply", _SENT))
        self._forget()

    def _forget(self) -> None:
        self._uids: list[int] = []
        self._sent: list[int] = []
        self._subjects: list[str] = []
        self._replies: list[bool] = []
        self._parents: list[int] = []
        # Only nodes that have any are here.
        self._children: dict[int, list[int]] = {}
        self._counts: list[int] = []
        self._by_id: dict[bytes, int] = {}
        self._climb = 0

    # --- (1) links ---

    def _node(self) -> int:
        self._uids.append(0)
        self._sent.append(0)
        self._subjects.append("")
        self._replies.append(False)
        self._parents.append(-1)
        self._counts.append(0)
        return len(self._uids) - 1

    def _nodeOf(self, identifier: bytes) -> int:
        found = self._by_id.get(identifier)
        if found is None:
            found = self._by_id[identifier] = self._node()
        return found

    def _take(self, uid: int, values: list[Any]) -> int:
        own, refs, subject, is_reply, sent = values
        node = -1 if own is None else self._nodeOf(own)
        if node < 0 or self._uids[node]:
            # "If a message does not contain a Message-ID header line, or the Message-ID is not
            # valid, then assign a unique Message ID to this message": also to the second that has one.
            node = self._node()
        self._uids[node], self._subjects[node] = uid, subject
        self._replies[node], self._sent[node] = bool(is_reply), sent
        self._climb = _MAX_CLIMB
        last = -1
        for at in range(0, len(refs), SIZE):
            referred = self._nodeOf(refs[at : at + SIZE])
            # (A) "If a message already has a parent, don't change the existing link."
            if last >= 0 and self._parents[referred] < 0 and not self._isAbove(referred, last):
                self._link(last, referred)
            last = referred
        # (B) "If the current message already has a parent, it is probably the result of a
        # truncated References header line, so break the current parent/child link".
        self._unlink(node)
        if last >= 0 and not self._isAbove(node, last):
            self._link(last, node)
        # Each identifier may be one that nobody has spoken of before.
        others = (_NODE_COST + _IDENTIFIER_COST) * (len(refs) // SIZE)
        return _NODE_COST + _IDENTIFIER_COST + sys.getsizeof(subject) + others

    def _link(self, parent: int, child: int) -> None:
        self._parents[child] = parent
        self._counts[parent] += 1

    def _unlink(self, child: int) -> None:
        parent = self._parents[child]
        if parent >= 0:
            self._parents[child] = -1
            self._counts[parent] -= 1

    def _isAbove(self, node: int, below: int) -> bool:
        """
        Whether C{node} is C{below} or above it, so that a link would make a loop.
        """
        if node == below:
            return True
        if not self._counts[node]:
            return False
        while self._climb:
            self._climb -= 1
            below = self._parents[below]
            if below < 0:
                return False
            if below == node:
                return True
        return True

    # --- (2) to (6) ---

    def _trees(self) -> Iterator[tuple[int, int] | None]:
        roots = yield from self._pruned()
        for root in roots:
            self._sortDummy(root)
        yield None
        roots.sort(key=self._order)
        yield None
        roots = yield from self._merged(roots)
        for at, siblings in enumerate(self._children.values()):
            siblings.sort(key=self._order)
            if at % _SLICE == _SLICE - 1:
                yield None
        roots.sort(key=self._order)
        waiting = [(root, 0) for root in reversed(roots)]
        while waiting:
            node, depth = waiting.pop()
            yield self._uids[node], depth
            waiting += [(each, depth + 1) for each in reversed(self._children.get(node, ()))]

    def _order(self, node: int) -> tuple[int, int]:
        node = self._speaker(node)
        return self._sent[node], self._uids[node]

    def _speaker(self, node: int) -> int:
        """
        The node, or for a dummy the first of its children, which is none.
        """
        return node if self._uids[node] else self._children[node][0]

    def _sortDummy(self, node: int) -> None:
        if not self._uids[node]:
            self._children[node].sort(key=self._order)

    def _pruned(self) -> Generator[None, None, list[int]]:
        """
        (2), (3): the roots, with dummies at the top only, where they have more than one child.
        """
        # From the message up to the nearest that is there.
        top: dict[int, list[int]] = {}
        roots: list[int] = []
        for node, uid in enumerate(self._uids):
            if node % _SLICE == _SLICE - 1:
                yield
            if not uid:
                continue
            parent, highest = self._parents[node], -1
            passed: list[int] = []
            while parent >= 0 and not self._uids[parent]:
                passed.append(parent)
                highest = parent
                parent = self._parents[parent]
            if highest >= 0:
                # The next that comes this way need not go it all.
                above = parent if parent >= 0 else highest
                for each in passed:
                    if each != above:
                        self._parents[each] = above
            if parent >= 0:
                self._children.setdefault(parent, []).append(node)
            elif highest >= 0:
                top.setdefault(highest, []).append(node)
            else:
                roots.append(node)
        for dummy, children in top.items():
            if len(children) == 1:
                roots += children
            else:
                self._children[dummy] = children
                roots.append(dummy)
        return roots

    def _merged(self, roots: list[int]) -> Generator[None, None, list[int]]:
        """
        (5): what has the same subject becomes one.
        """
        table: dict[str, int] = {}
        for node in roots:
            speaker = self._speaker(node)
            subject = self._subjects[speaker]
            if not subject:
                continue
            known = table.get(subject)
            if known is None or (
                self._uids[known]
                and (not self._uids[node] or (self._replies[known] and not self._replies[node]))
            ):
                table[subject] = node
        yield
        merged: list[int] = []
        # Whatever is in the table and is no dummy stands before those it is merged with.
        placed: dict[int, int] = {}
        for at, node in enumerate(roots):
            if at % _SLICE == _SLICE - 1:
                yield
            subject = self._subjects[self._speaker(node)]
            known = table.get(subject, node) if subject else node
            if known == node:
                placed[node] = len(merged)
                merged.append(node)
            elif not self._uids[known]:
                # Both are dummies, or the one in the table is.
                gained = [node] if self._uids[node] else self._children.pop(node)
                self._children[known] += gained
            elif self._replies[node] and not self._replies[known]:
                self._children.setdefault(known, []).append(node)
            else:
                dummy = self._node()
                self._children[dummy] = [known, node]
                table[subject] = dummy
                merged[placed[known]] = dummy
        return merged
