"""
The methods of a store as they cross a channel: for each request, how its answer
is typed and how it is carried out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

import attrs

from mailstore.errors import InvalidRequest
from mailstore.interfaces import IStore
from mailstore.ipc import messages as m
from mailstore.ipc.codec import Decoder
from mailstore.model import (
    AppendResult,
    CopyResult,
    Credentials,
    FetchBatch,
    FlagsStored,
    FolderColumns,
    FolderDelta,
    FolderStatus,
    NewMessage,
    OpenFolder,
    TreeVersion,
    UidSet,
)
from mailstore.interfaces import IUpload


class IpcSession:
    """
    x
    """


