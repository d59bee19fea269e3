"""Kept parts of answers change nothing but the time that an answer takes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import samples
from rollgraph.core.view import RolloutView, build_view
from rollgraph.schema import fragments
from rollgraph.schema.context import Context
from rollgraph.schema.executor import Executor
from rollgraph.schema.fragments import FragmentCache
from unit.schema.asking import BOUNDLESS, NOW, Fleet, cluster, fleet, view

GRAPHQL = BOUNDLESS._schema
FAMILIES = sorted(path.stem for path in (samples.DATA / "families").glob("*.yaml"))
# What a store is asked for and takes its time; test_audit sees that it is not kept.
AWAITED = {"auditEvents"}
LISTS = """
query List($first: Int, $keys: [String!], $deep: Boolean!) {{
  rollouts(first: $first) {{
    nodes {selection}
    edges {{ node {{ name labels(keys: $keys) {{ value }} }} }}
    totalCount @include(if: $deep)
  }}
}}
"""


def answer(made: Fleet, document: str, kept: FragmentCache | None, **variables: Any) -> bytes:
    """The answer as it is sent, errors included."""
    context = Context(made.mirror, NOW, timedelta(seconds=10), fragments=kept)
    result = BOUNDLESS.execute_sync(document, variable_values=variables, context_value=context)
    errors = [error.formatted for error in result.errors or ()]
    return orjson.dumps({"data": result.data, "errors": errors})


@st.composite
def selections(draw: st.DrawFn, of: str = "Rollout", depth: int = 3) -> str:
    """A random selection on a type: aliases, arguments, directives, inline fragments."""
    named = GRAPHQL.type_map[of]
    if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
        return draw(_on_possible_types(named, depth))
    assert isinstance(named, GraphQLObjectType)
    parts = ["__typename"] if draw(st.booleans()) else []
    fields = sorted(named.fields.keys() - AWAITED)
    names = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=5))
    for place, name in enumerate(names):
        below = get_named_type(named.fields[name].type)
        if not is_leaf_type(below) and depth == 0:
            continue
        alias = f"a{place}_{name}: " if draw(st.booleans()) or names.count(name) > 1 else ""
        arguments = "(keys: $keys)" if "keys" in named.fields[name].args else ""
        directive = draw(st.sampled_from(["", "", "", " @include(if: $deep)"]))
        inside = "" if is_leaf_type(below) else draw(selections(below.name, depth - 1))
        parts.append(f"{alias}{name}{arguments}{directive} {inside}")
    return "{ " + " ".join(parts or ["__typename"]) + " }"


@st.composite
def _on_possible_types(
    draw: st.DrawFn, named: GraphQLUnionType | GraphQLInterfaceType, depth: int
) -> str:
    possible: list[GraphQLNamedType] = list(GRAPHQL.get_possible_types(named))
    chosen = draw(st.lists(st.sampled_from(possible), max_size=3, unique_by=lambda t: t.name))
    # Each in a name of its own: fields of two types may not share a name with different arguments.
    inside = [f"... on {t.name} {draw(selections(t.name, depth - 1))}" for t in chosen if depth > 0]
    return "{ __typename " + " ".join(inside[:1]) + " }"


def changed(draw: Callable[..., Any], made: Fleet) -> None:
    """One change of the fleet: another phase, a new rollout, one that goes, a cluster that dies."""
    kind = draw(st.sampled_from(["put", "replace", "drop", "cluster"]))
    if kind == "put":
        made.put(sample(draw(st.sampled_from(FAMILIES)), draw(st.integers(0, 3))))
    elif kind == "replace":
        made.put(view("canary-aborted", name=f"web-{draw(st.integers(0, 3))}"))
    elif kind == "drop":
        made.mirror.drop_rollout(view("canary-aborted", name=f"web-{draw(st.integers(0, 3))}").ref)
    else:
        made.mirror.put_cluster(cluster("east", seconds_ago=draw(st.integers(1, 20))))


def sample(family: str, number: int) -> RolloutView:
    """A rollout with everything that belongs to it."""
    return build_view("east", *samples.family(family, {"metadata": {"name": f"web-{number}"}}))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_with_and_without_kept_parts_the_bytes_are_the_same(data: st.DataObject) -> None:
    made, kept = fleet(), FragmentCache()
    made.mirror.put_cluster(cluster("east"))
    documents = [LISTS.format(selection=data.draw(selections())) for _ in range(2)]
    for _ in range(data.draw(st.integers(2, 8))):
        changed(data.draw, made)
        document = data.draw(st.sampled_from(documents))
        variables = data.draw(
            st.fixed_dictionaries(
                {
                    "first": st.sampled_from([1, 4]),
                    "keys": st.sampled_from([None, [], ["app"]]),
                    "deep": st.booleans(),
                }
            )
        )
        plain = answer(made, document, None, **variables)
        assume(not orjson.loads(plain)["errors"])  # too costly, now and then
        assert answer(made, document, kept, **variables) == plain


@pytest.fixture
def two() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(view("canary-paused-for-5m", name="web-0"))
    made.put(view("canary-healthy", name="web-1"))
    return made


def ask(
    made: Fleet, selection: str, kept: FragmentCache, declared: str = "", **variables: Any
) -> Any:
    document = f"query List{declared} {{ rollouts(first: 50) {{ nodes {selection} }} }}"
    found = orjson.loads(answer(made, document, kept, **variables))
    assert found["errors"] == []
    return found["data"]


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of rollouts whose fields have been executed, each time that they were."""
    names: list[str] = []
    execute = Executor._execute

    def noting(self: Executor, cache: FragmentCache, selection: Any, at: Any) -> Any:
        names.append(at.rollout.view.ref.name)
        return execute(self, cache, selection, at)

    monkeypatch.setattr(Executor, "_execute", noting)
    return names


