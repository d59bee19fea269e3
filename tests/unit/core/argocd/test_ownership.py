"""A rollout belongs to an application only if Argo CD says so itself."""

from typing import Any

import pytest

from rollgraph.core.application import Application
from rollgraph.core.argocd.clusters import Registration
from rollgraph.core.argocd.objects import (
    ConfigMap,
    Destination,
    Project,
    TrackedApplication,
)
from rollgraph.core.argocd.ownership import Owners
from rollgraph.core.argocd.tracking import Tracking, tracking
from rollgraph.core.objects.meta import Meta
from rollgraph.core.refs import ObjectKey

WEST = Registration("west", "https://west", "west-in-argo")
EAST = Registration("east", "https://east", "east")
ANNOTATION = "argocd.argoproj.io/tracking-id"
TRUE_ID = "checkout:argoproj.io/Rollout:shop/checkout"


def meta(annotation: str = TRUE_ID, name: str = "checkout", **more: Any) -> Meta:
    annotations = {ANNOTATION: annotation} | more.pop("annotations", {})
    return Meta(name=name, namespace="shop", annotations=annotations, **more)


def application(
    name: str = "checkout",
    project: str = "retail",
    *,
    namespace: str = "argocd",
) -> TrackedApplication:
    rollouts = frozenset({"shop/checkout"})
    key = ObjectKey(namespace, name)
    return TrackedApplication(key, project, Destination("https://west/"), rollouts)


def owners(
    *applications: TrackedApplication,
    sources: tuple[str, ...] = (),
    clusters: tuple[Registration, ...] = (WEST, EAST),
    by: Tracking | None = None,
) -> Owners:
    held = {one.key: one for one in applications or (application(),)}
    projects = {"retail": Project("retail", source_namespaces=sources)}
    return Owners("argocd", held.get, projects, clusters, by or Tracking())


def test_what_both_say_is_so() -> None:
    found = owners().application("west", meta())
    assert found == Application("retail", "checkout")
    assert str(found) == "retail/checkout"


def by_name(name: str) -> TrackedApplication:
    key = ObjectKey("argocd", "checkout")
    rollouts = frozenset({"shop/checkout"})
    return TrackedApplication(key, "retail", Destination(name=name), rollouts)


def test_a_destination_may_be_a_name_that_one_cluster_has() -> None:
    assert owners(by_name("west-in-argo")).application("west", meta()) is not None
    assert owners(by_name("west")).application("west", meta()) is None
    twin = Registration("twin", "https://twin", "west-in-argo")
    assert (
        owners(by_name("west-in-argo"), clusters=(WEST, twin)).application("west", meta()) is None
    )


@pytest.mark.parametrize(
    ("cluster", "claim"),
    [
        ("east", meta()),  # the application's destination is another cluster
        ("west", meta("payments:argoproj.io/Rollout:shop/checkout")),  # no such application
        ("west", meta(name="forged", annotation="checkout:argoproj.io/Rollout:shop/forged")),
        ("west", meta("checkout:argoproj.io/Rollout:shop/other")),  # copied from another object
        ("west", meta("checkout:argoproj.io/Rollout:bank/checkout")),
        ("west", meta("checkout:apps/Deployment:shop/checkout")),
        ("west", meta("checkout")),
        ("west", meta("")),
        ("west", meta(annotations={"argocd.argoproj.io/installation-id": "other"})),
    ],
)
def test_a_claim_alone_is_not_believed(cluster: str, claim: Meta) -> None:
    assert owners().application(cluster, claim) is None


def test_an_application_of_a_project_that_does_not_exist_owns_nothing() -> None:
    assert owners(application(project="nowhere")).application("west", meta()) is None


def test_a_cluster_that_is_described_twice_is_the_older_ones() -> None:
    younger = Registration("copy", "https://west", "west-in-argo", problem="older")
    found = owners(clusters=(WEST, younger))
    assert found.application("west", meta()) is not None
    assert found.application("copy", meta()) is None


@pytest.mark.parametrize(
    ("sources", "owned"),
    [
        (("team-a",), True),
        (("team-*",), True),
        (("/^team-[ab]$/",), False),  # a regular expression, which is not taken
        ((), False),
        (("team-b", "["), False),
    ],
)
def test_an_application_elsewhere_counts_if_its_project_takes_it_from_there(
    sources: tuple[str, ...], owned: bool
) -> None:
    elsewhere = owners(application(namespace="team-a"), sources=sources)
    found = elsewhere.application("west", meta(f"team-a_{TRUE_ID}"))
    assert (str(found) if found else None) == ("retail/team-a/checkout" if owned else None)
    assert elsewhere.application("west", meta()) is None


def test_the_installation_id_must_be_the_same() -> None:
    ours = Tracking(installation="ours")
    marked = meta(annotations={"argocd.argoproj.io/installation-id": "ours"})
    assert owners(by=ours).application("west", marked) is not None
    assert owners(by=ours).application("west", meta()) is None


def test_by_label_the_label_is_the_claim() -> None:
    labels = {"app.kubernetes.io/instance": "checkout"}
    by_label = tracking(ConfigMap("argocd-cm", {"application.resourceTrackingMethod": "label"}))
    claim = Meta(name="checkout", namespace="shop", labels=labels)
    assert owners(by=by_label).application("west", claim) == Application("retail", "checkout")
    assert owners(by=by_label).application("west", meta()) is None
    own_key = tracking(
        ConfigMap(
            "argocd-cm",
            {
                "application.resourceTrackingMethod": "label",
                "application.instanceLabelKey": "argo/app",
            },
        )
    )
    assert owners(by=own_key).application("west", claim) is None


@pytest.mark.parametrize("method", ["annotation+label", "annotation", "", "nonsense"])
def test_by_any_other_method_the_annotation_is(method: str) -> None:
    config = ConfigMap("argocd-cm", {"application.resourceTrackingMethod": method})
    assert owners(by=tracking(config)).application("west", meta()) is not None
