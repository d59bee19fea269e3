"""The metrics of one process, in a registry of its own."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rollgraph.adapters.prometheus.families import Family, Form

# The values of a metric's labels, and its value.
Reading: TypeAlias = tuple[tuple[str, ...], float]
Read: TypeAlias = Callable[[], Iterable[Reading]]


class Metrics:
    """What a process counts, and what is read of it when somebody looks.

    What happens is counted by counters and histograms. What merely is (a queue's length, a
    cluster's state) is read at the moment of the look, from whoever knows it.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._read = _Read()
        self.registry.register(self._read)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def counter(self, family: Family) -> Counter:
        """Counts; its name ends in `_total`, which the library adds by itself."""
        assert family.form is Form.COUNTER, family.name
        name = family.name.removesuffix("_total")
        return Counter(name, family.help, family.labels, registry=self.registry)

    def histogram(self, family: Family) -> Histogram:
        """Counts durations."""
        assert family.form is Form.HISTOGRAM, family.name
        return Histogram(
            family.name,
            family.help,
            family.labels,
            buckets=family.buckets,
            registry=self.registry,
        )

    def read(self, family: Family, read: Read) -> None:
        """Reads something at each look; of several who tell of the same, all are told.

        A counter may be read, too, from who counts all the same: it never goes down.
        """
        assert family.form is not Form.HISTOGRAM, family.name
        self._read.add(family, read)

    def exposed(self, accept: str) -> tuple[bytes, str]:
        """All of it as text, and the media type, as who asks likes it best."""
        try:
            encode, media_type = choose_encoder(accept)
        except (ValueError, TypeError):  # a version that is no number
            encode, media_type = choose_encoder("")
        return encode(self.registry), media_type


class _Read(Collector):
    def __init__(self) -> None:
        self._reads: dict[Family, list[Read]] = {}

    def add(self, family: Family, read: Read) -> None:
        self._reads.setdefault(family, []).append(read)

    def describe(self) -> tuple[()]:
        """Nothing yet: what is read is not there when the registry asks."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """All that is read, now."""
        for family, reads in self._reads.items():
            made = CounterMetricFamily if family.form is Form.COUNTER else GaugeMetricFamily
            name = family.name.removesuffix("_total")
            found = made(name, family.help, labels=family.labels)
            for labels, value in (each for read in reads for each in read()):
                found.add_metric(labels, value)
            yield found
