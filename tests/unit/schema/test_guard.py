"""What a field asks of its caller: no root field without, and nothing behind it when refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLField, get_named_type, is_leaf_type
from strawberry.types.field import StrawberryField

from fakes.rights import Some
from rollgraph.access.caller import Caller
from rollgraph.core.decision import Layer
from rollgraph.core.errors import BadRequestError, RollgraphError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.viewer import Viewer
from rollgraph.schema.context import LEEWAY, Context, Info
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import Guard, guard_of, guarded
from rollgraph.schema.schema import Schema, build_schema
from unit.schema.asking import NOW, SCHEMA, Fleet, cluster, fleet, view

# Root fields that speak of no rollout, or ask for each of many: to be somebody is enough.
FOR_ANYBODY = {
    "Query.gateway",
    "Query._service",
    "Query.viewer",
    "Query.rateLimit",
    "Mutation.bulkRolloutAction",
}


def guards(schema: strawberry.Schema) -> Iterator[tuple[str, Guard | None]]:
    """The guard of each mutation, subscription, and root read of objects."""
    graphql = schema._schema
    roots = (graphql.query_type, graphql.mutation_type, graphql.subscription_type)
    for root in (root for root in roots if root is not None):
        for name, field in root.fields.items():
            if root is not graphql.query_type or not is_leaf_type(get_named_type(field.type)):
                yield f"{root.name}.{name}", _guard(field)


def _guard(field: GraphQLField) -> Guard | None:
    made: StrawberryField = field.extensions["strawberry-definition"]
    return guard_of(made)


def unguarded(schema: strawberry.Schema) -> list[str]:
    """The root fields that anybody may ask, or anybody with a login although they should not."""
    return [
        place
        for place, guard in guards(schema)
        if guard is None or (guard.scope is None and place not in FOR_ANYBODY)
    ]


def test_no_root_field_is_without_a_guard() -> None:
    assert unguarded(build_schema()) == []
    places = {place for place, _ in guards(build_schema())}
    assert {"Query.node", "Query.nodes", "Query._entities", "Query.rollouts"} <= places


@strawberry.type(description="A thing.")
class Thing:
    """A thing."""

    name: str = strawberry.field(description="Its name.", default="web")


@strawberry.type(description="What can be asked.")
class Careless:
    """What can be asked."""

    @guarded(verb=Verb.GET)
    @resolved
    def guarded_thing(self) -> Thing:
        """A thing."""
        return Thing()

    @resolved
    def open_thing(self) -> Thing:
        """A thing."""
        return Thing()

    @guarded()
    @resolved
    def thing_for_anybody(self) -> list[Thing | None]:
        """A thing."""
        return []


@strawberry.type(description="What can be done.")
class CarelessMutation:
    """What can be done."""

    @resolved
    def promote(self) -> int:
        """Promotes."""
        return 1


def test_a_root_field_without_a_guard_is_found() -> None:
    schema = strawberry.Schema(Careless, CarelessMutation)
    found = ["Query.openThing", "Query.thingForAnybody", "Mutation.promote"]
    assert [place.split(".")[1] for place in unguarded(schema)] == [
        place.split(".")[1] for place in found
    ]


@pytest.fixture
def two() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(view("canary-healthy", name="web"))
    made.put(view("canary-healthy", name="db"))
    return made


def by(made: Fleet, rights: Some) -> Fleet:
    """The same fleet, asked by somebody else."""
    context = Context(made.mirror, NOW, timedelta(seconds=10), "req-1", caller=Caller(rights))
    return Fleet(made.mirror, context)


EVERY_READ = [
    "{ rollouts { totalCount } }",
    '{ rollout(cluster: "east", namespace: "shop", name: "web") { name } }',
    "{ rolloutSummary { count } }",
    "{ clusters { totalCount } }",
    '{ cluster(name: "east") { name } }',
    '{ node(id: "x") { id } }',
    "{ nodes(ids: []) { id } }",
    "{ _entities(representations: []) { __typename } }",
]


@pytest.mark.parametrize("document", EVERY_READ)
def test_a_token_for_something_else_reads_nothing(two: Fleet, document: str) -> None:
    made = by(two, Some(lambda _: True).narrowed(Scope.PROMOTE))
    result = made.run(document)
    assert not result.data or list(result.data.values()) == [None]
    assert result.errors is not None
    assert [error.extensions for error in result.errors] == [
        {
            "code": "FORBIDDEN",
            "action": "get",
            "layer": "SCOPE",
            "missingScopes": ["rollouts:read"],
        }
    ]


def test_analysis_runs_are_a_scope_of_their_own(two: Fleet) -> None:
    made = by(two, Some(lambda _: True).narrowed(Scope.READ))
    assert made.error("{ analysisRuns { totalCount } }")[0] == "FORBIDDEN"
    made = by(two, Some(lambda _: True).narrowed(Scope.ANALYSIS_READ))
    assert made.ask("{ analysisRuns { totalCount } }") == {"analysisRuns": {"totalCount": 0}}


def test_a_login_that_has_ended_is_one_no_more(two: Fleet) -> None:
    ended = Viewer("ann@example.com", expires_at=NOW - LEEWAY)
    code, message = by(two, Some(viewer=ended)).error("{ gateway { version } }")
    assert (code, message) == ("UNAUTHENTICATED", "the login has ended: log in again")
    valid = Viewer("ann@example.com", expires_at=NOW - LEEWAY + timedelta(seconds=1))
    assert by(two, Some(viewer=valid)).ask("{ gateway { version } }")


@strawberry.input(description="What to do.")
class ActionInput:
    """What to do."""

    name: str = strawberry.field(description="To which rollout.")


@strawberry.type(description="What came of it.")
class Payload:
    """What came of it."""

    said: str = strawberry.field(description="What came of it.")


def target(input: ActionInput) -> RolloutRef:
    if not input.name:
        raise BadRequestError("a rollout has a name")
    return RolloutRef("east", "shop", input.name)


async def refused(info: Info, input: ActionInput, problem: RollgraphError) -> Payload:
    return Payload(said=f"{type(problem).__name__}: {problem}")


INPUT = strawberry.argument(description="What to do.")
DONE: list[str] = []


@strawberry.type(description="What can be done.")
class Mutation:
    """What can be done."""

    @guarded(verb=Verb.PROMOTE, target=target, refused=refused)
    @resolved
    async def promote(self, input: Annotated[ActionInput, INPUT]) -> Payload:
        """Promotes."""
        DONE.append(input.name)
        return Payload(said="promoted")

    @guarded(verb=Verb.ABORT, target=target)
    @resolved
    def abort(self, input: Annotated[ActionInput, INPUT]) -> Payload | None:
        """Aborts."""
        DONE.append(input.name)
        return Payload(said="aborted")

    @guarded(scope=Scope.AUDIT_READ, admin=True)
    @resolved
    def everything(self) -> int | None:
        """Of all."""
        return 42


MUTATIONS = Schema(SCHEMA._documents.limits, query=Careless, mutation=Mutation)


@dataclass
class Asked:
    """What came of a mutation."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]


