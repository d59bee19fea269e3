"""Every object is what Kubernetes and the CRDs of others say, without a field too many."""

import json
import subprocess
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import yaml

from deploy import schemas
from deploy.charts import EXAMPLE, ROLLGRAPH, SPOKE, kustomized, of_kind, rendered, values
from testbed.build import ensure_built
from testbed.parts import KUBECONFORM

Conform: TypeAlias = Callable[[list[dict[str, Any]]], dict[str, Any]]


@pytest.fixture(scope="module", params=[schemas.OLDEST, schemas.NEWEST])
def conform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Conform:
    """What kubeconform tells of objects."""
    location = schemas.write(tmp_path_factory.mktemp("schemas"), request.param)
    program = str(ensure_built([KUBECONFORM]).program("kubeconform"))
    argv = [program, "-strict", "-summary", "-output=json", f"-schema-location={location}"]

    def conform(objects: list[dict[str, Any]]) -> dict[str, Any]:
        given = yaml.safe_dump_all(objects)
        done = subprocess.run(argv, input=given, capture_output=True, text=True, timeout=60)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return conform


@pytest.mark.parametrize("name", ["distributed", "single"])
def test_of_the_chart(conform: Conform, name: str) -> None:
    objects = rendered(ROLLGRAPH, "-f", values(name))

    told = conform(objects)

    assert told["resources"] == []
    assert told["summary"]["valid"] == len(objects)


def test_of_the_chart_of_spokes(conform: Conform) -> None:
    objects = rendered(SPOKE)

    assert conform(objects)["summary"]["valid"] == len(objects)


def test_of_the_example_of_kustomize(conform: Conform) -> None:
    objects = kustomized(EXAMPLE)

    assert conform(objects)["summary"]["valid"] == len(objects)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ["spec", "template", "spec"]),
        ("PodMonitor", ["spec"]),
        ("HTTPRoute", ["spec"]),
    ],
)
def test_a_field_that_does_not_exist_is_found(conform: Conform, kind: str, path: list[str]) -> None:
    (found, *_) = of_kind(rendered(ROLLGRAPH, "-f", values("distributed")), kind).values()
    place = found
    for key in path:
        place = place[key]
    place["replcas"] = 3

    told = conform([found])

    assert told["summary"]["invalid"] == 1
    assert "replcas" in told["resources"][0]["msg"]
