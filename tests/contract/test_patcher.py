"""A Patcher does what its port promises, against a simulated and a real API server."""

import secrets
from collections.abc import AsyncIterator

import pytest

from rollgraph.adapters.kubernetes.credentials import FixedCredentials, bearer
from rollgraph.adapters.kubernetes.patcher import KubernetesPatcher
from rollgraph.adapters.kubernetes.tls import tls_context
from rollgraph.core.actions.plan import Manifest, Patch, PatchType, Resource
from rollgraph.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    NotInstalledError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.core.identity import PassedThrough
from rollgraph.core.refs import ObjectKey
from rollgraph.ports import AccessQuestion
from simulated.spoke import SimulatedSpoke
from testbed.cluster import Object
from testbed.spoke import Spoke

AnySpoke = Spoke | SimulatedSpoke

pytestmark = pytest.mark.looptime(False)


def opened(spoke: AnySpoke, user: str = "admin") -> KubernetesPatcher:
    access = spoke.access(user)
    ca = access.ca.encode()
    return KubernetesPatcher(
        access.url,
        FixedCredentials(bearer(access.token)),
        tls=tls_context(ca=ca) if ca else None,
        anonymous_tls=lambda: tls_context(ca=ca) if ca else None,
    )


@pytest.fixture
async def patcher(spoke: AnySpoke) -> AsyncIterator[KubernetesPatcher]:
    made = opened(spoke)
    yield made
    await made.close()


@pytest.fixture
async def reader(spoke: AnySpoke) -> AsyncIterator[KubernetesPatcher]:
    made = opened(spoke, "reader")
    yield made
    await made.close()


def rollout(name: str, namespace: str, **labels: str) -> Object:
    """One that no controller acts on: it has no replicas and is paused."""
    labels = {"app": name, **labels}
    container = {"name": "web", "image": "nginx:1"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": 0,
            "paused": True,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            "strategy": {"canary": {}},
        },
    }


@pytest.fixture
def namespace(spoke: AnySpoke) -> str:
    return spoke.namespace(f"patch-{secrets.token_hex(3)}")


@pytest.fixture
async def quiet(spoke: AnySpoke, namespace: str, patcher: KubernetesPatcher) -> Manifest:
    """An analysis run that has ended: nobody writes it but the test."""
    name = "quiet"
    metric = {"name": "rate", "provider": {"web": {"url": "http://127.0.0.1:1/"}}}
    return spoke.cluster().create(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisRun",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"metrics": [metric]},
            "status": {"phase": "Successful", "message": ""},
        }
    )


def key_of(manifest: Manifest) -> ObjectKey:
    return ObjectKey(manifest["metadata"]["namespace"], manifest["metadata"]["name"])


def version_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["resourceVersion"])


def terminate(run: Manifest) -> Patch:
    return Patch(Resource.ANALYSIS_RUN, key_of(run), {"spec": {"terminate": True}})


async def test_an_object_is_read_as_it_is_now(
    spoke: AnySpoke, patcher: KubernetesPatcher, quiet: Manifest
) -> None:
    namespace = key_of(quiet).namespace
    changed = spoke.cluster().patch(
        "AnalysisRun", "quiet", {"spec": {"terminate": True}}, namespace
    )
    found = await patcher.get(Resource.ANALYSIS_RUN, key_of(quiet))
    assert version_of(found) == version_of(changed)
    assert found["spec"]["terminate"] is True
    assert found["kind"] == "AnalysisRun"


