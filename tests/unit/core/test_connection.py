"""How well a spoke is watched, and how long what we hold can be trusted."""

from datetime import UTC, datetime, timedelta

import pytest

from rollgraph.core.connection import (
    ClusterView,
    ConnectionStatus,
    Problem,
    Verdict,
    WatchView,
    verdict,
)
from rollgraph.core.refs import Kind

NOW = datetime(2026, 5, 12, 12, tzinfo=UTC)
PATIENCE = timedelta(seconds=60)
CONNECTED, SYNCING = ConnectionStatus.CONNECTED, ConnectionStatus.SYNCING
DISCONNECTED, DEGRADED = ConnectionStatus.DISCONNECTED, ConnectionStatus.DEGRADED


def _watch(
    kind: Kind, status: ConnectionStatus, namespace: str = "", *, synced: bool = False
) -> WatchView:
    broken = status is DISCONNECTED
    return WatchView(
        kind=kind,
        namespace=namespace,
        status=status,
        since=NOW,
        problem=Problem.FORBIDDEN if broken else None,
        error="no" if broken else "",
        synced=synced,
    )


def _rollouts(status: ConnectionStatus, namespace: str = "", *, synced: bool = False) -> WatchView:
    return _watch(Kind.ROLLOUT, status, namespace, synced=synced)


def _pods(status: ConnectionStatus, namespace: str = "") -> WatchView:
    return _watch(Kind.POD, status, namespace)


def _no(status: ConnectionStatus, where: str) -> Verdict:
    return Verdict(status, Problem.FORBIDDEN, f"{where}: no")


@pytest.mark.parametrize(
    ("watches", "expected"),
    [
        pytest.param([], Verdict(SYNCING), id="nothing-yet"),
        pytest.param([_pods(CONNECTED)], Verdict(SYNCING), id="no-rollouts-yet"),
        pytest.param([_rollouts(CONNECTED)], Verdict(CONNECTED), id="connected"),
        pytest.param(
            [_rollouts(CONNECTED), _pods(CONNECTED)], Verdict(CONNECTED), id="all-connected"
        ),
        pytest.param(
            [_rollouts(SYNCING), _pods(CONNECTED)], Verdict(SYNCING), id="rollouts-syncing"
        ),
        pytest.param([_rollouts(CONNECTED), _pods(SYNCING)], Verdict(SYNCING), id="pods-syncing"),
        pytest.param(
            [_rollouts(CONNECTED), _pods(DISCONNECTED)], _no(DEGRADED, "Pod"), id="pods-broken"
        ),
        pytest.param(
            [_rollouts(CONNECTED), _pods(SYNCING), _pods(DISCONNECTED, "shop")],
            _no(DEGRADED, "Pod in namespace shop"),
            id="broken-beats-syncing",
        ),
        pytest.param(
            [_rollouts(SYNCING), _pods(DISCONNECTED)], Verdict(SYNCING), id="rollouts-come-first"
        ),
        pytest.param(
            [_pods(DISCONNECTED), _rollouts(DISCONNECTED)],
            _no(DISCONNECTED, "Rollout"),
            id="rollouts-broken",
        ),
        pytest.param(
            [_rollouts(SYNCING, "a"), _rollouts(DISCONNECTED, "b")],
            _no(DISCONNECTED, "Rollout in namespace b"),
            id="rollouts-of-one-namespace-broken",
        ),
    ],
)
def test_rollouts_decide_and_the_other_kinds_degrade(
    watches: list[WatchView], expected: Verdict
) -> None:
    assert verdict(watches) == expected


def _cluster(*watches: WatchView, confirmed: datetime | None = NOW) -> ClusterView:
    return ClusterView("east", CONNECTED, NOW, watches=watches, confirmed_at=confirmed)


@pytest.mark.parametrize(
    ("cluster", "stale"),
    [
        pytest.param(_cluster(_rollouts(CONNECTED)), False, id="fresh"),
        pytest.param(
            _cluster(_rollouts(CONNECTED), confirmed=NOW - PATIENCE), False, id="just-in-time"
        ),
        pytest.param(
            _cluster(_rollouts(CONNECTED), confirmed=NOW - PATIENCE - timedelta(microseconds=1)),
            True,
            id="silent-for-too-long",
        ),
        pytest.param(_cluster(_rollouts(CONNECTED), confirmed=None), True, id="never-heard-of"),
        pytest.param(_cluster(_rollouts(SYNCING)), True, id="syncing"),
        pytest.param(
            _cluster(_rollouts(CONNECTED, "a"), _rollouts(DISCONNECTED, "b")),
            True,
            id="partly-broken",
        ),
        pytest.param(_cluster(_pods(CONNECTED)), True, id="not-watched"),
        pytest.param(_cluster(_rollouts(CONNECTED), _pods(DISCONNECTED)), False, id="another-kind"),
    ],
)
def test_rollouts_are_stale_unless_their_watch_is_known_to_live(
    cluster: ClusterView, stale: bool
) -> None:
    assert cluster.stale(NOW, PATIENCE) is stale


def test_each_kind_is_stale_by_its_own_watch() -> None:
    cluster = _cluster(_rollouts(CONNECTED), _pods(DISCONNECTED))
    assert cluster.stale(NOW, PATIENCE, Kind.POD)


@pytest.mark.parametrize(
    ("watches", "synced"),
    [
        pytest.param([], False, id="no-watch"),
        pytest.param([_pods(CONNECTED)], False, id="no-rollouts"),
        pytest.param([_rollouts(SYNCING)], False, id="syncing"),
        pytest.param([_rollouts(DISCONNECTED, synced=True)], True, id="once-is-enough"),
        pytest.param(
            [_rollouts(CONNECTED, "a", synced=True), _rollouts(SYNCING, "b")], False, id="partly"
        ),
    ],
)
def test_a_cluster_is_synced_once_all_its_rollouts_were_read(
    watches: list[WatchView], synced: bool
) -> None:
    assert _cluster(*watches).synced is synced
