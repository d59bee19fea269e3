"""Events of Kubernetes that are about a Rollout: what the controller did, and why not."""

from datetime import datetime

from rollgraph.core.objects.meta import EPOCH, KubeObject, Read, Time

# Per rollout. An update of some steps makes about two dozen, and an API server keeps them for an
# hour: a rollout that is updated twice a minute would fill the memory with what nobody reads.
MAX_EVENTS = 50


class InvolvedObject(Read, frozen=True):
    """What an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class EventSource(Read, frozen=True):
    """Who reported an event, in its older form."""

    component: str = ""


class EventSeries(Read, frozen=True):
    """How often an event came again, in its newer form."""

    count: int = 0
    last_observed_time: Time | None = None


class KubeEvent(KubeObject, frozen=True):
    """An event. Both forms of Kubernetes are read: with `count`, and with `series`.

    An API server forgets events, after an hour by default.
    """

    involved_object: InvolvedObject = InvolvedObject()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None
    series: EventSeries | None = None
    source: EventSource = EventSource()
    reporting_component: str = ""

    @property
    def age_key(self) -> tuple[datetime, str]:
        """Orders events by when they happened last; the latest is the greatest."""
        return self.last_seen or EPOCH, self.metadata.name

    @property
    def times(self) -> int:
        """How often it happened, once at least."""
        series = self.series.count if self.series else 0
        return max(self.count or 0, series, 1)

    @property
    def first_seen(self) -> datetime | None:
        """When it happened first."""
        return self.first_timestamp or self.event_time or self.metadata.creation_timestamp

    @property
    def last_seen(self) -> datetime | None:
        """When it happened last."""
        series = self.series.last_observed_time if self.series else None
        return series or self.last_timestamp or self.event_time or self.first_seen

    @property
    def reporter(self) -> str:
        """Who reported it."""
        return self.reporting_component or self.source.component
