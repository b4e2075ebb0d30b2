"""
Looking for everything in a store that contradicts something else in it, and mending it.

Invariants:

  - Nothing is mended at the cost of mail: what is a message, or may have been one, is still in the
    store afterwards.  What has lost its place is found in public folders below
    C{Lost and Found}, on which only the system has rights.  What cannot be mended so
    is named and left.
  - A fault is mended in the write transaction in which it was found (again).
  - What is mended is told to all who have the store open as any other change is: mod-sequences
    and generations grow.
  - Other programs may use the store meanwhile.  What every commit leaves true is looked
    at in one transaction; contents, which never change, and the search index a slice at a time.

A check (L{Check<mailstore.engine.checking.findings.Check>}) is a generator of faults; L{CHECKS
<mailstore.engine.checking.checker.CHECKS>} has them in the order in which they can be mended.
"""

from __future__ import annotations

from mailstore.engine.checking.checker import CHECKS, Checker, CheckStopped
from mailstore.engine.checking.findings import Finding, Report

__all__ = ("CHECKS", "CheckStopped", "Checker", "Finding", "Report")
