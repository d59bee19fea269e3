"""What workers have written to the feeds, read beside all gateways, straight from Redis."""

import threading

import anyio
import anyio.to_thread
from redis.asyncio import Redis

from acceptance.story import Fact, Facts, Place, State
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.cursors import fingerprint
from rollgraph.core.feed.entries import Entry, Position, Value
from rollgraph.core.view import RolloutView
from testbed.background import Background
from testbed.deadline import wait_until

# Seconds between two looks: a log keeps minutes, but Redis may lose it.
EVERY = 0.5
DRAINED_WITHIN = 20.0


class FeedLog(Background):
    """Reads along in a thread of its own, until the end of the ``with`` block.

    Redis may be away or lose what it has: then what was written since the last look is not known.

    Args:
        url: Where the Redis is.
        namespace: Where the rollouts are that are of interest.
    """

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__("feed-log")
        self._url = url
        self._namespace = namespace
        self._facts: Facts = {}
        self._states: dict[Place, State] = {}
        self._positions: dict[str, Position] = {}
        self._looks = 0
        self._lock = threading.Lock()

    def drain(self) -> Facts:
        """All that is written by now and was not given before. Fails if Redis does not answer."""
        begun = self._looks
        wait_until(
            lambda: None if self._looks > begun + 1 else "Redis is away",
            seconds=DRAINED_WITHIN,
            what="the feeds are read to their end",
        )
        with self._lock:
            found, self._facts = self._facts, {}
        return found

    def _work(self) -> None:
        anyio.run(self._read_on)

    async def _read_on(self) -> None:
        redis = Redis.from_url(self._url, socket_timeout=5)
        broker = RedisBroker(redis)
        try:
            while not self._ending.is_set():
                try:
                    for cluster, position in (await broker.positions()).items():
                        await self._read(broker, cluster, position)
                    self._looks += 1
                except BrokerError:
                    pass  # away; or what is there changed meanwhile
                await anyio.to_thread.run_sync(self._ending.wait, EVERY)
        finally:
            await redis.aclose()

    async def _read(self, broker: RedisBroker, cluster: str, position: Position) -> None:
        known = self._positions.get(cluster)
        if known is None or known.epoch != position.epoch:
            known = Position(position.epoch, 0)
        entries = await broker.log(cluster, known)
        if entries is None:
            snapshot = await broker.snapshot(cluster)
            if snapshot is None:
                return
            for entry in snapshot.entries:
                self._note(cluster, entry)
            self._positions[cluster] = snapshot.position
            return
        for entry in entries:
            known = Position(known.epoch, entry.seq)
            fact = self._note(cluster, entry)
            if fact is not None:
                with self._lock:
                    feed = self._facts.setdefault(fingerprint(cluster, known.epoch), {})
                    feed[entry.seq] = fact
        self._positions[cluster] = known

    def _note(self, cluster: str, entry: Entry) -> Fact | None:
        if entry.subject is None or entry.subject.namespace != self._namespace:
            return None
        place = (cluster, entry.subject.name)
        before, after = self._states.pop(place, None), _state(entry.value)
        if after is not None:
            self._states[place] = after
        return Fact(place, before, after)


def _state(value: Value) -> State | None:
    if not isinstance(value, RolloutView):
        return None
    metadata = value.rollout.metadata
    return State(metadata.uid, int(metadata.resource_version), value.phase.name)
