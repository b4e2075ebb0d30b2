"""
Messages on their way in: in memory while they are small, in a temporary file
without a name when they are not.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import tempfile
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from typing import IO

from zope.interface import implementer

from mailstore.engine.errors import translated
from mailstore.engine.limits import EngineLimits
from mailstore.errors import InvalidRequest, LimitReached, MessageTooBig
from mailstore.interfaces import IUpload
from mailstore.message.lines import Buffer

#: Bytes that are read from a file at once.
_READ = 128 * 1024


class Spool:
    """
    The bytes of one message, gathered.
    """

    def __init__(self, memory: int) -> None:
        self.size = 0
        self._memory = memory
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._mapped: mmap | None = None

    @classmethod
    def ofBytes(cls, data: bytes) -> Spool:
        """
        One that holds C{data}.
        """
        spool = cls(len(data))
        spool.write(data)
        return spool

    def write(self, data: bytes) -> None:
        """
        Add a piece.
        """
        self._hash.update(data)
        self.size += len(data)
        if self._file is None and self.size > self._memory:
            self._file = tempfile.TemporaryFile(prefix="mailstore-")  # noqa: SIM115
            self._file.write(b"".join(self._pieces))
            self._pieces = []
        if self._file is not None:
            self._file.write(data)
        else:
            self._pieces.append(data)

    def digest(self) -> bytes:
        """
        Its SHA-256.
        """
        return self._hash.digest()

    def buffer(self) -> Buffer:
        """
        All of it, without having it in memory when it is big.
        """
        if self._file is None:
            if len(self._pieces) != 1:
                self._pieces = [b"".join(self._pieces)]
            return self._pieces[0]
        if self._mapped is None:
            self._file.flush()
            self._mapped = mmap(self._file.fileno(), 0, access=ACCESS_READ)
        return self._mapped

    def chunks(self, size: int) -> Iterator[bytes]:
        """
        All of it, in pieces of this size.
        """
        buffer = self.buffer()
        return (buffer[at : at + size] for at in range(0, len(buffer), size))

    def close(self) -> None:
        """
        Throw it away.
        """
        self._pieces = []
        if self._mapped is not None:
            # Another thread may still be reading when nobody waits for it any more; then it is closed when
            # that has finished.
            with contextlib.suppress(BufferError):
                self._mapped.close()
            self._mapped = None
        if self._file is not None:
            # What could not be written when the disk was full is tried again here; it is not wanted.
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


@implementer(IUpload)
class Upload:
    """
    A message that is handed in piece by piece.
    """

    def __init__(self, uploads: Uploads, token: int, user: str, most: int, exact: bool, memory: int) -> None:
        """
        @param most: bytes that it may have.
        @param exact: it has to have as many.
        """
        self.token = token
        self.user = user
        self.announced = most
        self.exact = exact
        self.spool = Spool(memory)
        self._uploads = uploads

    async def write(self, data: bytes) -> None:
        if not self._uploads.holds(self):
            raise InvalidRequest("the upload is over")
        if self.spool.size + len(data) > self.announced:
            raise MessageTooBig(f"more than the {self.announced} bytes that were announced")
        with translated:
            try:
                self.spool.write(data)
            except BaseException:
                # Some of it may be missing: what follows must not be taken for the message.
                self.discard()
                raise

    def discard(self) -> None:
        self._uploads.take(self.token, self.user)
        self.spool.close()


class Uploads:
    """
    The uploads under way.
    """

    def __init__(self, limits: EngineLimits) -> None:
        self._limits = limits
        self._tokens = itertools.count(1)
        # Where the files go is found out now, by trying: later there might be none left to try with.
        with contextlib.suppress(OSError):
            tempfile.gettempdir()
        self._uploads: dict[int, Upload] = {}

    def __len__(self) -> int:
        return len(self._uploads)

    def begin(self, user: str, size: int | None) -> Upload:
        """
        A new one.

        @param size: bytes that it is going to have; C{None} if that is not known.

        @raise MessageTooBig:
        @raise LimitReached: there are too many.
        @raise InvalidRequest: no message has such a size.
        """
        exact = size is not None
        if size is None:
            size = self._limits.max_message
        if size < 0:
            raise InvalidRequest("a message cannot have less than no bytes")
        if size > self._limits.max_message:
            raise MessageTooBig(f"a message can have at most {self._limits.max_message} bytes")
        if len(self._uploads) >= self._limits.max_uploads:
            raise LimitReached(f"at most {self._limits.max_uploads} messages can be handed in at once")
        upload = Upload(self, next(self._tokens), user, size, exact, self._limits.upload_memory)
        self._uploads[upload.token] = upload
        return upload

    def holds(self, upload: Upload) -> bool:
        """
        Whether it is still under way.
        """
        return self._uploads.get(upload.token) is upload

    def take(self, token: int, user: str) -> Upload | None:
        """
        End one; C{None} when this user has none with this token.
        """
        upload = self._uploads.get(token)
        if upload is None or upload.user != user:
            return None
        del self._uploads[token]
        return upload

    def close(self) -> None:
        """
        End all of them.
        """
        for upload in list(self._uploads.values()):
            upload.discard()