async def mutate(made: Fleet, document: str) -> Asked:
    DONE.clear()
    result = await MUTATIONS.execute(document, context_value=made.context)
    return Asked(result.data, [error.extensions or {} for error in result.errors or ()])


async def test_a_refused_mutation_answers_and_loses_no_other(two: Fleet) -> None:
    rights = Some(verbs=[Verb.PROMOTE])
    made = by(two, rights)
    document = """mutation {
      one: promote(input: {name: "web"}) { said }
      two: abort(input: {name: "web"}) { said }
      three: promote(input: {name: ""}) { said }
    }"""
    asked = await mutate(made, document)
    assert asked.data == {
        "one": {"said": "promoted"},
        "two": None,
        "three": {"said": "BadRequestError: a rollout has a name"},
    }
    assert asked.errors == [
        {"code": "FORBIDDEN", "action": "abort", "layer": Layer.CASBIN, "missingScopes": []}
    ]
    assert DONE == ["web"]
    ref = RolloutRef("east", "shop", "web")
    assert rights.asked == [(verb, ref, two.mirror.rollout(ref)) for verb in ("promote", "abort")]


async def test_a_refusal_is_an_answer_where_a_field_makes_it_one(two: Fleet) -> None:
    made = by(two, Some(verbs=[Verb.PROMOTE]).narrowed(Scope.READ))
    asked = await mutate(made, 'mutation { promote(input: {name: "web"}) { said } }')
    assert asked == Asked(
        {"promote": {"said": "NotAllowedError: the token is narrower"}}, errors=[]
    )
    assert DONE == []


async def test_what_concerns_everybody_is_for_admins(two: Fleet) -> None:
    asked = await mutate(by(two, Some()), "mutation { everything }")
    assert (asked.data, asked.errors[0]["code"]) == ({"everything": None}, "FORBIDDEN")
    asked = await mutate(by(two, Some(admin=True)), "mutation { everything }")
    assert asked.data == {"everything": 42}


def test_a_guard_of_a_target_needs_a_verb() -> None:
    with pytest.raises(TypeError, match="verb"):
        Guard(target=target)
