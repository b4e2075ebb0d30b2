"""
The bounds of the traffic between a front end and a store.
"""

from __future__ import annotations

import attrs

from mailstore.bounds import between


@attrs.frozen
class IpcLimits:
    """
    How much one channel may ask, hold and wait.  The numbers both ends must
    respect are agreed when the channel opens: the smaller of the two.

    @raise ValueError: a bound that makes no sense; the message names it.
    """

    #: Seconds that a request may wait for room before it is refused with
    #: L{StoreBusy<mailstore.errors.StoreBusy>}; 0 refuses at once.
    patience: float = attrs.field(default=5.0, validator=between(0, 3600))
    #: Seconds that the store has to begin a request, or to make the next batch.
    deadline: float = attrs.field(default=60.0, validator=between(0.001, 86400))
    #: Seconds beyond C{deadline} after which the front end gives up by itself.
    grace: float = attrs.field(default=2.0, validator=between(0.001, 3600))
    #: Batches that one request may have in flight (agreed).
    window: int = attrs.field(default=4, validator=between(1, 1024))
    #: Batches that all requests of a front end together may have in flight beyond one for
    #: each; while so many are, further requests have one only.  It bounds what clients that do not
    #: read make the front end hold: about 200 KiB each, and up to 64 KiB for each of these.
    max_ahead: int = attrs.field(default=1024, validator=between(0, 1 << 20))
    #: Requests without their final answer on one channel (agreed).  A client that does not
    #: read keeps up to two open, so at fewer than twice the sessions of a front end slow clients can
    #: take the places of the others.
    max_calls: int = attrs.field(default=32_768, validator=between(1, 1 << 20))
    #: Bytes of all those requests together (agreed).
    max_held: int = attrs.field(default=256 << 20, validator=between(4096, 1 << 40))
    #: Bytes of one request (agreed).
    max_request: int = attrs.field(default=4 << 20, validator=between(4096, 1 << 30))
    #: Bytes of one answer, batch or event (agreed).
    max_reply: int = attrs.field(default=32 << 20, validator=between(4096, 1 << 30))
    #: Requests of one front end that may stand in line for room.
    max_waiting: int = attrs.field(default=4096, validator=between(0, 1 << 20))
    #: Channels that a store serves at once.
    max_front_ends: int = attrs.field(default=1024, validator=between(1, 1 << 20))
    #: Messages that one channel may be bringing in at once.
    max_uploads: int = attrs.field(default=256, validator=between(1, 1 << 20))
    #: A message of at most so many bytes travels inside its append request.
    inline_upload: int = attrs.field(default=64 << 10, validator=between(0, 1 << 24))
    #: How many such messages a front end holds at once; more go piece by piece.
    max_inline_uploads: int = attrs.field(default=1024, validator=between(0, 1 << 20))
    #: Bytes of one piece of a bigger one.
    upload_piece: int = attrs.field(default=64 << 10, validator=between(1, 1 << 24))
    #: Bytes of answers waiting for room in a channel beyond which the store
    #: runs nothing more for it.
    max_backlog: int = attrs.field(default=1 << 20, validator=between(1, 1 << 30))
    #: Changed folders waiting to be told to a front end; more become "everything changed".
    max_dirty: int = attrs.field(default=4096, validator=between(1, 1 << 20))
    #: Seconds between looks for changes made by other processes; 0 for never.
    poll_interval: float = attrs.field(default=1.0, validator=between(0, 86400))
    #: Seconds between the pieces of work that a store has left undone (its search index), each of
    #: which takes it some hundredths of a second.
    chore_interval: float = attrs.field(default=0.02, validator=between(0.001, 86400))
    #: Seconds between rounds through the folders for messages that have stayed long enough; 0 for never.
    expire_interval: float = attrs.field(default=60.0, validator=between(0, 86400))
    #: Seconds that a store works before it lets the reactor look at other things.
    slice_budget: float = attrs.field(default=0.005, validator=between(0, 1))
    #: Seconds before the first attempt to connect again, doubled up to
    #: C{max_reconnect_delay}.
    reconnect_delay: float = attrs.field(default=0.1, validator=between(0.001, 3600))
    #: Seconds between attempts to connect, at most.
    max_reconnect_delay: float = attrs.field(default=5.0, validator=between(0.001, 3600))

    def __attrs_post_init__(self) -> None:
        if self.max_held < self.max_request:
            raise ValueError("max_held must be at least max_request")
        if max(self.inline_upload, self.upload_piece) + 4096 > self.max_request:
            raise ValueError("max_request must be at least 4096 more than inline_upload and upload_piece")
