"""From bytes to objects: what is unknown is skipped, what is broken hides nothing else."""

import json
from typing import Any

import pytest

from rollgraph.core.errors import UnreadableError
from rollgraph.core.objects import decode
from rollgraph.core.objects.analysis import AnalysisRun
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.phase import Phase, phase
from rollgraph.core.refs import Kind
from samples import encoded, manifest, manifests


def _rollout(document: dict[str, Any] | bytes) -> Rollout:
    raw = document if isinstance(document, bytes) else encoded(document)
    decoded = kube_object(Kind.ROLLOUT, raw)
    assert isinstance(decoded, Rollout)
    return decoded


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_read_into_its_own_type(kind: Kind) -> None:
    decoded = kube_object(kind, encoded({"metadata": {"name": "x", "uid": "u"}, "new": {"a": 1}}))
    assert type(decoded) is decode.TYPES[kind]
    assert (decoded.metadata.name, decoded.metadata.uid, decoded.unreadable) == ("x", "u", "")


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"metadata": {"labels": None}}, id="labels"),
        pytest.param({"metadata": {"creationTimestamp": None}}, id="creation-timestamp"),
        pytest.param({"spec": {"replicas": None}}, id="replicas"),
        pytest.param({"spec": {"paused": None}}, id="paused"),
        pytest.param({"spec": {"template": None}}, id="template"),
        pytest.param({"spec": {"template": {"spec": None}}}, id="pod-spec"),
        pytest.param({"spec": {"template": {"spec": {"containers": None}}}}, id="containers"),
        pytest.param({"spec": {"strategy": {"canary": {"steps": None}}}}, id="steps"),
        pytest.param({"status": {"message": None}}, id="message"),
        pytest.param({"status": {"canary": None}}, id="canary-status"),
        pytest.param({"status": {"conditions": [{"lastUpdateTime": None}]}}, id="time"),
        pytest.param({"status": None}, id="status"),
    ],
)
def test_null_means_absent_as_in_go(patch: dict[str, Any]) -> None:
    document = manifest("rollouts/canary-healthy")
    for part, fields in patch.items():
        document[part] = {**document[part], **fields} if fields else None
    assert _rollout(document).unreadable == ""


@pytest.mark.parametrize(
    ("part", "value"),
    [
        pytest.param("spec", {"replicas": "five"}, id="text-for-number"),
        pytest.param("spec", {"paused": 1}, id="number-for-bool"),
        pytest.param("spec", {"strategy": []}, id="list-for-object"),
        pytest.param("spec", {"strategy": {"canary": {"steps": ["pause"]}}}, id="step-of-text"),
        pytest.param("status", {"abortedAt": "yesterday"}, id="no-time"),
        pytest.param("status", {"abortedAt": "2026-05-12T09:00:00"}, id="time-without-zone"),
        pytest.param("status", "fine", id="status-of-text"),
    ],
)
def test_a_wrong_type_makes_one_rollout_unreadable_but_keeps_its_name(
    part: str, value: object
) -> None:
    broken = _rollout(manifest("rollouts/canary-healthy") | {part: value})
    assert broken.metadata.name == "checkout"
    assert broken.unreadable
    assert phase(broken).phase is Phase.UNKNOWN
    assert broken.unreadable in phase(broken).message
    assert json.loads(broken.manifest_json)[part] == value


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"<html>", id="page"),
        pytest.param(b'{"metadata":{}}', id="no-name"),
        pytest.param(b'{"metadata":{"name":"x","labels":{"a":1}}}', id="broken-labels"),
        pytest.param(b'{"metadata":{"name":"\xff"}}', id="no-utf-8"),
        pytest.param(b'{"x":' + b"[" * 100_000, id="bottomless"),
    ],
)
def test_without_readable_metadata_there_is_no_object(raw: bytes) -> None:
    with pytest.raises(UnreadableError, match="without readable metadata"):
        kube_object(Kind.ROLLOUT, raw)


def test_text_that_is_no_utf8_in_a_skipped_field_costs_only_the_manifest() -> None:
    read = _rollout(b'{"metadata":{"name":"x"},"other":"\xff"}')
    assert (read.unreadable, read.manifest) == ("", b"")


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def test_a_rollout_nested_too_deep_to_be_passed_on_is_unreadable() -> None:
    steps = [{"plugin": {"name": "p", "config": _nested(300)}}]
    document = manifest("rollouts/canary-healthy") | {"spec": {"strategy": {"canary": {}}}}
    document["spec"]["strategy"]["canary"]["steps"] = steps
    deep = _rollout(document)
    assert deep.unreadable == "nested more than 100 levels deep"
    assert deep.manifest == b""


def test_a_rollout_nested_too_deep_where_we_do_not_look_loses_only_its_manifest() -> None:
    deep = _rollout(manifest("rollouts/canary-healthy") | {"extra": _nested(300)})
    assert (deep.unreadable, deep.manifest) == ("", b"")


