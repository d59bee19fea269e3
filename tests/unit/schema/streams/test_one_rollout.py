"""A stream of one rollout: its state first, then each change, once and in order."""

from datetime import timedelta

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from factories import NOON, rollout_view
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.schema.ids import global_id
from rollgraph.schema.types.events import EVENT_TYPES
from unit.schema.asking import SCHEMA
from unit.schema.streams.streaming import Live, at, moment

CHECKOUT = RolloutRef("east", "shop", "checkout")
KEY = {"key": {"cluster": "east", "namespace": "shop", "name": "checkout"}}

CHANGES = """
subscription Changes($rollout: RolloutRefInput!, $after: String) {
  rolloutChanged(rollout: $rollout, resumeAfter: $after) {
    __typename kind cursor occurredAt receivedAt clusterName
    ... on RolloutSnapshotEvent { rollout { name phase } }
    ... on RolloutUpdatedEvent { changedFields rollout { progress { percent } } }
    ... on PhaseChangedEvent { from to message rollout { phase } }
    ... on RolloutDeletedEvent { id namespace name }
    ... on ResyncEvent { reason }
  }
}
"""


def view(phase: Phase = Phase.HEALTHY, **changes: object) -> RolloutView:
    return rollout_view(str(CHECKOUT), phase=phase, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def live() -> Live:
    made = Live()
    made.put(view())
    return made


async def test_the_state_comes_first_then_each_change_in_order(live: Live) -> None:
    async with live.reader(CHANGES, rollout=KEY) as reader:
        first = await reader.event()
        for phase in (Phase.PROGRESSING, Phase.PAUSED, Phase.PROGRESSING, Phase.HEALTHY):
            live.put(view(phase))
        events = await reader.events(4)
    assert (first["kind"], first["rollout"]) == (
        "SNAPSHOT",
        {"name": "checkout", "phase": "HEALTHY"},
    )
    assert at(events, "__typename", "from", "to") == [
        ("PhaseChangedEvent", "HEALTHY", "PROGRESSING"),
        ("PhaseChangedEvent", "PROGRESSING", "PAUSED"),
        ("PhaseChangedEvent", "PAUSED", "PROGRESSING"),
        ("PhaseChangedEvent", "PROGRESSING", "HEALTHY"),
    ]
    # Each event shows the rollout as it was then, not as it is by now.
    assert [event["rollout"]["phase"] for event in events] == at(events, "to")
    assert len({event["cursor"] for event in [first, *events]}) == 5


async def test_a_rollout_is_meant_by_its_id_too(live: Live) -> None:
    rollout = {"id": global_id("Rollout", "east", "shop", "checkout")}
    async with live.reader(CHANGES, rollout=rollout) as reader:
        assert (await reader.event())["rollout"]["name"] == "checkout"


async def test_others_are_none_of_its_business(live: Live) -> None:
    async with live.reader(CHANGES, rollout=KEY) as reader:
        await reader.event()
        live.put(rollout_view("east/shop/cart"), rollout_view("west/shop/checkout"))
        live.put(view(Phase.DEGRADED))
        assert (await reader.event())["to"] == "DEGRADED"


async def test_one_that_goes_and_comes_is_told_so(live: Live) -> None:
    async with live.reader(CHANGES, rollout=KEY) as reader:
        await reader.event()
        live.drop(CHECKOUT)
        live.put(view(Phase.PROGRESSING))
        gone, back = await reader.events(2)
    assert gone["kind"] == "DELETED"
    assert (gone["namespace"], gone["name"]) == ("shop", "checkout")
    assert gone["id"] == global_id("Rollout", "east", "shop", "checkout")
    assert (back["kind"], back["rollout"]["phase"]) == ("ADDED", "PROGRESSING")


async def test_one_that_is_not_there_yet_is_waited_for() -> None:
    live = Live()
    async with live.reader(CHANGES, rollout=KEY) as reader:
        event = await reader.event_after(lambda: live.put(rollout_view("east/shop/cart"), view()))
    assert event["kind"] == "ADDED"


async def test_what_has_no_kind_of_its_own_is_told_by_its_fields(live: Live) -> None:
    async with live.reader(CHANGES, rollout=KEY) as reader:
        await reader.event()
        live.put(view(percent=40))
        event = await reader.event()
    assert event["kind"] == "UPDATED"
    assert event["changedFields"] == ["progress"]
    assert event["rollout"]["progress"] == {"percent": 40.0}


async def test_an_event_says_when_the_cluster_wrote_it_and_when_it_was_learned(live: Live) -> None:
    async with live.reader(CHANGES, rollout=KEY) as reader:
        first = await reader.event()
        live.put(view(Phase.PAUSED, updated_at=NOON + timedelta(seconds=7)))
        live.put(view(Phase.DEGRADED, updated_at=NOON + timedelta(seconds=7)))
        written, learned = await reader.events(2)
    assert moment(first["occurredAt"]) == NOON
    assert moment(written["occurredAt"]) == NOON + timedelta(seconds=7)
    assert moment(written["receivedAt"]) == live.clock.now()
    # The object was not written again: nobody but the worker can say when that happened.
    assert learned["occurredAt"] == learned["receivedAt"]


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        ({"id": "nonsense"}, "is not an id of this API"),
        ({"key": {"cluster": "east", "namespace": "shop", "name": "A b"}}, "is no name"),
    ],
)
async def test_what_is_no_rollout_is_refused(
    live: Live, rollout: dict[str, object], said: str
) -> None:
    async with live.reader(CHANGES, rollout=rollout) as reader:
        code, message = await reader.error()
    assert code == "BAD_USER_INPUT"
    assert said in message


async def test_what_is_no_subscription_of_the_schema_is_refused(live: Live) -> None:
    async with live.reader("subscription { nonsense }") as reader:
        assert (await reader.error())[0] == "GRAPHQL_VALIDATION_FAILED"


async def test_who_leaves_is_not_listened_for_any_more(live: Live) -> None:
    async with live.reader(CHANGES, rollout=KEY) as reader:
        await reader.event()
        assert len(live.fanout._listeners) == 1
    assert len(live.fanout._listeners) == 0


async def test_all_kinds_of_events_fit_into_one_document_without_aliases(live: Live) -> None:
    kinds = {type_.__name__: fields(type_.__name__) for type_ in EVENT_TYPES.values()}
    selection = " ".join(f"... on {name} {{ {' '.join(each)} }}" for name, each in kinds.items())
    document = CHANGES[: CHANGES.index("__typename")] + selection + "} }"
    async with live.reader(document, rollout=KEY) as reader:
        assert (await reader.event())["kind"] == "SNAPSHOT"


def fields(name: str) -> list[str]:
    """The fields of a type, as they are selected."""
    type_ = SCHEMA._schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return [
        field if is_leaf_type(get_named_type(made.type)) else f"{field} {{ __typename }}"
        for field, made in type_.fields.items()
    ]
