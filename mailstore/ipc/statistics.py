"""
The counters of the queues, under the names that administrators of Exchange know.
"""

from __future__ import annotations

import attrs

from transports.statistics import QueueStatistics


@attrs.frozen
class QueueCounters:
    """
    Outbound queues of one side, at one instant.
    """

    #: Messages accepted and not yet handled by the other side.
    queue_length: int = 0
    #: Blocks they hold.
    blocks_allocated: int = 0
    #: Blocks the queues have in all.
    blocks_capacity: int = 0
    #: The most blocks that one of the queues ever held at once.
    blocks_high_water: int = 0
    #: Messages refused because a queue was full, since the process began.
    refused_total: int = 0

    def past(self) -> QueueCounters:
        """
        What remains of these when the queues are gone.
        """
        return QueueCounters(blocks_high_water=self.blocks_high_water, refused_total=self.refused_total)


def countersOf(queue: QueueStatistics) -> QueueCounters:
    """
    The counters of one queue.
    """
    return QueueCounters(
        queue_length=queue.queue_length,
        blocks_allocated=queue.blocks_allocated,
        blocks_capacity=queue.blocks_capacity,
        blocks_high_water=queue.blocks_high_water,
        refused_total=queue.refused_total,
    )


def total(*counters: QueueCounters) -> QueueCounters:
    """
    Several queues together.
    """
    return QueueCounters(
        queue_length=sum(each.queue_length for each in counters),
        blocks_allocated=sum(each.blocks_allocated for each in counters),
        blocks_capacity=sum(each.blocks_capacity for each in counters),
        blocks_high_water=max((each.blocks_high_water for each in counters), default=0),
        refused_total=sum(each.refused_total for each in counters),
    )


def epoxyCounters(
    client_out: QueueCounters | None = None, store_out: QueueCounters | None = None
) -> dict[str, int]:
    """
    What to publish.  A process publishes the queues it sends to, because it
    alone knows them exactly; a process that is both sides adds them up.

    @param client_out: what L{RemoteStore.statistics<mailstore.ipc.client.RemoteStore>} says.
    @param store_out: what L{StoreServer.statistics<mailstore.ipc.server.StoreServer>} says.
    """
    client = QueueCounters() if client_out is None else client_out
    store = QueueCounters() if store_out is None else store_out
    both = total(client, store)
    return {
        "epoxy_client_out_queue_length": client.queue_length,
        "epoxy_store_out_queue_length": store.queue_length,
        "epoxy_blocks_allocated": both.blocks_allocated,
        "epoxy_blocks_capacity": both.blocks_capacity,
        "epoxy_refused_total": both.refused_total,
    }
