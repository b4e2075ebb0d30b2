"""
What a process counts, for Prometheus: served at C{/metrics} over HTTP.

Nothing is computed before somebody asks: sessions and channels count by
themselves, in plain numbers, and what is here reads those when it is scraped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

import attrs
from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from mailstore.config import ConfigError
from mailstore.imap.frontend import FrontEnd
from mailstore.ipc.statistics import QueueCounters, epoxyCounters
from mailstore.lmtp.courier import Courier
from mailstore.timings import BUCKETS, Timings

#: Connections at once.
MAX_CONNECTIONS = 20

#: Seconds that a client may take for its request.
TIMEOUT = 30.0

_HELP = {
    "epoxy_client_out_queue_length": "Requests accepted by the queues to the store and not yet handled there",
    "epoxy_store_out_queue_length": "Answers accepted by the queues to front ends and not yet handled there",
    "epoxy_blocks_allocated": "Blocks that messages in this process's queues hold",
    "epoxy_blocks_capacity": "Blocks that this process's queues have in all",
    "epoxy_refused_total": "Messages refused because a queue was full",
}

_LABELS = ("protocol", "transport")


@attrs.frozen
class Sources:
    """
    What is counted in this process.
    """

    #: C{memory}, C{unix}, C{tcp}, C{shm} or another transport's name.
    transport: str
    #: Makes, when it is called, the counters of the queues to the store, by protocol.
    client_out: Callable[[], dict[str, QueueCounters]] = dict
    #: Makes, when it is called, the counters of the queues to front ends, by protocol.
    store_out: Callable[[], dict[str, QueueCounters]] = dict
    #: What IMAP sessions share; C{None} if there are none.
    imap: FrontEnd | None = None
    #: What LMTP sessions share; C{None} if there are none.
    lmtp: Courier | None = None


class Collector:
    """
    Reads the counters, as C{prometheus_client} wants it.
    """

    def __init__(self, sources: Sources) -> None:
        """
        @raise ConfigError: C{prometheus_client} is not installed.
        """
        self._sources = sources
        try:
            from prometheus_client import core
        except ImportError as error:
            raise ConfigError(
                "[metrics] needs prometheus_client, which is not installed: pip install 'mailstore[metrics]'"
            ) from error
        self._core: Any = core

    def collect(self) -> Iterator[Any]:
        """
        Everything, as of now.
        """
        yield from self._queues()
        if self._sources.imap is not None:
            yield from self._imap(self._sources.imap)
        if self._sources.lmtp is not None:
            yield from self._lmtp(self._sources.lmtp)

    def _queues(self) -> Iterator[Any]:
        sources = self._sources
        client, store = sources.client_out(), sources.store_out()
        families = {
            name: (
                self._core.CounterMetricFamily(name.removesuffix("_total"), text, labels=_LABELS)
                if name.endswith("_total")
                else self._core.GaugeMetricFamily(name, text, labels=_LABELS)
            )
            for name, text in _HELP.items()
        }
        for protocol in sorted({*client, *store}):
            values = epoxyCounters(client.get(protocol), store.get(protocol))
            for name, family in families.items():
                family.add_metric((protocol, sources.transport), values[name])
        yield from families.values()

    def _imap(self, front: FrontEnd) -> Iterator[Any]:
        yield self._core.GaugeMetricFamily("imap_connections", "IMAP connections now", front.sessions)
        commands = self._core.CounterMetricFamily(
            "imap_commands", "Commands, by their name and tagged reply", labels=("command", "result")
        )
        for (command, result), count in sorted(front.commands.items()):
            # A command that does not exist has no name, whatever the client has called it.
            commands.add_metric((command or "unknown", result), count)
        yield commands
        yield self._seconds(
            "imap_command_seconds", "From a command to its tagged reply, without IDLE", front.timings
        )

    def _lmtp(self, courier: Courier) -> Iterator[Any]:
        yield self._core.GaugeMetricFamily("lmtp_connections", "LMTP connections now", courier.sessions)
        yield self._core.CounterMetricFamily(
            "lmtp_connections_refused", "LMTP connections that were one too many", courier.turned_away
        )
        for name, text, counts in (
            ("lmtp_offered", "Replies to RCPT: accepted, refused (5xx) or deferred (4xx)", courier.offered),
            (
                "lmtp_recipients",
                "Replies about recipients after a message: delivered, refused (5xx) or deferred (4xx)",
                courier.recipients,
            ),
        ):
            family = self._core.CounterMetricFamily(name, text, labels=("result",))
            for result, count in sorted(counts.items()):
                family.add_metric((result,), count)
            yield family
        yield self._seconds(
            "lmtp_delivery_seconds", "From a message's end to its commit in the store", courier.timings
        )

    def _seconds(self, name: str, text: str, timings: Timings) -> Any:
        ends: Iterable[str] = (*map(str, BUCKETS), "+Inf")
        buckets = list(zip(ends, accumulate(timings.counts), strict=True))
        return self._core.HistogramMetricFamily(name, text, buckets, timings.total)


class _Metrics(Resource):
    """
    C{/metrics}.
    """

    isLeaf = True

    def __init__(self, registry: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._registry = registry

    def render_GET(self, request: Any) -> bytes:
        """
        All values, in the form that the client asks for.
        """
        from prometheus_client import exposition

        choose: Any = exposition.choose_encoder
        encode, kind = choose((request.getHeader(b"accept") or b"").decode("latin-1"))
        request.setHeader(b"content-type", kind.encode("ascii"))
        body: bytes = encode(self._registry)
        return body


class _Request(Request):
    """
    A request without a body.
    """

    def gotLength(self, length: int | None) -> None:
        """
        The headers have come.  Twisted would keep a body of any length.
        """
        if length == 0:
            super().gotLength(length)  # type: ignore[no-untyped-call]
        else:
            self.channel.forceAbortClient()  # type: ignore[no-untyped-call]


class _Bounded(WrappingFactory):
    """
    Not too many connections.
    """

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        One more, if it fits.
        """
        fits = len(self.protocols) < MAX_CONNECTIONS
        return super().buildProtocol(addr) if fits else None


def metricsFactory(sources: Sources, reactor: Any) -> Any:
    """
    What serves the metrics of this process: a factory of HTTP connections.

    @raise ConfigError: C{prometheus_client} is not installed.
    """
    collector = Collector(sources)
    from prometheus_client import ProcessCollector
    from prometheus_client.registry import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    ProcessCollector(registry=registry)
    root: Any = Resource()  # type: ignore[no-untyped-call]
    root.putChild(b"metrics", _Metrics(registry))
    site: Any = Site(root, requestFactory=_Request, timeout=TIMEOUT, reactor=reactor)  # type: ignore[no-untyped-call]
    site.noisy = False
    return _Bounded(site)  # type: ignore[no-untyped-call]
