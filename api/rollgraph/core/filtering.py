"""Which rollouts a caller wants to see: a filter as data, and the predicate that it means."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache

import msgspec

from rollgraph.core.errors import BadFilterError
from rollgraph.core.globs import glob
from rollgraph.core.labels import selector
from rollgraph.core.pauses import PauseReason, pause_reason
from rollgraph.core.phase import Phase
from rollgraph.core.predicates import every, negated, some
from rollgraph.core.view import RolloutView, StrategyKind

Predicate = Callable[[RolloutView], bool]
TextTest = Callable[[str], bool]

# Deeper than any form or person nests; it keeps every walk over a filter short.
MAX_NESTING = 10
# Parts of one filter (`and`, `or`, `not`, counted together): each costs about 0.1 us per rollout,
# so that 10,000 rollouts are scanned in 0.1 s at the most.
MAX_PARTS = 100
# Globs of one filter. A usual one costs 0.2 us per text, but the worst 50 us (`core.globs`).
MAX_GLOBS = 8
# Values of one list, such as the namespaces of a large team.
MAX_VALUES = 1000
# Filters whose predicates are kept: a dashboard has a handful of them and asks again and again.
_KEPT = 256


class StringFilter(msgspec.Struct, frozen=True, gc=False):
    """A condition on a text; every part that is set must hold. Upper and lower case differ.

    Attributes:
        in_: Holds if the text is among these; never for an empty list.
        matches: A glob (`core.globs`) in which `*` crosses `/` and `?` is any one character.
    """

    eq: str | None = None
    in_: tuple[str, ...] | None = None
    contains: str | None = None
    starts_with: str | None = None
    matches: str | None = None


class TimeFilter(msgspec.Struct, frozen=True, gc=False):
    """A condition on a time; both ends are exclusive and have a time zone."""

    after: datetime | None = None
    before: datetime | None = None


class RolloutFilter(msgspec.Struct, frozen=True):
    """A condition on a rollout; every part that is set must hold, an empty filter lets all pass.

    An empty list lets none pass, except `and_`, which then asks for nothing.

    Attributes:
        strategy: Never holds for a rollout whose strategy is not known.
        image: Holds if one image of the present template satisfies every part.
        label_selector: In Kubernetes' text form: `app=web,tier in (a,b),!legacy`.
        pause_reason: Holds if any reason of the present pauses is among these.
        or_: Holds if any of these does.
    """

    cluster: StringFilter | None = None
    namespace: StringFilter | None = None
    name: StringFilter | None = None
    phase: tuple[Phase, ...] | None = None
    strategy: tuple[StrategyKind, ...] | None = None
    image: StringFilter | None = None
    label_selector: str | None = None
    aborted: bool | None = None
    pause_reason: tuple[PauseReason, ...] | None = None
    updated_at: TimeFilter | None = None
    and_: tuple["RolloutFilter", ...] | None = None
    or_: tuple["RolloutFilter", ...] | None = None
    not_: "RolloutFilter | None" = None


def predicate(filter: RolloutFilter | None) -> Predicate:
    """What a filter means, compiled once for each filter and then kept.

    Raises `BadFilterError` for a label selector or glob that cannot be read, a time without a time
    zone, and a filter that is nested too deeply or has too many parts or values.
    """
    if filter is None:
        return _all_pass
    _check_size(filter)
    return _compiled(filter)


def string_predicate(filter: StringFilter) -> TextTest:
    """What a condition on a text means. Raises `BadFilterError` as `predicate` does."""
    tests: list[TextTest] = []
    if filter.eq is not None:
        tests.append(filter.eq.__eq__)
    if filter.in_ is not None:
        _check_values(filter.in_)
        tests.append(frozenset(filter.in_).__contains__)
    if filter.starts_with is not None:
        tests.append(_starts_with(filter.starts_with))
    if filter.contains is not None:
        tests.append(_contains(filter.contains))
    if filter.matches is not None:
        tests.append(glob(filter.matches))
    return every(tests)


def only_cluster(filter: RolloutFilter | None) -> str | None:
    """The one cluster whose rollouts can pass, where the filter says so; None where it does not.

    Looks at `cluster.eq` of the filter itself and of the parts of its `and_`. It lets a mirror skip
    the rest of the fleet; the predicate has to be applied all the same.
    """
    if filter is None:
        return None
    for part in (filter, *(filter.and_ or ())):
        if part.cluster is not None and part.cluster.eq is not None:
            return part.cluster.eq
    return None


def _all_pass(_: RolloutView) -> bool:
    return True


def _check_size(filter: RolloutFilter) -> None:
    """Guards all that follows, hashing included, against a filter that is too large."""
    parts, level = [filter], [filter]
    for _ in range(MAX_NESTING):
        level = [inner for part in level for inner in _inner(part)]
        parts += level
        if len(parts) > MAX_PARTS:
            raise BadFilterError(f"the filter has more than {MAX_PARTS} parts")
        if not level:
            break
    else:
        raise BadFilterError(
            f"the filter nests `and`, `or` and `not` more than {MAX_NESTING} levels deep"
        )
    if sum(text.matches is not None for part in parts for text in _texts(part)) > MAX_GLOBS:
        raise BadFilterError(f"the filter has more than {MAX_GLOBS} globs (`matches`)")


def _texts(filter: RolloutFilter) -> Iterator[StringFilter]:
    for text in (filter.cluster, filter.namespace, filter.name, filter.image):
        if text is not None:
            yield text


def _inner(filter: RolloutFilter) -> Iterator[RolloutFilter]:
    yield from filter.and_ or ()
    yield from filter.or_ or ()
    if filter.not_ is not None:
        yield filter.not_


def _check_values(values: tuple[object, ...]) -> None:
    if len(values) > MAX_VALUES:
        raise BadFilterError(f"a list of {len(values)} values; at most {MAX_VALUES} are allowed")


@lru_cache(maxsize=_KEPT)
def _compiled(filter: RolloutFilter) -> Predicate:
    return every([*_field_tests(filter), *_logic_tests(filter)])


def _field_tests(filter: RolloutFilter) -> Iterator[Predicate]:
    """The tests of a filter's own fields, cheap ones first."""
    if filter.phase is not None:
        yield _phase_in(filter.phase)
    if filter.cluster is not None:
        yield _on_cluster(string_predicate(filter.cluster))
    if filter.namespace is not None:
        yield _on_namespace(string_predicate(filter.namespace))
    if filter.name is not None:
        yield _on_name(string_predicate(filter.name))
    if filter.strategy is not None:
        yield _strategy_in(filter.strategy)
    if filter.aborted is not None:
        yield _aborted(filter.aborted)
    if filter.updated_at is not None:
        yield from _updated(filter.updated_at)
    if filter.label_selector is not None:
        yield _labelled(filter.label_selector)
    if filter.pause_reason is not None:
        yield _paused_for(filter.pause_reason)
    if filter.image is not None:
        yield _runs_image(string_predicate(filter.image))