def test_only_what_has_changed_is_executed_again(two: Fleet, executed: list[str]) -> None:
    kept = FragmentCache()
    first = ask(two, "{ name phase }", kept)
    assert ask(two, "{ name phase }", kept) == first
    assert executed == ["web-0", "web-1"]
    two.put(view("canary-aborted", name="web-1"))
    phases = [n["phase"] for n in ask(two, "{ name phase }", kept)["rollouts"]["nodes"]]
    assert phases == ["PAUSED", "DEGRADED"]
    assert executed == ["web-0", "web-1", "web-1"]


def test_what_depends_on_the_time_is_never_kept(two: Fleet) -> None:
    kept = FragmentCache()
    before = ask(two, "{ name freshness { stale } }", kept)
    two.mirror.put_cluster(cluster("east", seconds_ago=60))
    after = ask(two, "{ name freshness { stale } }", kept)
    assert [n["freshness"]["stale"] for n in before["rollouts"]["nodes"]] == [False, False]
    assert [n["freshness"]["stale"] for n in after["rollouts"]["nodes"]] == [True, True]


def test_other_values_of_variables_have_parts_of_their_own(two: Fleet, executed: list[str]) -> None:
    kept = FragmentCache()
    declared = "($keys: [String!])"
    for keys in (["app"], [], ["app"], []):
        ask(two, "{ labels(keys: $keys) { key } }", kept, declared, keys=keys)
    assert executed == ["web-0", "web-1"] * 2


def test_no_more_is_kept_than_allowed(two: Fleet) -> None:
    kept = FragmentCache(max_bytes=120)
    for name in ("phase", "message", "name", "uid"):
        ask(two, f"{{ {name} }}", kept)
        assert 0 < kept.size <= 120


def test_parts_of_a_text_that_the_parser_has_forgotten_are_let_go(
    two: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "MAX_SELECTIONS", 3)
    kept = FragmentCache()
    for number in range(8):
        ask(two, f"{{ a{number}: phase }}", kept)
    assert len(kept._texts) == 3
    assert len(kept._selections) <= 3
    assert kept.size == sum(selection.size for selection in kept._selections.values())
