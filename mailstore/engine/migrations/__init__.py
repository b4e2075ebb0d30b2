"""
The steps from an empty database to the present schema.

Step number C{n} brings a database of version C{n - 1} to version C{n}
(C{PRAGMA user_version}).  A step that was released is never changed; a change
of the schema is a new step at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from mailstore.engine.migrations import (
    m0001_initial,
    m0002_finding,
    m0003_delivery,
    m0004_groups,
    m0005_announced,
    m0006_slices,
)

#: What brings a database from one version to the next, in order.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m0001_initial.upgrade,
    m0002_finding.upgrade,
    m0003_delivery.upgrade,
    m0004_groups.upgrade,
    m0005_announced.upgrade,
    m0006_slices.upgrade,
)
