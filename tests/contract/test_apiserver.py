"""The simulated API server answers as a real one does, as far as anybody here asks."""

import contextlib
import json
import secrets
import ssl
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from simulated.bare import HISTORY
from simulated.spoke import SimulatedSpoke
from testbed.cluster import Object, path_of
from testbed.deadline import wait_until
from testbed.errors import ApiError
from testbed.spoke import Spoke

AnySpoke = Spoke | SimulatedSpoke

TEMPLATES = "AnalysisTemplate"
KIND = {"apiVersion": "argoproj.io/v1alpha1", "kind": TEMPLATES}
MERGE, JSON = "application/merge-patch+json", "application/json-patch+json"
# Seconds after which a stream that should have brought something is given up.
SOON = 10.0


@pytest.fixture
def namespace(spoke: AnySpoke) -> str:
    """A namespace of its own for each test."""
    return spoke.namespace(f"contract-{secrets.token_hex(3)}")


def template(name: str, namespace: str, **labels: str) -> Object:
    """A small object that no controller touches."""
    metric = {"name": "rate", "provider": {"web": {"url": "http://127.0.0.1/"}}}
    return {
        **KIND,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"metrics": [metric]},
    }


def fill(spoke: AnySpoke, namespace: str, *names: str) -> list[Object]:
    return [spoke.cluster().create(template(name, namespace, app=name)) for name in names]


def get_list(spoke: AnySpoke, namespace: str, **params: str) -> Object:
    return spoke.cluster().request("GET", path_of(TEMPLATES, namespace), params=params)


