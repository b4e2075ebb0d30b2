"""
Who subscribes to which folders: by name, as everybody has said of his own, and to
public folders that were announced when they were made, unless he has said no.
"""

from __future__ import annotations

from mailstore.engine.connection import Connection
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import Places
from mailstore.engine.users import PUBLIC, Viewer
from mailstore.errors import InvalidName, LimitReached, NoSuchUser
from mailstore.model import PUBLIC_ROOT, SEPARATOR, folderName

_PREFIX = PUBLIC_ROOT + SEPARATOR


def subscriptions(db: Connection, places: Places, viewer: Viewer, limits: EngineLimits) -> tuple[str, ...]:
    """
    The names that a viewer subscribes to, in order.  Of announced folders as many as there is room for.
    """
    if viewer.id is None or viewer.is_system:
        return ()
    said = dict(db.execute("SELECT name, wanted FROM subscriptions WHERE user = ?", (viewer.id,)))
    names = [name for name, wanted in said.items() if wanted]
    announced = db.execute("SELECT name, acl FROM folders WHERE announced = 1 ORDER BY name")
    for path, acl in announced:
        if len(names) >= limits.max_subscriptions:
            break
        name = _PREFIX + path
        if name not in said and "l" in places.rightsOn(db, viewer, PUBLIC, acl):
            names.append(name)
    return tuple(sorted(names))


def subscribe(db: Connection, viewer: Viewer, name: str, limits: EngineLimits) -> None:
    """
    Add a name.

    @raise InvalidName:
    @raise LimitReached: there are too many.
    @raise NoSuchUser: the viewer is none.
    """
    name = folderName(name)
    if viewer.id is None or viewer.is_system:
        raise NoSuchUser(f"{viewer.name!r} is no user and cannot subscribe")
    _say(db, viewer, name, 1, limits)


def unsubscribe(db: Connection, viewer: Viewer, name: str, limits: EngineLimits) -> None:
    """
    Take a name away, if it is there.

    @raise LimitReached: it is one that was announced, and what was said of such is too much.
    """
    try:
        name = folderName(name)
    except InvalidName:
        return
    if viewer.id is None or viewer.is_system:
        return
    path = name.removeprefix(_PREFIX)
    announced = (
        path != name
        and db.execute(
            "SELECT 1 FROM folders WHERE owner = ? AND name = ? AND announced = 1", (PUBLIC, path)
        ).fetchone()
    )
    if announced:
        _say(db, viewer, name, 0, limits)
    else:
        db.execute("DELETE FROM subscriptions WHERE user = ? AND name = ?", (viewer.id, name))


def _say(db: Connection, viewer: Viewer, name: str, wanted: int, limits: EngineLimits) -> None:
    db.execute(
        "INSERT INTO subscriptions (user, name, wanted) VALUES (?, ?, ?)"
        " ON CONFLICT (user, name) DO UPDATE SET wanted = excluded.wanted",
        (viewer.id, name, wanted),
    )
    (count,) = db.execute("SELECT count(*) FROM subscriptions WHERE user = ?", (viewer.id,)).fetchone()
    if count > limits.max_subscriptions:
        raise LimitReached(f"one can subscribe to at most {limits.max_subscriptions} folders")
