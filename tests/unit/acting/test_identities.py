"""As whom somebody acts on a spoke, and as whom nobody ever does."""

import anyio
import pytest
from structlog.testing import capture_logs

from fakes.hands import Stage, acting, failing
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.everything import Everything
from rollgraph.acting.allowances import REMEMBERED
from rollgraph.acting.identities import Identities, Naming
from rollgraph.acting.outcome import ClusterUnavailable, Forbidden, Outcome
from rollgraph.core.actions.action import Pause, Resume
from rollgraph.core.decision import Decision, Layer
from rollgraph.core.errors import ForbiddenError, UnreachableError
from rollgraph.core.identity import (
    OURSELVES,
    Identity,
    IdentityMode,
    Impersonated,
    PassedThrough,
)
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer
from rollgraph.ports import AccessQuestion


def caller(subject: str = "alice", *groups: str, token: str = "") -> Caller:
    return Caller(Everything(Viewer(subject, groups, "https://idp")), token)


@pytest.fixture
async def stage() -> Stage:
    return Stage("cart")


async def pause(
    stage: Stage, who: Caller, identities: Identities | None = None
) -> tuple[Outcome, set[Identity]]:
    """What comes of it, and as whom the spoke was asked."""
    actor = await stage.actor(identities)
    outcome = await actor.act(who, acting("cart", Pause()), "request-1")
    return outcome, set(stage.patcher.identities)


async def test_a_person_is_impersonated_with_their_groups(stage: Stage) -> None:
    outcome, asked = await pause(stage, caller("alice", "dev", "oncall"))

    assert outcome.applied
    assert asked == {Impersonated("alice", ("dev", "oncall"), "request-1")}
    assert outcome.acted_as == stage.audit[-1].acted_as == "alice"


async def test_prefixes_stand_before_names(stage: Stage) -> None:
    naming = Identities(naming=Naming("oidc:", "oidc-group:"))

    _, asked = await pause(stage, caller("alice", "dev"), naming)

    assert asked == {Impersonated("oidc:alice", ("oidc-group:dev",), "request-1")}


@pytest.mark.parametrize("subject", ["system:admin", "SYSTEM:admin", " system:masters", "", "a\nb"])
async def test_nobody_becomes_one_of_kubernetes_own(stage: Stage, subject: str) -> None:
    outcome, asked = await pause(stage, caller(subject))

    assert isinstance(outcome.failure, Forbidden)
    assert outcome.failure.decision.refused_by is Layer.KUBERNETES_RBAC
    assert asked == set()


async def test_nor_does_a_prefix_make_one(stage: Stage) -> None:
    outcome, _ = await pause(stage, caller("masters"), Identities(naming=Naming("system:")))
    assert isinstance(outcome.failure, Forbidden)


async def test_groups_of_kubernetes_own_are_left_out(stage: Stage) -> None:
    _, asked = await pause(stage, caller("alice", "system:masters", "", "dev", "dev"))
    assert asked == {Impersonated("alice", ("dev",), "request-1")}


async def test_a_spoke_that_does_not_allow_it_is_acted_on_as_ourselves_loudly(
    stage: Stage,
) -> None:
    stage.patcher.allowed = lambda question: question.verb != "impersonate"

    with capture_logs() as logs:
        outcome, asked = await pause(stage, caller())

    assert outcome.applied
    assert asked == {OURSELVES}
    (warning,) = (log for log in logs if log["log_level"] == "warning")
    assert (warning["event"], warning["cluster"]) == ("not_impersonating", "east")


async def test_a_spoke_that_does_not_answer_is_not_acted_on(stage: Stage) -> None:
    """To act as ourselves then would be to act with more rights."""

    def silence(_: AccessQuestion) -> bool:
        raise UnreachableError("no answer")

    stage.patcher.allowed = silence

    outcome, asked = await pause(stage, caller())

    assert isinstance(outcome.failure, ClusterUnavailable)
    assert asked == set()


async def test_only_those_who_may_be_impersonated_are(stage: Stage) -> None:
    stage.patcher.allowed = lambda question: question.name in {"alice", "dev"}

    _, asked = await pause(stage, caller("alice", "dev", "everyone"))

    # Nor may the request be told.
    assert asked == {Impersonated("alice", ("dev",))}


async def test_the_spoke_is_asked_once_for_a_while(stage: Stage) -> None:
    actor = await stage.actor()
    for action in (Pause(), Resume(), Pause()):
        await actor.act(caller("alice", "dev"), acting("cart", action), "r")
    asked = list(stage.patcher.questions)
    assert len(asked) == 3  # users, groups, and the id of the request

    await anyio.sleep(REMEMBERED + 1)
    await actor.act(caller("alice", "dev"), acting("cart", Resume()), "r")
    assert stage.patcher.questions == asked * 2


async def test_it_is_asked_again_when_it_has_refused(stage: Stage) -> None:
    actor = await stage.actor()
    stage.patcher.on_get.append(failing(ForbiddenError("cannot impersonate", code=403)))
    outcome = await actor.act(caller(), acting("cart", Pause()), "r")
    assert isinstance(outcome.failure, Forbidden)
    stage.patcher.questions.clear()

    await actor.act(caller(), acting("cart", Pause()), "r")

    assert stage.patcher.questions


async def test_whoever_has_not_logged_in_acts_as_ourselves(stage: Stage) -> None:
    _, asked = await pause(stage, ANYBODY)
    assert asked == {OURSELVES}
    assert stage.patcher.questions == []


async def test_one_cluster_may_differ() -> None:
    stage = Stage("cart", identity=IdentityMode.SERVICE_ACCOUNT)
    _, asked = await pause(stage, caller())
    assert asked == {OURSELVES}
    assert stage.patcher.questions == []


async def test_a_token_is_passed_through(stage: Stage) -> None:
    own = Identities(IdentityMode.PASSTHROUGH)

    outcome, asked = await pause(stage, caller(token="secret-token"), own)

    assert asked == {PassedThrough("secret-token", "alice")}
    assert outcome.acted_as == "alice"
    assert "secret-token" not in repr(asked) + repr(outcome) + repr(stage.audit)


async def test_without_a_token_there_is_none_to_pass(stage: Stage) -> None:
    outcome, asked = await pause(stage, caller(), Identities(IdentityMode.PASSTHROUGH))
    assert isinstance(outcome.failure, Forbidden)
    assert "send a bearer token" in outcome.failure.message
    assert asked == set()


class Nothing(Everything):
    """The rights of who has none."""

    def may(self, verb: Verb, ref: RolloutRef, view: RolloutView | None = None) -> Decision:
        return Decision(Layer.SCOPE, ("rollouts:pause",), "your token lacks rollouts:pause")


async def test_the_spoke_gets_no_request_from_who_may_not(stage: Stage) -> None:
    outcome, _ = await pause(stage, Caller(Nothing(Viewer("mallory"))))

    assert isinstance(outcome.failure, Forbidden)
    assert outcome.failure.decision.missing_scopes == ("rollouts:pause",)
    assert (stage.patcher.asked, stage.patcher.questions, stage.opened) == ([], [], 0)
    (entry,) = stage.audit
    assert entry.decision.refused_by is Layer.SCOPE
