"""
Who sees which folders: versions of trees, and their enumeration.

A version names the generation of a tree and the sets of rights in it that let
the viewer look folders up.  Who sees through the same sets sees the same
folders, so all of them share one enumeration, which is kept by its version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import itemgetter

from mailstore.engine.connection import Connection
from mailstore.engine.dialect import BY_SHARING
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import Places
from mailstore.engine.users import PUBLIC, Viewer
from mailstore.errors import StaleListing
from mailstore.lru import Cache
from mailstore.model import OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, FolderColumns, TreeVersion, uint64s

PERSONAL_TREE = "personal"
OTHERS_TREE = "others"
PUBLIC_TREE = "public"

# A row of an enumeration: name as shown, identity (0 for a node), special use, rights' row, owner.
_Row = tuple[str, int, str, int, int]

_META = "SELECT value FROM meta WHERE key = ?"

_OWN = (
    "SELECT name, CASE selectable WHEN 1 THEN id ELSE 0 END, special_use, acl, owner FROM folders"
    " WHERE owner = ? ORDER BY name"
)
_OTHERS = (
    "SELECT u.name || '/' || f.name, CASE f.selectable WHEN 1 THEN f.id ELSE 0 END, f.special_use, f.acl,"
    " f.owner FROM folders f {indexed} JOIN users u ON u.id = f.owner WHERE {which}"
)
_SHARED = _OTHERS.format(indexed=BY_SHARING, which="f.owner > 0 AND f.acl > 1")
_ALL_OTHERS = _OTHERS.format(indexed="", which="f.owner > 0")


class Hierarchy:
    """
    Versions and enumerations of trees.
    """

    def __init__(self, places: Places, limits: EngineLimits) -> None:
        self._places = places
        self._limits = limits
        self._identity = ""
        self._enumerations: Cache[TreeVersion, tuple[FolderColumns, ...]] = Cache(limits.tree_cache)
        # By generation: the sets of rights that folders of the public tree, and
        # folders shared by their owners, have.
        self._public_acls: tuple[int, tuple[int, ...]] = (-1, ())
        self._shared_acls: tuple[int, tuple[tuple[int, int], ...]] = (-1, ())
        # By generation: all rows of the public tree, shared by all its enumerations.
        self._public_rows: tuple[int, tuple[_Row, ...]] = (-1, ())

    def forget(self) -> None:
        """
        Read everything again.
        """
        self._enumerations.clear()
        self._public_acls = (-1, ())
        self._shared_acls = (-1, ())
        self._public_rows = (-1, ())

    # --- versions ---

    def trees(self, db: Connection, viewer: Viewer) -> tuple[TreeVersion, TreeVersion, TreeVersion]:
        """
        The versions of the three trees as a viewer sees them.
        """
        if not self._identity:
            self._identity = _value(db, "identity")
        return (self._personal(db, viewer), self._others(db, viewer), self._public(db, viewer))

    def _personal(self, db: Connection, viewer: Viewer) -> TreeVersion:
        if viewer.id is None or viewer.is_system:
            return TreeVersion(PERSONAL_TREE, "")
        generation = _generation(db, viewer.id)
        return TreeVersion(PERSONAL_TREE, f"{self._identity}.{viewer.id}.{generation}")

    def _others(self, db: Connection, viewer: Viewer) -> TreeVersion:
        if viewer.is_system:
            return TreeVersion(OTHERS_TREE, f"{self._identity}.{_value(db, 'personal')}")
        generation = int(_value(db, "shared"))
        visible = self._sharedVisible(db, viewer, generation)
        if not visible:
            return TreeVersion(OTHERS_TREE, "")
        # Who shares folders himself does not find them here, and so sees a list of his own.
        sharing = any(owner == viewer.id for owner, _ in self._sharedAcls(db, generation))
        own = viewer.id if sharing else 0
        return TreeVersion(OTHERS_TREE, f"{self._identity}.{generation}.{_digest(visible)}.{own}")

    def _public(self, db: Connection, viewer: Viewer) -> TreeVersion:
        generation = _generation(db, PUBLIC)
        visible = self._publicVisible(db, viewer, generation)
        return TreeVersion(PUBLIC_TREE, f"{self._identity}.{generation}.{_digest(visible)}")

    def _publicVisible(self, db: Connection, viewer: Viewer, generation: int) -> list[int]:
        if self._public_acls[0] != generation:
            found = db.execute("SELECT DISTINCT acl FROM folders WHERE owner = ? ORDER BY acl", (PUBLIC,))
            self._public_acls = (generation, tuple(acl for (acl,) in found))
        rights = self._places.rightsOn
        return [acl for acl in self._public_acls[1] if "l" in rights(db, viewer, PUBLIC, acl)]

    def _sharedAcls(self, db: Connection, generation: int) -> tuple[tuple[int, int], ...]:
        if self._shared_acls[0] != generation:
            found = db.execute(
                f"SELECT DISTINCT owner, acl FROM folders {BY_SHARING} WHERE owner > 0 AND acl > 1"
            )
            self._shared_acls = (generation, tuple(sorted(found)))
        return self._shared_acls[1]

    def _sharedVisible(self, db: Connection, viewer: Viewer, generation: int) -> list[int]:
        acls = sorted({acl for owner, acl in self._sharedAcls(db, generation) if owner != viewer.id})
        return [acl for acl in acls if "l" in self._places.acls.rights(db, acl, viewer)]

    # --- enumeration ---

    def enumeration(self, db: Connection, viewer: Viewer, tree: TreeVersion) -> tuple[FolderColumns, ...]:
        """
        All folders of a tree, in batches.

        @raise StaleListing: the viewer's version of that tree is another one now.
        """
        if tree not in self.trees(db, viewer):
            raise StaleListing("the folders have changed since their version was asked for")
        found = self._enumerations.get(tree)
        if found is None:
            found = tuple(self._batches(self._rows(db, viewer, tree.tree)))
            self._enumerations.put(tree, found)
        return found

    def _rows(self, db: Connection, viewer: Viewer, tree: str) -> Iterable[_Row]:
        if tree == PERSONAL_TREE:
            return () if viewer.id is None or viewer.is_system else db.execute(_OWN, (viewer.id,))
        if tree == OTHERS_TREE:
            return self._othersRows(db, viewer)
        generation = _generation(db, PUBLIC)
        if self._public_rows[0] != generation:
            rows = db.execute(_OWN, (PUBLIC,))
            next(rows)
            prefix = PUBLIC_ROOT + SEPARATOR
            self._public_rows = (generation, tuple((prefix + row[0], *row[1:]) for row in rows))
        visible = frozenset(self._publicVisible(db, viewer, generation))
        root: _Row = (PUBLIC_ROOT, 0, "", 0, PUBLIC)
        return chain((root,), _withParents(row for row in self._public_rows[1] if row[3] in visible))

    def _othersRows(self, db: Connection, viewer: Viewer) -> Iterable[_Row]:
        rows: Iterable[_Row]
        if viewer.is_system:
            rows = db.execute(_ALL_OTHERS)
        else:
            visible = frozenset(self._sharedVisible(db, viewer, int(_value(db, "shared"))))
            rows = (row for row in db.execute(_SHARED) if row[3] in visible and row[4] != viewer.id)
        prefix = OTHERS_ROOT + SEPARATOR
        return _withParents(sorted(((prefix + row[0], *row[1:]) for row in rows), key=itemgetter(0)))

    def _batches(self, rows: Iterable[_Row]) -> Iterator[FolderColumns]:
        pending: list[_Row] = []
        size = 0
        for row in rows:
            cost = len(row[0].encode()) + len(row[2]) + 16
            if pending and (
                size + cost > self._limits.batch_bytes or len(pending) >= self._limits.batch_rows
            ):
                yield _columns(pending)
                pending, size = [], 0
            pending.append(row)
            size += cost
        if pending:
            yield _columns(pending)


def _columns(rows: list[_Row]) -> FolderColumns:
    return FolderColumns(
        names=tuple(row[0] for row in rows),
        ids=uint64s(row[1] for row in rows).tobytes(),
        special_uses=tuple(row[2] for row in rows),
        selectable=bytes(row[1] != 0 for row in rows),
    )


def _withParents(rows: Iterable[_Row]) -> Iterator[_Row]:
    """
    Rows in the order of their names, with a node for each parent that is not
    among them: its name can be read from its children's anyway.
    """
    missing: list[_Row] = []
    seen: set[str] = {PUBLIC_ROOT}
    kept: list[_Row] = []
    for row in rows:
        kept.append(row)
        seen.add(row[0])
        parent = row[0].rpartition(SEPARATOR)[0]
        while parent and parent not in seen:
            seen.add(parent)
            missing.append((parent, 0, "", 0, row[4]))
            parent = parent.rpartition(SEPARATOR)[0]
    if not missing:
        return iter(kept)
    return iter(sorted(chain(kept, missing), key=itemgetter(0)))


def _value(db: Connection, key: str) -> str:
    (value,) = db.execute(_META, (key,)).fetchone()
    return str(value)


def _generation(db: Connection, owner: int) -> int:
    row = db.execute("SELECT generation FROM trees WHERE owner = ?", (owner,)).fetchone()
    return 0 if row is None else int(row[0])


def _digest(numbers: list[int]) -> str:
    return hashlib.blake2b(",".join(map(str, numbers)).encode(), digest_size=12).hexdigest()
