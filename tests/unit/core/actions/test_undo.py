"""The undo, on rollouts that real control planes have made."""

import copy

import pytest

from planned import NOW, Document, applied, live
from rollgraph.core.actions.action import PromoteFull, Undo
from rollgraph.core.actions.plan import Plan, Reason, Refusal, Resource
from rollgraph.core.actions.planning import plan
from rollgraph.core.actions.undo import EPHEMERAL_ANNOTATION
from testbed.record import recordings

RECORDED = {item.name: item for item in recordings()}
HASH = "rollouts-pod-template-hash"


def objects(name: str) -> list[Document]:
    return copy.deepcopy(list(RECORDED[name].objects))


def only(documents: list[Document], kind: str) -> Document:
    (found,) = (item for item in documents if item["kind"] == kind)
    return found


def revision(documents: list[Document], number: int) -> Document:
    (found,) = (
        item
        for item in documents
        if item["kind"] == "ReplicaSet"
        and item["metadata"]["annotations"]["rollout.argoproj.io/revision"] == str(number)
    )
    return found


def undone(documents: list[Document], action: Undo) -> Plan:
    answer = plan(action, live(action, documents), NOW)
    assert isinstance(answer, Plan), answer
    return answer


def refused(documents: list[Document], action: Undo) -> Refusal:
    answer = plan(action, live(action, documents), NOW)
    assert isinstance(answer, Refusal), answer
    return answer


@pytest.mark.parametrize("action", [Undo(), Undo(to_revision=1)])
def test_the_earlier_template_comes_back_whole_without_the_hash(action: Undo) -> None:
    documents = objects("guestbook--promoted")

    answer = undone(documents, action)

    after = only(applied(answer, documents), "Rollout")
    kept = revision(documents, 1)["spec"]["template"]
    assert after["spec"]["template"]["spec"] == kept["spec"]
    labels = kept["metadata"]["labels"]
    assert after["spec"]["template"]["metadata"]["labels"] == {
        key: value for key, value in labels.items() if key != HASH
    }
    assert answer.message == "brings back revision 1"
    assert answer.then is None


def test_nothing_but_the_template_is_written() -> None:
    documents = objects("guestbook--promoted")

    after = only(applied(undone(documents, Undo()), documents), "Rollout")

    before = only(documents, "Rollout")
    after["spec"]["template"] = before["spec"]["template"]
    assert after == before


def test_in_full_names_the_template_that_is_to_be_promoted_next() -> None:
    documents = objects("guestbook--promoted")

    then = undone(documents, Undo(full=True)).then

    assert then is not None
    assert then.action == PromoteFull()
    expected = revision(documents, 1)["metadata"]["labels"][HASH]
    assert then.expectations.pod_template_hash == expected
    # Until the controller has seen it, the next plan is refused, and asked for again.
    early = plan(then.action, live(then.action, documents), NOW, then.expectations)
    assert isinstance(early, Refusal)
    assert early.reason is Reason.STALE


def test_the_template_of_a_deployment_is_written_there() -> None:
    documents = objects("workload-ref--promoted")

    answer = undone(documents, Undo())

    assert [(patch.resource, patch.subresource) for patch in answer.patches] == [
        (Resource.DEPLOYMENT, "")
    ]
    after = only(applied(answer, documents), "Deployment")
    assert after["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":blue")


def test_the_template_of_a_pod_template_is_where_that_kind_has_it() -> None:
    documents = objects("workload-ref--promoted")
    held = only(documents, "Deployment")
    documents[documents.index(held)] = {
        "kind": "PodTemplate",
        "metadata": held["metadata"],
        "template": held["spec"]["template"],
    }
    only(documents, "Rollout")["spec"]["workloadRef"] = {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "name": held["metadata"]["name"],
    }

    answer = undone(documents, Undo())

    (operation,) = answer.patches[0].body
    assert operation["path"] == "/template"
    after = only(applied(answer, documents), "PodTemplate")
    assert after["template"]["spec"]["containers"][0]["image"].endswith(":blue")


def test_a_kind_that_nobody_can_write_is_refused() -> None:
    documents = objects("workload-ref--promoted")
    only(documents, "Rollout")["spec"]["workloadRef"]["kind"] = "StatefulSet"

    refusal = refused(documents, Undo())

    assert refusal.reason is Reason.NOT_APPLICABLE
    assert "StatefulSet (apps/v1)" in refusal.message


def test_a_deployment_that_is_gone_is_told() -> None:
    documents = objects("workload-ref--promoted")
    documents.remove(only(documents, "Deployment"))

    assert refused(documents, Undo()).reason is Reason.NOT_FOUND


def test_what_the_controller_has_added_to_the_template_does_not_come_along() -> None:
    documents = objects("guestbook--promoted")
    kept = revision(documents, 1)
    kept["metadata"]["annotations"][EPHEMERAL_ANNOTATION] = '{"labels": {"role": "canary"}}'
    kept["spec"]["template"]["metadata"]["labels"]["role"] = "canary"
    kept["spec"]["template"]["metadata"]["creationTimestamp"] = None

    after = only(applied(undone(documents, Undo()), documents), "Rollout")

    assert after["spec"]["template"]["metadata"] == {"labels": {"app": "guestbook"}}


def test_the_present_revision_needs_no_undo() -> None:
    answer = undone(objects("guestbook--promoted"), Undo(to_revision=2))

    assert (answer.patches, answer.message) == ((), "revision 2 is the present one")


def test_in_mid_update_the_one_before_is_the_stable_one() -> None:
    documents = objects("guestbook--paused-at-20")

    answer = undone(documents, Undo())

    stable = only(documents, "Rollout")["status"]["stableRS"]
    assert revision(documents, 1)["metadata"]["labels"][HASH] == stable
    assert answer.message == "brings back revision 1"


def test_a_template_that_is_almost_the_same_is_not_the_same() -> None:
    """The plugin skips this: the live template has nothing that the earlier one has not."""
    documents = objects("guestbook--promoted")
    kept = revision(documents, 1)["spec"]["template"]
    present = only(documents, "Rollout")["spec"]["template"]
    present["spec"]["containers"][0]["image"] = kept["spec"]["containers"][0]["image"]
    kept["spec"]["containers"][0]["args"] = ["--careful"]

    after = only(applied(undone(documents, Undo()), documents), "Rollout")

    assert after["spec"]["template"]["spec"]["containers"][0]["args"] == ["--careful"]


def test_a_revision_that_is_not_kept_is_told_with_those_that_are() -> None:
    refusal = refused(objects("guestbook--promoted"), Undo(to_revision=9))

    assert refusal.reason is Reason.NOT_FOUND
    assert refusal.message == "revision 9 is not kept; to go back to there are: 1"
    assert refused(objects("guestbook--promoted"), Undo(to_revision=0)).reason is Reason.INVALID


def test_replica_sets_of_others_are_no_revisions() -> None:
    documents = objects("guestbook--promoted")
    revision(documents, 1)["metadata"]["ownerReferences"][0]["uid"] = "somebody-else"

    refusal = refused(documents, Undo())

    assert refusal.message == "there is no other revision to go back to"


def test_before_the_newest_template_is_seen_nobody_knows_what_came_before_it() -> None:
    documents = objects("guestbook--promoted")
    only(documents, "Rollout")["metadata"]["generation"] += 1

    assert refused(documents, Undo()).reason is Reason.NOT_OBSERVED
