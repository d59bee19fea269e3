"""Rollgraph's answer in the words of the kubectl plugin, to be compared with the plugin's own.

Only GraphQL is asked here, so the comparison covers all of Rollgraph: watching, core and schema.
"""

from collections.abc import Iterator
from typing import Any

from acceptance.gateway import Gateway
from testbed.plugin_output import Image, RolloutOutput, TreeLine

DOCUMENT = """
query Oracle($cluster: String!, $namespace: String!, $name: String!) {
  rollout(cluster: $cluster, namespace: $namespace, name: $name) {
    name namespace phase message strategyKind currentStepIndex
    steps { index state }
    split { desiredWeight actualWeight }
    replicas { desired current updated ready available }
    runningImages { image roles experimentTemplates }
    revisions(first: 8) {
      nodes {
        number
        replicaSet { ...ReplicaSetLine }
        experiments { name phase replicaSets { ...ReplicaSetLine } analysisRuns { ...RunLine } }
        analysisRuns { ...RunLine }
      }
    }
  }
}
fragment ReplicaSetLine on ReplicaSet {
  name health roles scaleDownDeadline
  pods(first: 6) { nodes { name reason readyContainers totalContainers restarts } }
}
fragment RunLine on AnalysisRun {
  name phase measurementCounts { successful failed inconclusive error } jobs { name phase }
}
"""

PHASES = {"HEALTHY": "✔", "PROGRESSING": "◌", "PAUSED": "॥", "DEGRADED": "✖", "UNKNOWN": "?"}
HEALTHS = {
    "HEALTHY": ("✔", "Healthy"),
    "PROGRESSING": ("◌", "Progressing"),
    "SCALED_DOWN": ("•", "ScaledDown"),
    "REPLICA_FAILURE": ("✖", "ReplicaFailure"),
}
ANALYSES = {
    "PENDING": "◷",
    "RUNNING": "◌",
    "SUCCESSFUL": "✔",
    "FAILED": "✖",
    "ERROR": "⚠",
    "INCONCLUSIVE": "?",
}
STRATEGIES = {"CANARY": "Canary", "BLUE_GREEN": "BlueGreen"}
VERDICTS = (("successful", "✔"), ("failed", "✖"), ("inconclusive", "?"), ("error", "⚠"))
TAGS = ("stable", "canary", "active", "preview", "ping", "pong")


def answer(gateway: Gateway, cluster: str, namespace: str, name: str) -> RolloutOutput | None:
    """What Rollgraph says of a rollout; None if it does not know it."""
    data = gateway.ask(DOCUMENT, cluster=cluster, namespace=namespace, name=name)
    return output(data["rollout"]) if data["rollout"] else None


def output(found: dict[str, Any]) -> RolloutOutput:
    """A GraphQL rollout in the plugin's words."""
    icon, word = PHASES[found["phase"]], found["phase"].capitalize()
    canary = found["strategyKind"] == "CANARY"
    replicas, index = found["replicas"], found["currentStepIndex"]
    return RolloutOutput(
        name=found["name"],
        namespace=found["namespace"],
        icon=icon,
        status=word,
        message=found["message"] or "",
        strategy=STRATEGIES[found["strategyKind"]],
        step=None if index is None else (index, len(found["steps"])),
        set_weight=int(found["split"]["desiredWeight"]) if canary else None,
        actual_weight=int(found["split"]["actualWeight"]) if canary else None,
        images=tuple(_image(item) for item in found["runningImages"]),
        desired=replicas["desired"],
        current=replicas["current"],
        updated=replicas["updated"],
        ready=replicas["ready"],
        available=replicas["available"],
        tree=(
            TreeLine(0, "Rollout", found["name"], icon, word, ()),
            *(line for item in found["revisions"]["nodes"] for line in _revision(item)),
        ),
    )


def _image(item: dict[str, Any]) -> Image:
    roles = [role.lower() for role in item["roles"] if role.lower() in TAGS]
    templates = [f"Σ:{name}" for name in item["experimentTemplates"]]
    return Image(item["image"], tuple(sorted([*roles, *templates])))


def _revision(item: dict[str, Any]) -> Iterator[TreeLine]:
    yield TreeLine(1, "Revision", f"revision:{item['number']}", "", "", ())
    if item["replicaSet"]:
        yield from _replica_set(item["replicaSet"], 2)
    for experiment in item["experiments"]:
        phase = experiment["phase"]
        yield TreeLine(2, "Experiment", experiment["name"], *_analysis(phase), ())
        for replica_set in experiment["replicaSets"]:
            yield from _replica_set(replica_set, 3)
        for run in experiment["analysisRuns"]:
            yield from _run(run, 3)
    for run in item["analysisRuns"]:
        yield from _run(run, 2)


def _replica_set(item: dict[str, Any], depth: int) -> Iterator[TreeLine]:
    roles = [role.lower() for role in item["roles"]]
    info = [tag for tag in TAGS if tag in roles]
    if item["scaleDownDeadline"]:
        info.append("delay")
    yield TreeLine(depth, "ReplicaSet", item["name"], *HEALTHS[item["health"]], tuple(info))
    for pod in item["pods"]["nodes"]:
        ready = f"ready:{pod['readyContainers']}/{pod['totalContainers']}"
        restarts = (f"restarts:{pod['restarts']}",) if pod["restarts"] else ()
        reason = pod["reason"]
        yield TreeLine(depth + 1, "Pod", pod["name"], pod_icon(reason), reason, (ready, *restarts))


def _run(item: dict[str, Any], depth: int) -> Iterator[TreeLine]:
    counts = item["measurementCounts"]
    info = tuple(f"{icon} {counts[name]}" for name, icon in VERDICTS if counts[name])
    yield TreeLine(depth, "AnalysisRun", item["name"], *_analysis(item["phase"]), info)
    for job in item["jobs"]:
        yield TreeLine(depth + 1, "Job", job["name"], *_analysis(job["phase"]), ())


def _analysis(phase: str) -> tuple[str, str]:
    """Icon and word; the plugin has neither for a run that nobody has looked at yet."""
    return (ANALYSES[phase], phase.capitalize()) if phase in ANALYSES else ("", "")


def pod_icon(reason: str) -> str:
    """The plugin's icon of a pod."""
    if reason.startswith("Init:") or reason in ("Pending", "Terminating", "ContainerCreating"):
        return "◌"
    if reason.startswith(("Signal:", "ExitCode:")):
        return "✖"
    if reason.endswith("Error") or reason.startswith("Err"):
        return "⚠"
    if reason in ("Running", "Completed"):
        return "✔"
    if reason in ("Failed", "InvalidImageName", "CrashLoopBackOff"):
        return "✖"
    if reason in ("ImagePullBackOff", "RegistryUnavailable"):
        return "⚠"
    return "?" if reason == "Unknown" else ""