def _logic_tests(filter: RolloutFilter) -> Iterator[Predicate]:
    if filter.not_ is not None:
        yield negated(_compiled(filter.not_))
    for part in filter.and_ or ():
        yield _compiled(part)
    if filter.or_ is not None:
        yield some([_compiled(part) for part in filter.or_])


def _starts_with(prefix: str) -> TextTest:
    return lambda text: text.startswith(prefix)


def _contains(part: str) -> TextTest:
    return lambda text: part in text


def _phase_in(phases: tuple[Phase, ...]) -> Predicate:
    wanted = frozenset(phases)
    return lambda view: view.phase in wanted


def _strategy_in(strategies: tuple[StrategyKind, ...]) -> Predicate:
    wanted = frozenset(strategies)
    return lambda view: view.strategy in wanted


def _on_cluster(test: TextTest) -> Predicate:
    return lambda view: test(view.ref.cluster)


def _on_namespace(test: TextTest) -> Predicate:
    return lambda view: test(view.ref.namespace)


def _on_name(test: TextTest) -> Predicate:
    return lambda view: test(view.ref.name)


def _aborted(wanted: bool) -> Predicate:
    return lambda view: view.rollout.status.abort is wanted


def _updated(span: TimeFilter) -> Iterator[Predicate]:
    if span.after is not None:
        yield _updated_after(_zoned(span.after))
    if span.before is not None:
        yield _updated_before(_zoned(span.before))


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise BadFilterError(f"the time {moment.isoformat()} has no time zone; append Z for UTC")
    return moment


def _updated_after(moment: datetime) -> Predicate:
    return lambda view: view.updated_at > moment


def _updated_before(moment: datetime) -> Predicate:
    return lambda view: view.updated_at < moment


def _labelled(text: str) -> Predicate:
    test = selector(text)
    return lambda view: test(view.rollout.metadata.labels or {})


def _paused_for(reasons: tuple[PauseReason, ...]) -> Predicate:
    wanted = frozenset(reasons)

    def test(view: RolloutView) -> bool:
        pauses = view.rollout.status.pause_conditions
        return bool(pauses) and any(pause_reason(p.reason) in wanted for p in pauses or ())

    return test


def _runs_image(test: TextTest) -> Predicate:
    def any_image(view: RolloutView) -> bool:
        for each in view.images:  # noqa: SIM110 - a generator costs more than the test
            if test(each.image):
                return True
        return False

    return any_image
