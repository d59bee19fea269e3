"""The fleet's model: who writes it, and who reads it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from rollgraph.core.connection import ClusterView
from rollgraph.core.filtering import RolloutFilter
from rollgraph.core.paging import Page, PageRequest
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.core.visibility import Visibility


class Projection(Protocol):
    """The write side of the fleet's model: what the workers know.

    One writer per cluster. Each call is atomic: a reader sees all of it or nothing. A cluster and
    its rollouts may be put in any order.
    """

    def put_cluster(self, cluster: ClusterView) -> None:
        """Adds or replaces what is known of a cluster itself."""

    def put_rollout(self, view: RolloutView) -> None:
        """Adds or replaces one rollout's view."""

    def drop_rollout(self, ref: RolloutRef) -> None:
        """Forgets a rollout that no longer exists; nothing happens if it is not known."""

    def drop_cluster(self, name: str) -> None:
        """Forgets a cluster and all its rollouts; nothing happens if it is not known."""


class Mirror(Protocol):
    """The read side of the fleet's model. Answers from memory, at once; never calls a spoke.

    A view is immutable: what a reader holds does not change under it.

    Who passes a `Visibility` gets the answers of a fleet in which no other rollouts exist: they are
    on no page, not counted, no reason for another page, and no cursor leads to them.
    """

    @property
    def version(self) -> int:
        """Grows whenever a rollout is put or dropped.

        As long as it is the same, every answer about rollouts is. What is known of the clusters
        themselves does not count: it changes with every sign of life.
        """

    def clusters(self) -> Collection[ClusterView]:
        """Every known cluster, by name."""

    def cluster(self, name: str) -> ClusterView | None:
        """One cluster."""

    def rollout(self, ref: RolloutRef) -> RolloutView | None:
        """One rollout."""

    def page(self, request: PageRequest, visible: Visibility | None = None) -> Page:
        """One page of rollouts: at their place in the order, as they are now.

        Going from page to page with the cursors of the answers, forwards or backwards, visits each
        rollout that exists and matches all the while exactly once, whatever changes meanwhile: a
        rollout whose place in the order changes keeps, for the pages that follow a first page, the
        place it had then. Others are visited once at most. A rollout that is made during the walk
        is not part of it, nor is one that is deleted, its cluster's end included.

        That holds for as long as the mirror can afford to remember the places: for a minute after
        the first change, longer in a fleet that rests, less in one that changes faster than the
        mirror has memory for. From then on, and if the cursor is another mirror's, the walk goes on
        from the cursor over the present places: it visits exactly once each rollout that has not
        moved, and begins such a minute anew.

        `has_next` and `has_previous` speak of that walk, and of what matches now. A cursor may be
        used with another size, by somebody else, and with another filter unless one of the two is
        for one cluster alone (`core.filtering.only_cluster`).

        A rollout that is not shown does not match; one that is shown again during a walk is treated
        like one that matches again.

        Raises `BadCursorError` for what is no cursor of such a list, `BadFilterError` for a filter
        that makes no sense, `BadRequestError` for a size that makes none.
        """

    def count(self, request: PageRequest, visible: Visibility | None = None) -> int:
        """How many rollouts match the request's filter now, whatever its cursors and sizes.

        Raises `BadFilterError` as `page` does.
        """

    def matching(
        self, filter: RolloutFilter | None, visible: Visibility | None = None
    ) -> Iterator[RolloutView]:
        """Every rollout that matches, in no order; to be used up before anything else happens.

        For counting and grouping: it looks at the whole fleet. Raises `BadFilterError` as `page`
        does, before the first rollout.
        """

    def counts(self, cluster: str, visible: Visibility | None = None) -> Mapping[Phase, int]:
        """How many of a cluster's rollouts are in each phase now; phases without any are left out.

        Empty for a cluster that is not known. Costs nothing: it is kept, not counted. With a
        visibility it is counted once after each change on the cluster.
        """

    def namespaces(self, cluster: str, visible: Visibility | None = None) -> Sequence[str]:
        """The namespaces of a cluster that have rollouts now, by name."""
