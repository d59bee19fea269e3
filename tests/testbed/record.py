"""Moments written to files: the objects and what the plugin says of them, for tests without Go."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from testbed.cluster import Object
from testbed.plugin_output import RolloutOutput, parse_rollout
from testbed.scenarios.stage import Moment, Scenario
from testbed.spoke import Spoke

DATA = Path(__file__).with_name("data")
KINDS = ("Rollout", "ReplicaSet", "Pod", "AnalysisRun", "Experiment", "Deployment")


@dataclass(frozen=True)
class Recording:
    """A recorded moment. ``objects`` are as the API server lists them, without managedFields."""

    name: str
    recorded_at: datetime
    namespace: str
    rollout: str
    objects: tuple[Object, ...]
    output: str

    @property
    def parsed(self) -> RolloutOutput:
        """What the plugin printed, as data."""
        return parse_rollout(self.output)


def record(scenario: Scenario, spoke: Spoke, folder: Path = DATA) -> Iterable[str]:
    """Play a scenario and write each moment to two files; yields their names."""
    for moment in scenario.play(spoke):
        name = file_name(scenario.name, moment.name)
        output = spoke.plugin.get_rollout_text(moment.rollout, moment.namespace)
        head = {
            "recordedAt": datetime.now(UTC).isoformat(timespec="seconds"),
            "namespace": moment.namespace,
            "rollout": moment.rollout,
        }
        lines = [head, *_objects(moment)]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(output)
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(o) + "\n" for o in lines))
        yield name


def file_name(scenario: str, moment: str) -> str:
    """The name of a moment's two files, without their suffixes."""
    return f"{scenario}--{re.sub(r'[^a-z0-9]+', '-', moment.lower()).strip('-')}"


def recordings(folder: Path = DATA) -> list[Recording]:
    """All recorded moments, by name."""
    return [_load(path) for path in sorted(folder.glob("*.jsonl"))]


def _load(path: Path) -> Recording:
    head, *objects = map(json.loads, path.read_text().splitlines())
    return Recording(
        name=path.stem,
        recorded_at=datetime.fromisoformat(head["recordedAt"]),
        namespace=head["namespace"],
        rollout=head["rollout"],
        objects=tuple(objects),
        output=path.with_suffix(".txt").read_text(),
    )


def _objects(moment: Moment) -> list[Object]:
    cluster = moment.spoke.cluster()
    return [
        # Items of a list carry neither kind nor apiVersion.
        {"kind": kind, **found, "metadata": _without_managed_fields(found["metadata"])}
        for kind in KINDS
        for found in cluster.list(kind, moment.namespace)
    ]


def _without_managed_fields(metadata: Object) -> Object:
    return {k: v for k, v in metadata.items() if k != "managedFields"}