def names(items: list[Object]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


def refused(spoke: AnySpoke, method: str, path: str, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        spoke.cluster(options.pop("user", "admin")).request(method, path, **options)
    return caught.value


@contextlib.contextmanager
def watching(spoke: AnySpoke, namespace: str, **params: str) -> Iterator[Iterator[Object]]:
    """The events of a watch."""
    client = spoke.cluster()
    verify = (
        ssl.create_default_context(cadata=spoke.access().ca) if isinstance(spoke, Spoke) else False
    )
    headers = client._http.headers
    with (
        httpx2.Client(base_url=spoke.url, headers=headers, verify=verify, timeout=SOON) as http,
        http.stream(
            "GET", path_of(TEMPLATES, namespace), params={"watch": "true", **params}
        ) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        yield (json.loads(line) for line in answer.iter_lines() if line)


def told(event: Object) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"].get("name", "")


# -- lists ---------------------------------------------------------------------------------------


def test_a_list_has_a_version_and_all_objects_by_name(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "b", "c", "a")
    found = get_list(spoke, namespace)
    assert (found["kind"], found["apiVersion"]) == ("AnalysisTemplateList", KIND["apiVersion"])
    assert names(found["items"]) == ["a", "b", "c"]
    assert int(found["metadata"]["resourceVersion"]) > 0
    assert "continue" not in found["metadata"] or found["metadata"]["continue"] == ""


def test_items_of_built_in_kinds_do_not_say_their_kind(spoke: AnySpoke, namespace: str) -> None:
    service = {"metadata": {"name": "s", "namespace": namespace}, "spec": {"ports": [{"port": 80}]}}
    spoke.cluster().create({"apiVersion": "v1", "kind": "Service", **service})
    (found,) = spoke.cluster().list("Service", namespace)
    assert "kind" not in found
    fill(spoke, namespace, "a")
    (custom,) = spoke.cluster().list(TEMPLATES, namespace)
    assert custom["kind"] == TEMPLATES


def test_pages_are_of_one_version_though_objects_change(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a", "b", "d")
    first = get_list(spoke, namespace, limit="2")
    fill(spoke, namespace, "c")
    rest = get_list(spoke, namespace, limit="2", **{"continue": first["metadata"]["continue"]})
    assert names(first["items"]) + names(rest["items"]) == ["a", "b", "d"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert first["metadata"]["remainingItemCount"] == 1


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=a", ["a"]),
        ("app", ["a", "b"]),
        ("app in (b,c)", ["b"]),
        ("!app", ["bare"]),
        ("app!=a", ["b", "bare"]),
    ],
)
def test_labels_select(spoke: AnySpoke, namespace: str, selector: str, expected: list[str]) -> None:
    fill(spoke, namespace, "a", "b")
    spoke.cluster().create(template("bare", namespace))
    assert names(get_list(spoke, namespace, labelSelector=selector)["items"]) == expected


def test_a_version_that_is_yet_to_come_is_refused(spoke: AnySpoke, namespace: str) -> None:
    version = str(int(get_list(spoke, namespace)["metadata"]["resourceVersion"]) + 1_000_000)
    error = refused(
        spoke, "GET", path_of(TEMPLATES, namespace), params={"resourceVersion": version}
    )
    assert (error.status, error.reason) == (504, "Timeout")
    assert "Too large resource version" in error.message


# -- watches -------------------------------------------------------------------------------------


def test_a_watch_tells_what_happened_after_a_version(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a")
    version = get_list(spoke, namespace)["metadata"]["resourceVersion"]
    fill(spoke, namespace, "b")
    spoke.cluster().patch(TEMPLATES, "a", {"metadata": {"labels": {"x": "y"}}}, namespace)
    spoke.cluster().delete(TEMPLATES, "b", namespace)
    with watching(spoke, namespace, resourceVersion=version) as events:
        found = [next(events) for _ in range(3)]
    assert [told(event) for event in found] == [
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "b"),
    ]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in found]
    assert versions == sorted(set(versions))
    assert versions[0] > int(version)


def test_a_watch_goes_on_while_things_happen(spoke: AnySpoke, namespace: str) -> None:
    version = get_list(spoke, namespace)["metadata"]["resourceVersion"]
    with watching(spoke, namespace, resourceVersion=version) as events:
        for name in ("a", "b", "c"):
            fill(spoke, namespace, name)
            assert told(next(events)) == ("ADDED", name)


def test_a_watch_list_begins_with_all_objects_and_a_mark(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a", "b")
    with watching(
        spoke,
        namespace,
        sendInitialEvents="true",
        resourceVersionMatch="NotOlderThan",
        allowWatchBookmarks="true",
    ) as events:
        first = [next(events) for _ in range(3)]
        fill(spoke, namespace, "c")
        then = next(events)
        while then["type"] == "BOOKMARK":
            then = next(events)
    assert sorted(map(told, first[:2])) == [("ADDED", "a"), ("ADDED", "b")]
    mark = first[2]
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["kind"] == TEMPLATES
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(mark["object"]["metadata"]["resourceVersion"]) > 0
    assert told(then) == ("ADDED", "c")


def test_a_watch_without_a_version_begins_with_all_objects(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a", "b")
    with watching(spoke, namespace) as events:
        assert {told(next(events)) for _ in range(2)} == {("ADDED", "a"), ("ADDED", "b")}


def test_a_watch_list_has_to_say_what_it_is(spoke: AnySpoke, namespace: str) -> None:
    params = {"watch": "true", "sendInitialEvents": "true"}
    error = refused(spoke, "GET", path_of(TEMPLATES, namespace), params=params)
    assert (error.status, error.reason) == (422, "Invalid")


def test_who_watches_by_label_sees_objects_come_and_go(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a")
    version = get_list(spoke, namespace)["metadata"]["resourceVersion"]
    for labels in ({"app": "b"}, {"app": "a"}, {"app": "a", "more": "x"}):
        spoke.cluster().patch(TEMPLATES, "a", {"metadata": {"labels": labels}}, namespace)
    with watching(spoke, namespace, resourceVersion=version, labelSelector="app=a") as events:
        assert [told(next(events))[0] for _ in range(3)] == ["DELETED", "ADDED", "MODIFIED"]


def test_a_watch_ends_after_the_time_that_was_asked_for(spoke: AnySpoke, namespace: str) -> None:
    version = get_list(spoke, namespace)["metadata"]["resourceVersion"]
    with watching(spoke, namespace, resourceVersion=version, timeoutSeconds="1") as events:
        assert [event["type"] for event in events] in ([], ["BOOKMARK"])


def test_a_watch_from_the_first_version_is_too_old(spoke: AnySpoke, namespace: str) -> None:
    if isinstance(spoke, SimulatedSpoke):
        for number in range(3):
            fill(spoke, namespace, f"a{number}")
        forget(spoke, namespace)
    with watching(spoke, namespace, resourceVersion="1") as events:
        event = next(events)
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 1 (")


def forget(spoke: SimulatedSpoke, namespace: str) -> None:
    """Lets the history grow beyond what is kept."""
    cluster = spoke.cluster()
    for number in range(HISTORY + 10):
        change = {"metadata": {"annotations": {"n": str(number)}}}
        cluster.patch(TEMPLATES, "a0", change, namespace)


# -- writes --------------------------------------------------------------------------------------


def test_a_merge_patch_changes_what_it_names(spoke: AnySpoke, namespace: str) -> None:
    (before,) = fill(spoke, namespace, "a")
    labels = {"metadata": {"labels": {"app": None, "tier": "web"}}}
    after = spoke.cluster().patch(TEMPLATES, "a", labels, namespace)
    assert after["metadata"]["labels"] == {"tier": "web"}
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"] == 1
    renamed = {"spec": {"metrics": [{**before["spec"]["metrics"][0], "name": "other"}]}}
    assert spoke.cluster().patch(TEMPLATES, "a", renamed, namespace)["metadata"]["generation"] == 2


def test_a_patch_that_changes_nothing_writes_nothing(spoke: AnySpoke, namespace: str) -> None:
    (before,) = fill(spoke, namespace, "a")
    after = spoke.cluster().patch(TEMPLATES, "a", {"metadata": {"labels": {"app": "a"}}}, namespace)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_a_json_patch_changes_what_it_names(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a")
    operations = [
        {"op": "test", "path": "/metadata/labels/app", "value": "a"},
        {"op": "replace", "path": "/spec/metrics/0/name", "value": "other"},
        {"op": "add", "path": "/metadata/labels/x~1y", "value": "z"},
    ]
    path = path_of(TEMPLATES, namespace, "a")
    after = spoke.cluster().request(
        "PATCH", path, body=json.dumps(operations).encode(), content_type=JSON
    )
    assert after["spec"]["metrics"][0]["name"] == "other"
    assert after["metadata"]["labels"] == {"app": "a", "x/y": "z"}
    operations[0]["value"] = "b"
    error = refused(spoke, "PATCH", path, body=json.dumps(operations).encode(), content_type=JSON)
    assert (error.status, error.reason) == (422, "Invalid")


def rollout(name: str, namespace: str) -> Object:
    """A rollout that refers to nothing: the controller can do nothing but say so."""
    return {
        "apiVersion": KIND["apiVersion"],
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"},
            "strategy": {"canary": {}},
        },
    }


def test_the_object_and_its_status_are_written_apart(spoke: AnySpoke, namespace: str) -> None:
    cluster = spoke.cluster()
    cluster.create(rollout("r", namespace))
    cluster.wait_for("Rollout", "r", lambda found: "status" in found, namespace, what="a status")
    both = {"spec": {"paused": True}, "status": {"restartedAt": "2026-01-01T00:00:00Z"}}
    after = cluster.patch("Rollout", "r", both, namespace)
    assert after["spec"]["paused"] is True
    assert "restartedAt" not in after["status"]
    both["spec"] = {"paused": False}
    after = cluster.patch("Rollout", "r", both, namespace, sub="status")
    assert after["spec"]["paused"] is True
    assert after["status"]["restartedAt"] == "2026-01-01T00:00:00Z"


def test_only_the_spec_counts_as_a_generation(spoke: AnySpoke, namespace: str) -> None:
    cluster = spoke.cluster()
    first = cluster.create(rollout("r", namespace))
    status = {"status": {"restartedAt": "2026-01-01T00:00:00Z"}}
    second = cluster.patch("Rollout", "r", status, namespace, sub="status")
    third = cluster.patch("Rollout", "r", {"spec": {"replicas": 2}}, namespace)
    generations = [found["metadata"]["generation"] for found in (first, second, third)]
    assert generations == [1, 1, 2]


def test_who_has_seen_an_older_version_may_not_write(spoke: AnySpoke, namespace: str) -> None:
    (before,) = fill(spoke, namespace, "a")
    cluster, path = spoke.cluster(), path_of(TEMPLATES, namespace, "a")
    change = {"metadata": {"labels": {"x": "1"}}}
    seen = {"resourceVersion": before["metadata"]["resourceVersion"]}
    once = {"metadata": {**change["metadata"], **seen}}
    cluster.request("PATCH", path, body=once, content_type=MERGE)
    twice = {"metadata": {"labels": {"x": "2"}, **seen}}
    for error in (
        refused(spoke, "PATCH", path, body=twice, content_type=MERGE),
        refused(spoke, "PUT", path, body=before),
    ):
        assert (error.status, error.reason) == (409, "Conflict")
        assert "the object has been modified" in error.message
    assert cluster.get(TEMPLATES, "a", namespace)["metadata"]["labels"]["x"] == "1"


def test_what_is_deleted_takes_with_it_what_it_owns(spoke: AnySpoke, namespace: str) -> None:
    (owner,) = fill(spoke, namespace, "a")
    owned = template("b", namespace)
    reference = {**KIND, "name": "a", "uid": owner["metadata"]["uid"]}
    owned["metadata"]["ownerReferences"] = [reference]
    spoke.cluster().create(owned)
    spoke.cluster().delete(TEMPLATES, "a", namespace)
    wait_until(
        lambda: str(left) if (left := names(get_list(spoke, namespace)["items"])) else None,
        seconds=30,
        what="both are gone",
    )


def test_a_name_can_be_left_to_the_server(spoke: AnySpoke, namespace: str) -> None:
    manifest = template("", namespace)
    manifest["metadata"] = {"generateName": "made-", "namespace": namespace}
    made = spoke.cluster().create(manifest)
    assert made["metadata"]["name"].startswith("made-")
    assert len(made["metadata"]["name"]) == len("made-") + 5


# -- refusals ------------------------------------------------------------------------------------


def test_an_unknown_token_is_refused(spoke: AnySpoke) -> None:
    verify = (
        ssl.create_default_context(cadata=spoke.access().ca) if isinstance(spoke, Spoke) else False
    )
    answer = httpx2.get(
        f"{spoke.url}/version", headers={"Authorization": "Bearer wrong"}, verify=verify
    )
    assert answer.status_code == 401
    status = answer.json()
    assert (status["kind"], status["status"]) == ("Status", "Failure")
    assert (status["reason"], status["message"], status["code"]) == (
        "Unauthorized",
        "Unauthorized",
        401,
    )


def test_who_may_only_read_may_not_write(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a")
    spoke.cluster("reader").list("Rollout", namespace)
    path = path_of("Rollout", namespace, "r")
    change = {"spec": {"paused": True}}
    error = refused(spoke, "PATCH", path, user="reader", body=change, content_type=MERGE)
    assert (error.status, error.reason) == (403, "Forbidden")
    assert 'cannot patch resource "rollouts" in API group "argoproj.io"' in error.message


def test_what_is_not_there_is_not_found(spoke: AnySpoke, namespace: str) -> None:
    error = refused(spoke, "GET", path_of(TEMPLATES, namespace, "none"))
    assert (error.status, error.reason) == (404, "NotFound")
    assert error.message == 'analysistemplates.argoproj.io "none" not found'
    error = refused(spoke, "GET", "/apis/argoproj.io/v1alpha1/wonders")
    assert error.status == 404


def test_a_name_is_given_once(spoke: AnySpoke, namespace: str) -> None:
    fill(spoke, namespace, "a")
    error = refused(spoke, "POST", path_of(TEMPLATES, namespace), body=template("a", namespace))
    assert (error.status, error.reason) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    ("body", "type_", "status"),
    [
        (b'{"spec": ', MERGE, 400),
        (b'{"op": "add"}', JSON, 400),
        (b"{}", "application/strategic-merge-patch+json", 415),
        (b"{}", "text/plain", 415),
        (b'{"metadata": {"name": "other"}}', MERGE, 400),
    ],
)
def test_a_patch_that_makes_no_sense_is_refused(
    spoke: AnySpoke, namespace: str, body: bytes, type_: str, status: int
) -> None:
    fill(spoke, namespace, "a")
    path = path_of(TEMPLATES, namespace, "a")
    assert refused(spoke, "PATCH", path, body=body, content_type=type_).status == status


def test_a_number_of_replicas_is_a_number(spoke: AnySpoke, namespace: str) -> None:
    manifest = rollout("r", namespace)
    manifest["spec"]["replicas"] = "many"
    error = refused(spoke, "POST", path_of("Rollout", namespace), body=manifest)
    assert (error.status, error.reason) == (422, "Invalid")
    assert "spec.replicas" in error.message


def test_a_selector_that_is_none_is_refused(spoke: AnySpoke, namespace: str) -> None:
    params = {"labelSelector": "a in"}
    error = refused(spoke, "GET", path_of(TEMPLATES, namespace), params=params)
    assert (error.status, error.reason) == (400, "BadRequest")


def test_a_version_and_the_kinds_can_be_asked_for(spoke: AnySpoke) -> None:
    version = spoke.cluster().request("GET", "/version")
    assert version["gitVersion"].startswith("v1.")
    found = spoke.cluster().request("GET", "/apis/argoproj.io/v1alpha1")
    listed = {item["name"]: item["kind"] for item in found["resources"]}
    assert listed["rollouts"] == "Rollout"
    assert listed["rollouts/status"] == "Rollout"
    assert "analysisruns/status" not in listed
    assert spoke.cluster().ready() is None
