"""The company whose clusters are simulated: what it runs, where, and how it rolls out."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from rollgraph.simulation.manifests import Manifest

REGISTRY = "registry.example.com"
# Clusters and the labels that an operator gives them.
CLUSTERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("eu-west", {"region": "eu-west-1", "environment": "production"}),
    ("us-east", {"region": "us-east-1", "environment": "production"}),
    ("staging", {"region": "eu-west-1", "environment": "staging"}),
    ("ap-south", {"region": "ap-south-1", "environment": "production"}),
    ("sa-east", {"region": "sa-east-1", "environment": "production"}),
)
# Applications by team; the team is the namespace.
TEAMS: dict[str, tuple[str, ...]] = {
    "shop": ("checkout", "cart", "catalog", "storefront"),
    "payments": ("payments", "invoices", "fraud"),
    "search": ("search", "suggest", "ranking"),
    "accounts": ("login", "profile", "notifications"),
    "logistics": ("shipping", "tracking", "warehouse"),
}
METRICS = "success-rate"


@dataclass(frozen=True)
class App:
    """One application in one cluster."""

    team: str
    name: str
    style: str
    replicas: int

    @property
    def image(self) -> str:
        """Its image without a tag."""
        return f"{REGISTRY}/{self.team}/{self.name.partition('-')[0]}"


def cluster(index: int) -> tuple[str, dict[str, str]]:
    """The name and labels of a cluster by its number."""
    if index < len(CLUSTERS):
        return CLUSTERS[index]
    return f"edge-{index - len(CLUSTERS) + 1:02}", {"environment": "edge"}


# How applications roll out; the first is the canary of the Argo Rollouts documentation.
STYLES = ("guestbook", "timed", "analysed", "blue-green", "background", "rolling", "preview")
ANALYSED = ("analysed", "background")


def apps(count: int, first: int, clusters: int) -> Iterator[App]:
    """The applications of one cluster; all clusters together have `count`.

    As in a real fleet, the same applications run in each cluster, and roll out in the same way.
    """
    names = [(team, name) for team, members in TEAMS.items() for name in members]
    # Team by team would put all of a small fleet into one namespace.
    names.sort(key=lambda item: TEAMS[item[0]].index(item[1]))
    for number in range(len(range(first, count, clusters))):
        team, name = names[number % len(names)]
        again = number // len(names)
        style = STYLES[number % len(STYLES)]
        replicas = 5 if style == "guestbook" else 2 + number % 3
        yield App(team, f"{name}-{again + 1}" if again else name, style, replicas)


def objects(app: App, version: str) -> Iterator[Manifest]:
    """What is applied to a cluster for an application."""
    meta = {"namespace": app.team}
    if app.style in ("blue-green", "preview"):
        for role in ("active", "preview"):
            yield {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {**meta, "name": f"{app.name}-{role}"},
                "spec": {"selector": {"app": app.name}, "ports": [{"port": 80}]},
            }
    if app.style in ANALYSED:
        yield {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "metadata": {**meta, "name": f"{app.name}-{METRICS}"},
            "spec": {"metrics": [_metric(app)]},
        }
    yield {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            **meta,
            "name": app.name,
            "labels": {"app": app.name, "team": app.team},
        },
        "spec": {
            "replicas": app.replicas,
            "selector": {"matchLabels": {"app": app.name}},
            "template": {
                "metadata": {"labels": {"app": app.name, "team": app.team}},
                "spec": {"containers": [{"name": "app", "image": f"{app.image}:{version}"}]},
            },
            "progressDeadlineSeconds": 60,
            "revisionHistoryLimit": 3,
            "strategy": _strategy(app),
        },
    }


def version(random: Random) -> str:
    """A version to begin with."""
    return f"{random.randint(1, 4)}.{random.randint(0, 30)}.0"


def next_version(tag: str, random: Random) -> str:
    """The version after one, most often a small step."""
    numbers = tag.partition("-")[0].split(".")
    major, minor, patch = (int(number) for number in numbers)
    if random.random() < 0.3:
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def _metric(app: App) -> Manifest:
    return {
        "name": METRICS,
        "interval": "5s",
        "count": 4,
        "failureLimit": 1,
        "successCondition": "result >= 0.95",
        "provider": {
            "prometheus": {
                "address": "http://prometheus.monitoring:9090",
                "query": f'sum(rate(requests_total{{app="{app.name}",code!~"5.."}}[1m]))'
                f' / sum(rate(requests_total{{app="{app.name}"}}[1m]))',
            }
        },
    }


def _strategy(app: App) -> Manifest:
    analysis = {"templates": [{"templateName": f"{app.name}-{METRICS}"}]}
    match app.style:
        case "guestbook":
            steps = [_weight(20), _pause(), *_climb(40, 60, 80, seconds=10)]
            return {"canary": {"steps": steps}}
        case "timed":
            return {"canary": {"steps": _climb(25, 50, 75, seconds=15), "maxSurge": 1}}
        case "analysed":
            steps = [_weight(25), {"analysis": analysis}, *_climb(60, seconds=10)]
            return {"canary": {"steps": steps}}
        case "background":
            steps = [_weight(20), _pause(20), _weight(50), _pause()]
            return {"canary": {"steps": steps, "analysis": {**analysis, "startingStep": 1}}}
        case "blue-green":
            return {"blueGreen": {**_services(app), "autoPromotionEnabled": False}}
        case "preview":
            small = {"autoPromotionSeconds": 20, "previewReplicaCount": 1}
            return {"blueGreen": {**_services(app), **small, "scaleDownDelaySeconds": 15}}
        case _:
            return {"canary": {"maxSurge": "50%", "maxUnavailable": 0}}


def _services(app: App) -> Manifest:
    return {"activeService": f"{app.name}-active", "previewService": f"{app.name}-preview"}


def _weight(percent: int) -> Manifest:
    return {"setWeight": percent}


def _pause(seconds: int | None = None) -> Manifest:
    return {"pause": {} if seconds is None else {"duration": f"{seconds}s"}}


def _climb(*weights: int, seconds: int) -> list[Manifest]:
    return [step for weight in weights for step in (_weight(weight), _pause(seconds))]
