"""When a wait is over, and with which exit code."""

from typing import Any

import pytest

from rollgraph.core.errors import ConfigError, RemoteError
from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.board import MOST, Board
from rollgraph.server.remote.watching.goal import Goal, Status
from rollgraph.server.remote.watching.state import event
from unit.server.remote.watched import (
    CHECKOUT,
    SEARCH,
    deleted,
    of_cluster,
    of_rollout,
    told,
)


def board(*events: dict[str, Any], named: tuple[RolloutRef, ...] = (CHECKOUT,)) -> Board:
    found = Board(named)
    found.expect(named, ())
    for each in events:
        found.hear(event(each))
    return found


def test_a_rollout_that_is_healthy_ends_the_wait() -> None:
    known = board(of_rollout())
    assert Goal().reached(known) is None
    assert Goal().missing(known) == (
        "east/shop/checkout is Progressing: more replicas need to be updated"
    )
    known.hear(event(of_rollout("PHASE_CHANGED", phase="HEALTHY")))
    verdict = Goal().reached(known)
    assert verdict is not None
    assert (verdict.status, verdict.text) == (Status.HEALTHY, "east/shop/checkout is Healthy")


def test_all_have_to_be_healthy_at_once() -> None:
    both = (CHECKOUT, SEARCH)
    known = board(of_rollout(phase="HEALTHY"), of_rollout(ref=SEARCH), named=both)
    assert Goal().reached(known) is None
    known.hear(event(of_rollout("PHASE_CHANGED", ref=SEARCH, phase="HEALTHY")))
    verdict = Goal().reached(known)
    assert verdict is not None
    assert verdict.text == "all 2 rollouts are Healthy"


@pytest.mark.parametrize(
    ("aborted", "text"),
    [
        (True, "west/search/search is aborted: RolloutAborted: by hand"),
        (False, "west/search/search is Degraded: RolloutAborted: by hand"),
    ],
)
def test_one_that_is_degraded_ends_it_whatever_the_others_do(aborted: bool, text: str) -> None:
    bad = of_rollout(
        ref=SEARCH, phase="DEGRADED", aborted=aborted, message="RolloutAborted: by hand"
    )
    verdict = Goal().reached(board(of_rollout(), bad, named=(CHECKOUT, SEARCH)))
    assert verdict is not None
    assert (verdict.status, verdict.text) == (Status.FAILED, text)


def test_what_a_stale_cluster_says_proves_nothing() -> None:
    for phase in ("HEALTHY", "DEGRADED"):
        known = board(
            of_rollout(phase=phase),
            of_cluster(status="DISCONNECTED", lastError="connection refused"),
        )
        assert Goal().reached(known) is None
        assert Goal().missing(known) == (
            f"east/shop/checkout was {phase.capitalize()} when last heard of: connection refused"
        )
        known.hear(event(of_cluster(status="CONNECTED")))
        assert Goal().reached(known) is not None


def test_nor_does_what_was_known_when_the_connection_to_the_server_broke() -> None:
    known = board(of_rollout(phase="HEALTHY"))
    known.broken = "no answer"
    assert Goal().reached(known) is None
    assert known.stale(CHECKOUT) == "no answer"


def test_a_server_that_says_stale_is_believed_before_its_clusters_are_known() -> None:
    known = board(of_rollout(phase="HEALTHY", freshness={"stale": True}))
    assert Goal().reached(known) is None


def test_a_named_rollout_that_is_not_there_is_waited_for() -> None:
    known = board()
    assert Goal().reached(known) is None
    assert Goal().missing(known) == "east/shop/checkout is not there"


def test_a_named_rollout_that_is_deleted_ends_the_wait_and_others_are_forgotten() -> None:
    known = board(of_rollout(), of_rollout(ref=SEARCH, phase="HEALTHY"))
    known.hear(event(deleted(SEARCH)))
    assert Goal().reached(known) is None
    known.hear(event(deleted(CHECKOUT)))
    verdict = Goal().reached(known)
    assert verdict is not None
    assert verdict.status is Status.FAILED
    assert "east/shop/checkout is gone" in verdict.text


def test_a_rollout_that_was_counted_and_not_told_yet_is_waited_for() -> None:
    known = Board()
    known.expect([CHECKOUT, SEARCH], ())
    known.hear(event(of_rollout(phase="HEALTHY")))
    assert Goal(exact=False).reached(known) is None
    known.hear(event(of_rollout(ref=SEARCH, phase="HEALTHY")))
    assert Goal(exact=False).reached(known) is not None


def test_that_nothing_matches_is_not_that_all_are_healthy() -> None:
    assert Goal(exact=False).reached(Board()) is None
    assert Goal(exact=False).missing(Board()) == "no rollout matches"


def test_a_cluster_that_was_not_read_may_have_more_unless_all_were_named() -> None:
    known = board(of_rollout(phase="HEALTHY"))
    known.expect([CHECKOUT], ["west"])
    assert Goal(exact=False).reached(known) is None
    assert Goal(exact=False).missing(known) == "cluster west has not been read"
    assert Goal(exact=True).reached(known) is not None


def test_after_a_resync_each_has_to_be_told_anew() -> None:
    known = board(of_rollout(phase="HEALTHY"), told("RESYNC", reason="too slow"))
    assert Goal().reached(known) is None
    known.hear(event(of_rollout(phase="HEALTHY")))
    assert Goal().reached(known) is not None


def test_what_is_in_doubt_and_was_not_counted_again_is_gone() -> None:
    known = board(of_rollout(ref=SEARCH))
    known.doubt()
    known.expect([CHECKOUT], ())
    assert list(known.rollouts) == [CHECKOUT]


@pytest.mark.parametrize(
    ("image", "meant"),
    [
        ("registry.test/team/api:2.1.0", True),
        ("api:2.1.0", True),
        ("team/api:2.1.0", True),
        ("pi:2.1.0", False),
        ("api:2.1", False),
        ("api:2.2.0", False),
    ],
)
def test_with_an_image_the_phase_of_another_version_says_nothing(image: str, meant: bool) -> None:
    for phase in ("HEALTHY", "DEGRADED"):
        known = board(of_rollout(phase=phase))
        assert (Goal(image=image).reached(known) is not None) == meant
    if not meant:
        assert Goal(image=image).missing(known) == f"east/shop/checkout does not run {image}"


def test_more_rollouts_than_anybody_reads_are_refused() -> None:
    known = Board()
    for number in range(MOST):
        known.hear(event(of_rollout(ref=RolloutRef("east", "shop", f"r{number}"))))
    with pytest.raises(ConfigError, match="more than 200 rollouts match"):
        known.hear(event(of_rollout(ref=CHECKOUT)))


def test_what_is_no_event_is_the_servers_fault() -> None:
    with pytest.raises(RemoteError, match="cannot read"):
        event({"kind": "SNAPSHOT"})
