"""Which clusters a caller wants to see."""

from collections.abc import Callable

from rollgraph.core.connection import ClusterView
from rollgraph.core.filtering import string_predicate
from rollgraph.core.labels import selector
from rollgraph.schema.inputs import ClusterFilter
from rollgraph.schema.types.cluster import environment, region


def cluster_predicate(wanted: ClusterFilter | None) -> Callable[[ClusterView], bool]:
    """The predicate that a filter means. Raises `BadFilterError` for one that makes no sense."""
    if wanted is None:
        return lambda _: True
    tests: list[Callable[[ClusterView], bool]] = []
    if wanted.name is not None:
        named = string_predicate(wanted.name.core())
        tests.append(lambda view: named(view.name))
    if wanted.environment is not None:
        in_environment = string_predicate(wanted.environment.core())
        tests.append(lambda view: in_environment(environment(view) or ""))
    if wanted.region is not None:
        in_region = string_predicate(wanted.region.core())
        tests.append(lambda view: in_region(region(view) or ""))
    if wanted.status is not None:
        states = frozenset(wanted.status)
        tests.append(lambda view: view.status in states)
    if wanted.label_selector is not None:
        labelled = selector(wanted.label_selector)
        tests.append(lambda view: labelled(view.labels))
    return lambda view: all(test(view) for test in tests)
