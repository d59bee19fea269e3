"""What the people of the company do: new versions, good and bad, and what they make of them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from rollgraph.simulation import company, person
from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.company import App
from rollgraph.simulation.manifests import Manifest, status_of
from rollgraph.simulation.person import Patch

MANAGER = "argocd-controller"

# Seconds that somebody takes to look at a rollout that waits for a person, from and to.
THINKING = (15.0, 60.0)
# What a new version is like: the ending of its tag, and how often. Errors are more frequent where
# an analysis finds them; elsewhere nobody sees any.
_KINDS = {"": 0.7, "-errors": 0.05, "-crash": 0.12, "-nopull": 0.06, "-slow": 0.07}
_ANALYSED = {"": 0.5, "-errors": 0.35, "-crash": 0.06, "-nopull": 0.03, "-slow": 0.06}


class Story:
    """The people of one cluster.

    Args:
        cluster: The cluster.
        apps: What it runs.
        rate: New versions a minute; 0 for none.
    """

    def __init__(self, cluster: Cluster, apps: list[App], rate: float) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._random = Random(cluster.random.getrandbits(64))
        self._apps = apps
        self._rate = rate
        # Rollouts that somebody has begun to look at.
        self._looked_at: set[tuple[str, str]] = set()

    def begin(self, now: datetime) -> None:
        """Applies everything, and makes plans."""
        for app in self._apps:
            for manifest in company.objects(app, company.version(self._random)):
                self._store.create(manifest, now, MANAGER)
        if self._rate > 0 and self._apps:
            self._plan_release(now)
            self._walk(now)

    # -- new versions ----------------------------------------------------------------------------

    def _plan_release(self, now: datetime) -> None:
        wait = self._random.expovariate(self._rate / 60)
        self._at(now, wait, self._release)

    def _release(self, now: datetime) -> None:
        self._plan_release(now)
        app = self._random.choice(self._apps)
        rollout = self._store.find("Rollout", app.team, app.name)
        if rollout is None or status_of(rollout).get("phase") != "Healthy":
            return
        image = rollout["spec"]["template"]["spec"]["containers"][0]["image"]
        tag = company.next_version(image.rpartition(":")[2], self._random)
        kinds = _ANALYSED if app.style in company.ANALYSED else _KINDS
        (kind,) = self._random.choices(list(kinds), list(kinds.values()))
        self._do(rollout, now, iter([person.set_image(rollout, f"{app.image}:{tag}{kind}")]))

    # -- looking after rollouts ------------------------------------------------------------------

    def _walk(self, now: datetime) -> None:
        """Somebody looks around for rollouts that wait or are broken, every few seconds."""
        for rollout in self._store.items("Rollout"):
            key = (rollout["metadata"]["namespace"], rollout["metadata"]["name"])
            if key not in self._looked_at and _wants_somebody(rollout):
                self._looked_at.add(key)
                self._at(now, self._random.uniform(*THINKING), self._attend(key))
        self._at(now, 5.0, self._walk)

    def _attend(self, key: tuple[str, str]) -> Callable[[datetime], None]:
        def attend(now: datetime) -> None:
            self._looked_at.discard(key)
            rollout = self._store.find("Rollout", *key)
            if rollout is not None and _wants_somebody(rollout):
                self._decide(rollout, now)

        return attend

    def _decide(self, rollout: Manifest, now: datetime) -> None:
        status, chance = status_of(rollout), self._random.random()
        if status["phase"] == "Paused":
            deed: Callable[[Manifest], Iterator[Patch]] = person.promote
            if chance < 0.15:
                deed = person.abort
            elif chance < 0.25:
                deed = person.promote_fully
            self._do(rollout, now, deed(rollout))
        elif status.get("abort") and chance < 0.3:
            self._do(rollout, now, person.retry(rollout))
        elif chance < 0.6 and self._can_undo(rollout):
            self._store.write(person.undo(self._store, rollout), now, person.MANAGER)
        else:
            self._fix(rollout, now)

    def _fix(self, rollout: Manifest, now: datetime) -> None:
        """A new version without the fault."""
        image = rollout["spec"]["template"]["spec"]["containers"][0]["image"]
        name, _, tag = image.rpartition(":")
        tag = company.next_version(tag, self._random)
        self._do(rollout, now, iter([person.set_image(rollout, f"{name}:{tag}")]))

    def _can_undo(self, rollout: Manifest) -> bool:
        sets = list(self._store.owned(rollout["metadata"]["uid"], "ReplicaSet"))
        return len(sets) > 1

    def _do(self, rollout: Manifest, now: datetime, patches: Iterator[Patch]) -> None:
        for patch in patches:
            person.apply(self._store, rollout, patch, now)

    def _at(self, now: datetime, seconds: float, call: Callable[[datetime], None]) -> None:
        self._cluster.timers.at(now + timedelta(seconds=seconds), call)


def _wants_somebody(rollout: Manifest) -> bool:
    """True for a rollout that waits for a person, or that does not get any further."""
    status = status_of(rollout)
    if status.get("phase") == "Degraded":
        return True
    pauses = status.get("pauseConditions") or ()
    return bool(pauses) and not _ends_by_itself(rollout)


def _ends_by_itself(rollout: Manifest) -> bool:
    strategy, status = rollout["spec"]["strategy"], status_of(rollout)
    if "blueGreen" in strategy:
        return bool(strategy["blueGreen"].get("autoPromotionSeconds"))
    index, steps = status.get("currentStepIndex", 0), strategy["canary"].get("steps") or []
    return index < len(steps) and bool((steps[index].get("pause") or {}).get("duration"))
