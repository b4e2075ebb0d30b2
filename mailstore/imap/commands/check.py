"""
CHECK (RFC 3501 section 6.4.1).
"""

from __future__ import annotations

from mailstore.imap.command import Command, nothing
from mailstore.imap.commands.noop import run
from mailstore.imap.states import SELECTED

# Everything acknowledged is on disk already, so no checkpoint is left to make.
COMMANDS = (Command("CHECK", SELECTED, nothing, run),)
