"""Images set, on pods of several containers that real control planes have taken."""

import copy

import pytest

from planned import NOW, Document, applied, live
from rollgraph.core.actions.action import SetImage
from rollgraph.core.actions.plan import PatchType, Plan, Reason, Refusal, Resource
from rollgraph.core.actions.planning import plan
from testbed.record import recordings

RECORDED = {item.name: item for item in recordings()}
SEVERAL = "containers--init-containers-a-sidecar-a-digest"
DIGEST = f"registry.example/demo@sha256:{'a' * 64}"


def asked(action: SetImage, name: str = SEVERAL) -> tuple[list[Document], Plan | Refusal]:
    documents = copy.deepcopy(list(RECORDED[name].objects))
    return documents, plan(action, live(action, documents), NOW)


def images(documents: list[Document], kind: str = "Rollout") -> dict[str, str]:
    (found,) = (item for item in documents if item["kind"] == kind)
    spec = found["spec"]["template"]["spec"]
    groups = ("initContainers", "containers", "ephemeralContainers")
    return {c["name"]: c["image"] for group in groups for c in spec.get(group, ())}


@pytest.mark.parametrize("container", ["setup", "proxy", "first", "second"])
@pytest.mark.parametrize("image", ["demo:2", DIGEST, f"localhost:5000/a/demo:2@sha256:{'b' * 64}"])
def test_one_container_of_any_sort_gets_it_and_the_others_keep_theirs(
    container: str, image: str
) -> None:
    documents, answer = asked(SetImage(container, image))

    assert isinstance(answer, Plan)
    before, after = images(documents), images(applied(answer, documents))
    assert after == {**before, container: image}
    assert answer.message == f"sets {container} to {image}"
    assert [patch.type for patch in answer.patches] == [PatchType.JSON]


def test_a_star_means_all_of_them() -> None:
    documents, answer = asked(SetImage("*", "demo:2"))

    assert isinstance(answer, Plan)
    assert set(images(applied(answer, documents)).values()) == {"demo:2"}
    assert answer.message == "sets setup, proxy, first, second to demo:2"


def test_an_image_that_is_there_already_is_not_set() -> None:
    _, answer = asked(SetImage("proxy", "proxy:2"))

    assert answer == Plan((), "proxy has proxy:2 already")


def test_a_container_that_is_not_there_is_told_with_those_that_are() -> None:
    _, answer = asked(SetImage("third", "demo:2"))

    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.NOT_FOUND
    assert answer.message == (
        "there is no container 'third' in the pod template, but: setup, proxy, first, second"
    )


def test_the_image_of_a_deployment_is_set_there() -> None:
    documents, answer = asked(SetImage("demo", "demo:2"), "workload-ref--first-revision-healthy")

    assert isinstance(answer, Plan)
    assert [patch.resource for patch in answer.patches] == [Resource.DEPLOYMENT]
    assert images(applied(answer, documents), "Deployment") == {"demo": "demo:2"}


@pytest.mark.parametrize("image", ["", "Demo:2", "demo", "demo:", "demo:a b", "https://demo:2"])
def test_what_no_pod_could_pull_is_not_sent(image: str) -> None:
    _, answer = asked(SetImage("first", image))

    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.INVALID