def test_an_analysis_run_with_a_provider_nested_too_deep_is_unreadable() -> None:
    document = manifest("analysisruns/measured-by-interval")
    document["spec"]["metrics"][0]["provider"] = _nested(300)
    deep = kube_object(Kind.ANALYSIS_RUN, encoded(document))
    assert isinstance(deep, AnalysisRun)
    assert deep.unreadable == "nested more than 100 levels deep"
    assert deep.metadata.uid == "ar-1"


def test_a_spoke_cannot_write_the_fields_that_are_ours() -> None:
    forged = {"metadata": {"name": "x"}, "unreadable": "forged", "manifest": "Zm9yZ2Vk"}
    read = _rollout(forged)
    assert read.unreadable == ""
    assert json.loads(read.manifest_json) == forged


def test_the_manifest_leaves_out_managed_fields_and_the_copy_that_kubectl_keeps() -> None:
    read = _rollout(manifest("rollouts/canary-healthy"))
    kept = json.loads(read.manifest_json)
    assert "managedFields" not in kept["metadata"]
    assert kept["metadata"]["annotations"] == {"rollout.argoproj.io/revision": "4"}
    assert read.metadata.annotations == {"rollout.argoproj.io/revision": "4"}
    assert kept["spec"] == manifest("rollouts/canary-healthy")["spec"]


@pytest.mark.parametrize("metadata", [{"name": "x"}, {"name": "x", "annotations": None}])
def test_the_manifest_of_a_bare_object_is_the_object(metadata: dict[str, Any]) -> None:
    assert json.loads(_rollout({"metadata": metadata}).manifest_json) == {"metadata": metadata}


@pytest.mark.parametrize("name", ["canary-at-20-percent", "blue-green-preview"])
def test_families_hold_no_unreadable_object(name: str) -> None:
    for document in manifests(f"families/{name}"):
        assert kube_object(Kind(document["kind"]), encoded(document)).unreadable == ""


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        pytest.param("12", 12, id="number"),
        pytest.param("", 0, id="empty"),
        pytest.param("twelve", 0, id="text"),
        pytest.param("1_2", 0, id="python-only"),
        pytest.param("\u0663", 0, id="other-script"),
        pytest.param("9" * 5000, 0, id="endless"),
        pytest.param("9" * 19, 0, id="beyond-64-bits"),
    ],
)
def test_a_revision_is_a_number_or_zero(text: str, revision: int) -> None:
    annotations = {"rollout.argoproj.io/revision": text}
    read = _rollout({"metadata": {"name": "x", "annotations": annotations}})
    assert read.metadata.revision == revision


def test_a_watch_event_keeps_its_object_for_later() -> None:
    event = decode.watch_event(b'{"type":"ADDED","object":{"metadata":{"name":"x"}}}')
    assert event.type == "ADDED"
    assert kube_object(Kind.POD, event.object).metadata.name == "x"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"type":"ADDED"}', id="no-object"),
        pytest.param(b'{"type":"RENAMED","object":{}}', id="unknown-type"),
        pytest.param(b'{"type":"ADDED","object":"\xff', id="no-utf-8"),
        pytest.param(b'{"type":"ADDED","object":' + b"[" * 100_000, id="bottomless"),
    ],
)
def test_a_line_that_is_no_watch_event_is_unreadable(line: bytes) -> None:
    with pytest.raises(UnreadableError, match="not a watch event"):
        decode.watch_event(line)


def test_a_list_keeps_its_items_for_later() -> None:
    page = decode.object_list(
        b'{"metadata":{"resourceVersion":"7","continue":"next"},"items":[{"metadata":{"name":"x"}}]}'
    )
    assert (page.metadata.resource_version, page.metadata.continue_) == ("7", "next")
    assert [kube_object(Kind.POD, item).metadata.name for item in page.items or ()] == ["x"]


def test_an_empty_list_may_be_null() -> None:
    assert decode.object_list(b'{"metadata":{},"items":null}').items is None


@pytest.mark.parametrize("body", [b"<html>", b'{"items":{}}', b'{"a":' + b"[" * 100_000])
def test_a_body_that_is_no_list_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError, match="not a list"):
        decode.object_list(body)


def test_a_status_explains_a_refusal() -> None:
    status = decode.status(
        b'{"code":410,"reason":"Expired","message":"too old","details":{"retryAfterSeconds":3}}'
    )
    assert (status.code, status.reason, status.message) == (410, "Expired", "too old")
    assert status.details is not None
    assert status.details.retry_after_seconds == 3


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b'{"code":"x"}', b"[" * 100_000])
def test_a_page_of_a_load_balancer_explains_nothing(body: bytes) -> None:
    assert decode.status(body) == decode.Status()


def test_a_bookmark_says_how_far_the_watch_has_come() -> None:
    read = decode.bookmark(b'{"metadata":{"resourceVersion":"9","annotations":{"a":"b"}}}')
    assert (read.resource_version, read.annotation("a"), read.annotation("c")) == ("9", "b", "")


@pytest.mark.parametrize("raw", [b"[]", b'{"metadata":7}', b"\xff"])
def test_what_is_no_bookmark_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableError, match="not a bookmark"):
        decode.bookmark(raw)