async def test_what_does_not_exist_is_not_found(patcher: KubernetesPatcher, namespace: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        await patcher.get(Resource.ROLLOUT, ObjectKey(namespace, "nope"))
    assert (caught.value.code, caught.value.reason) == (404, "NotFound")
    with pytest.raises(NotFoundError):
        await patcher.patch(Patch(Resource.ROLLOUT, ObjectKey(namespace, "nope"), {}))


@pytest.mark.parametrize("name", ["../nope", "a/../b", "..", ".", "a?b", "a%2fb", "a#b"])
async def test_a_name_leads_nowhere_else(
    patcher: KubernetesPatcher, quiet: Manifest, name: str
) -> None:
    with pytest.raises((NotFoundError, NotInstalledError, InvalidRequestError)):
        await patcher.get(Resource.ANALYSIS_RUN, ObjectKey(key_of(quiet).namespace, name))


async def test_labels_select_from_a_namespace(
    spoke: AnySpoke, patcher: KubernetesPatcher, namespace: str
) -> None:
    for name in ("a", "b"):
        spoke.cluster().create(rollout(name, namespace, tier=name))
    found = await patcher.list(Resource.ROLLOUT, namespace, selector="tier in (b, c)")
    assert [key_of(item).name for item in found] == ["b"]
    assert len(await patcher.list(Resource.ROLLOUT, namespace)) == 2


async def test_a_change_is_answered_with_what_is_then(
    patcher: KubernetesPatcher, quiet: Manifest
) -> None:
    after = await patcher.patch(terminate(quiet), resource_version=version_of(quiet))
    assert after["spec"]["terminate"] is True
    assert version_of(after) != version_of(quiet)
    assert version_of(await patcher.get(Resource.ANALYSIS_RUN, key_of(quiet))) == version_of(after)


async def test_the_writer_is_known_by_name(patcher: KubernetesPatcher, quiet: Manifest) -> None:
    after = await patcher.patch(terminate(quiet))
    assert "rollgraph" in [entry["manager"] for entry in after["metadata"]["managedFields"]]


async def test_an_old_version_conflicts_and_nothing_is_changed(
    spoke: AnySpoke, patcher: KubernetesPatcher, quiet: Manifest
) -> None:
    metadata = {"metadata": {"annotations": {"by": "somebody"}}}
    now = spoke.cluster().patch("AnalysisRun", "quiet", metadata, key_of(quiet).namespace)
    with pytest.raises(ConflictError) as caught:
        await patcher.patch(terminate(quiet), resource_version=version_of(quiet))
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")
    found = await patcher.get(Resource.ANALYSIS_RUN, key_of(quiet))
    assert version_of(found) == version_of(now)
    assert "terminate" not in found["spec"]


async def test_so_does_a_json_patch(patcher: KubernetesPatcher, quiet: Manifest) -> None:
    operations = [{"op": "add", "path": "/spec/terminate", "value": True}]
    patch = Patch(Resource.ANALYSIS_RUN, key_of(quiet), operations, type=PatchType.JSON)
    after = await patcher.patch(patch, resource_version=version_of(quiet))
    assert after["spec"]["terminate"] is True
    other = [{"op": "replace", "path": "/spec/terminate", "value": False}]
    with pytest.raises(ConflictError):
        await patcher.patch(
            Patch(Resource.ANALYSIS_RUN, key_of(quiet), other, type=PatchType.JSON),
            resource_version=version_of(quiet),
        )
    assert (await patcher.get(Resource.ANALYSIS_RUN, key_of(quiet)))["spec"]["terminate"] is True


async def test_sent_twice_it_does_no_harm(patcher: KubernetesPatcher, quiet: Manifest) -> None:
    await patcher.patch(terminate(quiet), resource_version=version_of(quiet))
    with pytest.raises(ConflictError):
        await patcher.patch(terminate(quiet), resource_version=version_of(quiet))


async def test_a_status_is_written_apart_from_the_spec(
    spoke: AnySpoke, patcher: KubernetesPatcher, namespace: str
) -> None:
    made = spoke.cluster().create(rollout("cart", namespace))
    body = {"spec": {"paused": False}, "status": {"abort": True}}
    status = await patcher.patch(Patch(Resource.ROLLOUT, key_of(made), body, subresource="status"))
    assert (status["spec"]["paused"], status["status"]["abort"]) == (True, True)


async def test_a_dry_run_changes_nothing(patcher: KubernetesPatcher, quiet: Manifest) -> None:
    after = await patcher.patch(terminate(quiet), resource_version=version_of(quiet), dry_run=True)
    assert after["spec"]["terminate"] is True
    found = await patcher.get(Resource.ANALYSIS_RUN, key_of(quiet))
    assert version_of(found) == version_of(quiet)
    assert "terminate" not in found["spec"]


async def test_a_dry_run_is_checked_all_the_same(
    spoke: AnySpoke, patcher: KubernetesPatcher, quiet: Manifest
) -> None:
    with pytest.raises(ConflictError):
        await patcher.patch(terminate(quiet), resource_version="1", dry_run=True)
    made = spoke.cluster().create(rollout("cart", key_of(quiet).namespace))
    wrong = Patch(Resource.ROLLOUT, key_of(made), {"spec": {"replicas": "many"}})
    with pytest.raises(InvalidRequestError) as caught:
        await patcher.patch(wrong, dry_run=True)
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")


async def test_who_may_not_is_refused(reader: KubernetesPatcher, quiet: Manifest) -> None:
    with pytest.raises(ForbiddenError) as caught:
        await reader.patch(terminate(quiet))
    assert caught.value.code == 403
    assert "reader" in str(caught.value) or "viewer" in str(caught.value)


async def test_one_may_ask_what_one_may(
    patcher: KubernetesPatcher, reader: KubernetesPatcher
) -> None:
    reading = AccessQuestion("get", "rollouts", "argoproj.io")
    patching = AccessQuestion("patch", "rollouts", "argoproj.io", subresource="status")
    assert await patcher.may(patching)
    assert await reader.may(reading)
    assert not await reader.may(patching)
    assert not await reader.may(AccessQuestion("impersonate", "users"))


async def test_an_own_token_goes_in_place_of_ours(
    spoke: AnySpoke, patcher: KubernetesPatcher, quiet: Manifest
) -> None:
    as_reader = PassedThrough(spoke.access("reader").token, "reader")
    found = await patcher.get(Resource.ANALYSIS_RUN, key_of(quiet), as_=as_reader)
    assert key_of(found) == key_of(quiet)
    with pytest.raises(ForbiddenError):
        await patcher.patch(terminate(quiet), as_=as_reader)
    with pytest.raises(UnauthenticatedError):
        await patcher.get(Resource.ANALYSIS_RUN, key_of(quiet), as_=PassedThrough("no-token"))


async def test_an_event_is_created(
    spoke: AnySpoke, patcher: KubernetesPatcher, quiet: Manifest
) -> None:
    key = key_of(quiet)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "quiet.", "namespace": key.namespace},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisRun",
            "namespace": key.namespace,
            "name": key.name,
            "uid": quiet["metadata"]["uid"],
        },
        "reason": "Tested",
        "message": "it was",
        "type": "Normal",
    }
    await patcher.create_event(event)
    reasons = [item["reason"] for item in spoke.cluster().list("Event", key.namespace)]
    assert "Tested" in reasons


async def test_nobody_there_is_told_from_no_answer() -> None:
    made = KubernetesPatcher("http://127.0.0.1:1", FixedCredentials())
    try:
        with pytest.raises(UnreachableError) as caught:
            await made.patch(Patch(Resource.ROLLOUT, ObjectKey("shop", "cart"), {}))
        assert type(caught.value) is UnreachableError
    finally:
        await made.close()
