"""What a reader may see of a stream, while their rights change."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

import samples
from factories import rollout_view
from fakes.rights import Some
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView, build_view
from rollgraph.core.viewer import Viewer
from rollgraph.schema.context import LEEWAY
from rollgraph.schema.ids import global_id
from unit.schema.streams.streaming import Live, at

FLEET = """
subscription { rolloutEvents {
  kind
  ... on RolloutSnapshotEvent { rollout { name } }
  ... on PhaseChangedEvent { to rollout { name } }
  ... on RolloutDeletedEvent { name }
} }
"""
PACED = FLEET.replace("rolloutEvents", 'rolloutEvents(minInterval: "PT10S")')
RESUMED = FLEET.replace(
    "subscription { rolloutEvents {",
    "subscription R($after: String) { rolloutEvents(resumeAfter: $after) { cursor",
)
ONE = """
subscription { rolloutChanged(rollout: {key: {cluster: "east", namespace: "shop", name: "web"}}) {
  kind ... on PhaseChangedEvent { to }
} }
"""


def seeing(*names: str, verbs: tuple[Verb, ...] = (Verb.WATCH,)) -> Some:
    return Some(lambda view: view.ref.name in names, verbs=verbs)


def view(name: str, phase: Phase = Phase.HEALTHY) -> RolloutView:
    return rollout_view(f"east/shop/{name}", phase=phase)


def name_of(event: dict[str, object]) -> object:
    rollout = event.get("rollout")
    return rollout["name"] if isinstance(rollout, dict) else event.get("name")


@pytest.fixture
async def live() -> Live:
    made = Live()
    made.put(view("web"), view("db"))
    return made


async def test_only_what_is_shown_is_told(live: Live) -> None:
    async with live.reader(FLEET, seeing("web")) as reader:
        assert name_of(await reader.event()) == "web"
        live.put(view("db", Phase.DEGRADED), view("web", Phase.PAUSED))
        event = await reader.event()
        assert (event["kind"], name_of(event)) == ("PHASE_CHANGED", "web")
        live.drop(RolloutRef("east", "shop", "db"))
        assert await reader.silent()


async def test_what_is_hidden_later_is_told_as_gone_once(live: Live) -> None:
    live.rule.say(seeing("web", "db"))
    async with live.reader(FLEET) as reader:
        await reader.events(2)
        live.put(view("db", Phase.PAUSED))
        live.rule.say(seeing("web"))
        # It has changed before it was hidden, and was not told of that: it must not be any more.
        gone = await reader.event()
        assert (gone["kind"], name_of(gone)) == ("DELETED", "db")
        live.put(view("db", Phase.DEGRADED), view("web", Phase.DEGRADED))
        event = await reader.event()
        assert (event["to"], name_of(event)) == ("DEGRADED", "web")


async def test_what_waits_for_its_pace_is_told_before_what_other_rights_show(live: Live) -> None:
    live.rule.say(seeing("web", "db"))
    async with live.reader(PACED) as reader:
        await reader.events(2)
        live.put(view("web", Phase.PAUSED))
        await reader.event()
        # Gone and there again, which would be told in a while; but now the rights change.
        live.drop(RolloutRef("east", "shop", "web"))
        live.put(view("web", Phase.DEGRADED))
        live.rule.say(seeing("web"))
        told = await reader.events(2)
        assert at(told, "kind", "to") == [("PHASE_CHANGED", "DEGRADED"), ("DELETED", None)]
        assert [name_of(event) for event in told] == ["web", "db"]
        live.put(view("web", Phase.PAUSED))
        assert (await reader.event(within=15))["kind"] == "PHASE_CHANGED"


async def test_what_was_hidden_again_before_it_was_told_is_told_to_who_comes_back() -> None:
    live = Live()
    live.put(view("web"), view("api"), view("db"), view("hub"))
    async with live.reader(RESUMED, seeing("web")) as reader:
        await reader.event()
        live.rule.say(seeing("web", "api", "db", "hub"))
        assert name_of(await reader.event_after(live.fanout.nudge)) == "api"
        live.rule.say(seeing("web", "api", "hub"))
        assert name_of(await reader.event()) == "hub"
    live.rule.say(seeing("web", "api", "db", "hub"))
    async with live.reader(RESUMED, after=reader.cursor) as reader:
        assert (await reader.event())["kind"] == "RESYNC"
        told = [name_of(event) for event in await reader.events(4)]
    assert told == ["web", "api", "db", "hub"]


async def test_what_is_shown_later_is_told_as_new(live: Live) -> None:
    live.rule.say(seeing("web"))
    async with live.reader(FLEET) as reader:
        await reader.event()
        live.put(view("db", Phase.PAUSED))

        def show() -> None:
            live.rule.say(seeing("web", "db"))
            live.fanout.nudge()

        new = await reader.event_after(show)
        assert (new["kind"], name_of(new)) == ("ADDED", "db")
        live.put(view("db", Phase.DEGRADED))
        assert (await reader.event())["to"] == "DEGRADED"


async def test_one_that_is_hidden_is_as_if_it_did_not_exist(live: Live) -> None:
    async with live.reader(ONE, seeing("db")) as reader:
        live.put(view("web", Phase.DEGRADED))
        assert await reader.silent()


async def test_what_must_not_be_told_is_never_executed(live: Live) -> None:
    shown = [True]
    rights = Some(lambda view: shown[0], verbs=(Verb.WATCH,))
    live.rule.say(rights)
    async with live.reader(ONE) as reader:
        await reader.event()
        live.put(view("web", Phase.PAUSED))
        shown[0] = False
        live.rule.say(replace(rights, shown=lambda view: False))
        assert at([await reader.event()], "kind") == ["DELETED"]
        assert await reader.silent()


async def test_who_may_read_but_not_watch_is_told_so(live: Live) -> None:
    async with live.reader(ONE, seeing("web", verbs=())) as reader:
        code, message = await reader.error()
    assert (code, message) == ("FORBIDDEN", "no policy lets you watch east/shop/web")
    async with live.reader(FLEET, seeing("web", verbs=())) as reader:
        assert await reader.silent()


async def test_a_token_for_something_else_subscribes_to_nothing(live: Live) -> None:
    rights = seeing("web").narrowed(Scope.PROMOTE)
    for document in (FLEET, ONE, "subscription { clusterConnectionChanged { kind } }"):
        async with live.reader(document, rights) as reader:
            assert (await reader.error())[0] == "FORBIDDEN"


async def test_a_stream_ends_with_the_login(live: Live) -> None:
    until = Viewer("ann@example.com", expires_at=live.clock.now() + timedelta(seconds=90))
    async with live.reader(ONE, replace(seeing("web"), viewer=until)) as reader:
        await reader.event()
        live.put(view("web", Phase.PAUSED))
        assert (await reader.event())["to"] == "PAUSED"
        before = live.clock.now()
        code, message = await reader.error(within=300)
        assert code == "TOKEN_EXPIRED"
        assert "resumeAfter" in message
        assert live.clock.now() - before <= timedelta(seconds=90) + LEEWAY
        assert await reader.ended()


async def test_a_login_that_has_ended_begins_no_stream(live: Live) -> None:
    ended = Viewer("ann@example.com", expires_at=live.clock.now() - LEEWAY)
    async with live.reader(ONE, replace(seeing("web"), viewer=ended)) as reader:
        assert (await reader.error())[0] == "UNAUTHENTICATED"


ANALYSED = """
subscription Analysed($id: ID!) { %s }
"""
BY_ANALYSIS = [
    "stepProgress(rollout: {id: $id}) { analysisRuns { name } }",
    "stepProgress(rollout: {id: $id}) { steps { analysisRuns { name } } }",
    "rolloutChanged(rollout: {id: $id}) { ... on AnalysisRunChangedEvent { %s } }",
]


@pytest.mark.parametrize("selection", BY_ANALYSIS[:2])
async def test_analysis_of_steps_needs_its_scope(selection: str) -> None:
    live, made = analysed()
    rights = Some(lambda _: True, verbs=(Verb.WATCH,))
    async with live.reader(ANALYSED % selection, rights.narrowed(*BOTH), id=made) as reader:
        await reader.event()
    async with live.reader(ANALYSED % selection, rights.narrowed(Scope.READ), id=made) as reader:
        answer = await reader.answer()
    assert answer.errors
    assert {(error.extensions or {})["code"] for error in answer.errors} == {"FORBIDDEN"}


@pytest.mark.parametrize("field", ["analysisRun { name }", "newMeasurements { value }"])
async def test_analysis_in_events_needs_its_scope(field: str) -> None:
    live, made = analysed()
    document = ANALYSED % (BY_ANALYSIS[2] % field)
    rights = Some(lambda _: True, verbs=(Verb.WATCH,))
    for scopes, refused in ((BOTH, set()), ((Scope.READ,), {"FORBIDDEN"})):
        async with live.reader(document, rights.narrowed(*scopes), id=made) as reader:
            await reader.event()
            live.put(analysed_view(message=f"measured for {scopes}"))
            answer = await reader.answer()
        assert {(error.extensions or {})["code"] for error in answer.errors or ()} == refused


BOTH = (Scope.READ, Scope.ANALYSIS_READ)


def analysed() -> tuple[Live, str]:
    live = Live()
    made = analysed_view()
    live.put(made)
    ref = made.ref
    return live, str(global_id("Rollout", ref.cluster, ref.namespace, ref.name))


def analysed_view(message: str = "") -> RolloutView:
    rollout, belongings = samples.family("canary-at-20-percent")
    runs = [
        structs.replace(run, status=structs.replace(run.status, message=message))
        for run in belongings.analysis_runs
    ]
    return build_view("east", rollout, structs.replace(belongings, analysis_runs=runs))
