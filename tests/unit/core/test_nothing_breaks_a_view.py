"""Whatever a spoke sends, a view comes of it or an `UnreadableError`, and it survives JSON."""

import copy
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import example, given, settings

from rollgraph.core.belongings import Belongings
from rollgraph.core.errors import UnreadableError
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.meta import KubeObject
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import Deployment, Pod, ReplicaSet
from rollgraph.core.refs import Kind
from rollgraph.core.view import RolloutView, build_view
from samples import DATA, encoded, manifest, manifests

Path = tuple[str | int, ...]

ROLLOUTS = sorted(path.stem for path in (DATA / "rollouts").glob("*.yaml"))
STEPS: list[dict[str, Any]] = [
    {"setWeight": 10},
    {"pause": {"duration": "10m"}},
    {"setCanaryScale": {"weight": 5}},
    {"setCanaryScale": {"matchTrafficWeight": True}},
    {
        "analysis": {
            "templates": [{"templateName": "errors"}],
            "args": [{"name": "a", "value": "b"}],
        }
    },
    {"experiment": {"duration": "1h", "templates": [{"name": "candidate", "specRef": "canary"}]}},
    {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x"}]}},
    {"setMirrorRoute": {"name": "shadow", "percentage": 5, "match": [{"path": {"prefix": "/"}}]}},
    {"plugin": {"name": "org/gate", "config": {"a": [1, {"b": None}]}}},
]


def _documents() -> list[dict[str, Any]]:
    documents = [manifest(f"rollouts/{name}") for name in ROLLOUTS]
    for document in documents:
        if document["spec"]["strategy"].get("canary", {}).get("steps"):
            document["spec"]["strategy"]["canary"]["steps"] = STEPS
    return documents


DOCUMENTS = _documents()
FAMILY = manifests("families/canary-at-20-percent")

# What people and later versions write in the place of what belongs there.
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 0, 1, 2**31, 2**63, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2026-05-12T09:00:00",
            "2026-05-12T09:00:00+14:00",
            "2026-02-30T09:00:00Z",
            "5m",
            "-5m",
            "9999999h",
            "9" * 30,
        ]
    ),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([[1, [2]]]),
    st.just({"a": {"b": None}}),
)


def _paths(value: Any, here: Path = ()) -> list[Path]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [here, *(path for key, item in items for path in _paths(item, (*here, key)))]


def _mutated(draw: st.DrawFn, document: dict[str, Any], most: int) -> dict[str, Any]:
    """The document with a few places dropped, replaced or added to."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(0, most))):
        path = draw(st.sampled_from(_paths(changed)[1:] or [("metadata",)]))
        parent: Any = changed
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "drop", "add"])):
            case "replace":
                parent[path[-1]] = copy.deepcopy(draw(odd))
            case "drop" if isinstance(parent, dict):
                parent.pop(path[-1], None)
            case _ if isinstance(parent, dict):
                parent[draw(st.text(max_size=6))] = copy.deepcopy(draw(odd))
            case _:
                parent.append(copy.deepcopy(draw(odd)))
    return changed


@st.composite
def mutated_rollouts(draw: st.DrawFn) -> dict[str, Any]:
    return _mutated(draw, draw(st.sampled_from(DOCUMENTS)), 6)


@st.composite
def mutated_families(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [_mutated(draw, document, 2) for document in FAMILY]


def _survives(view: RolloutView) -> None:
    assert msgspec.json.decode(msgspec.json.encode(view), type=RolloutView) == view
    assert 0 <= view.progress.percent <= 100
    # Derived when they are asked for, so ask.
    assert view.split is not None
    assert view.revisions is not None
    assert view.pause_reasons is not None
    assert view.created_at is not None


@settings(max_examples=400, deadline=None)
@given(document=mutated_rollouts())
def test_a_mutated_rollout_never_breaks_its_view(document: dict[str, Any]) -> None:
    try:
        root = kube_object(Kind.ROLLOUT, encoded(document))
    except UnreadableError:
        return
    assert isinstance(root, Rollout)
    _survives(build_view("east", root, Belongings()))


@settings(max_examples=200, deadline=None)
@given(documents=mutated_families())
@example(documents=FAMILY)
def test_mutated_belongings_never_break_a_view(documents: list[dict[str, Any]]) -> None:
    items: list[KubeObject] = []
    for original, document in zip(FAMILY, documents, strict=True):
        try:
            items.append(kube_object(Kind(original["kind"]), encoded(document)))
        except UnreadableError:
            continue
    roots = [item for item in items if isinstance(item, Rollout)]
    own = Belongings(
        replica_sets=[item for item in items if isinstance(item, ReplicaSet)],
        pods=[item for item in items if isinstance(item, Pod)],
        analysis_runs=[item for item in items if isinstance(item, AnalysisRun)],
        experiments=[item for item in items if isinstance(item, Experiment)],
        workload=next((item for item in items if isinstance(item, Deployment)), None),
    )
    for root in roots:
        _survives(build_view("east", root, own))


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=200), kind=st.sampled_from(Kind))
def test_bytes_of_any_kind_are_an_object_or_unreadable(raw: bytes, kind: Kind) -> None:
    try:
        kube_object(kind, raw)
    except UnreadableError:
        return


@pytest.mark.parametrize("index", [0, 10, 100, 1000, 2500])
def test_a_document_cut_short_is_unreadable(index: int) -> None:
    whole = encoded(DOCUMENTS[0])
    with pytest.raises(UnreadableError):
        kube_object(Kind.ROLLOUT, whole[: min(index, len(whole) - 1)])
