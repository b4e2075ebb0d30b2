"""
What a queue tells about itself.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class QueueStatistics:
    """
    One direction of a channel at one instant.  Totals count from the opening
    of the channel.
    """

    #: Blocks held by messages that were accepted and whose handler has not returned.
    blocks_allocated: int
    #: Blocks the queue has in all.
    blocks_capacity: int
    #: Bytes in one block.
    block_size: int
    #: The most blocks that were ever allocated at once.
    blocks_high_water: int
    #: Messages accepted and not yet handled.
    queue_length: int
    #: Messages accepted.
    enqueued_total: int
    #: Messages whose blocks have been given back.
    dequeued_total: int
    #: Messages refused because the queue was full.
    refused_total: int
    #: Messages refused because they could never fit.
    too_large_total: int
    #: Bytes of all accepted messages, without headers.
    bytes_total: int
    #: Seconds since the oldest message still queued was accepted; 0.0 when empty.
    oldest_age: float
