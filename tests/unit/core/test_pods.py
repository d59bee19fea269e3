"""A pod in words: STATUS, READY and RESTARTS as kubectl prints them."""

from typing import Any

import pytest

from rollgraph.core.pods import PodCategory, PodView, pod_view
from samples import Patch, pod


def _printed(view: PodView) -> tuple[str, str, int]:
    return view.reason, f"{view.ready_containers}/{view.total_containers}", view.restarts


def _main(*states: dict[str, Any], **status: object) -> Patch:
    containers = [{"name": f"c{i}", "restartCount": 1, **state} for i, state in enumerate(states)]
    return {"status": {"containerStatuses": containers, **status}}


def _init(*states: dict[str, Any]) -> Patch:
    containers = [{"name": f"i{i}", "restartCount": 1, **state} for i, state in enumerate(states)]
    return {"status": {"initContainerStatuses": containers}}


def _waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


def _ended(code: int, **more: object) -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": code, **more}}}


RUNS: dict[str, Any] = {"ready": True, "state": {"running": {}}}


@pytest.mark.parametrize(
    ("name", "printed", "category"),
    [
        ("running", ("Running", "2/2", 3), PodCategory.RUNNING),
        ("crashloop", ("CrashLoopBackOff", "1/2", 6), PodCategory.CRASH_LOOP_BACK_OFF),
        ("image-pull-back-off", ("ImagePullBackOff", "0/1", 0), PodCategory.IMAGE_PULL_ERROR),
        ("initialising", ("Init:1/2", "0/1", 3), PodCategory.PENDING),
        ("sidecar", ("Running", "1/1", 1), PodCategory.RUNNING),
        ("evicted", ("Evicted", "0/1", 0), PodCategory.FAILED),
        ("node-lost", ("Unknown", "1/1", 0), PodCategory.UNKNOWN),
    ],
)
def test_pods_of_a_cluster(name: str, printed: tuple[str, str, int], category: PodCategory) -> None:
    view = pod_view(pod(name))
    assert (_printed(view), view.category) == (printed, category)


@pytest.mark.parametrize(
    ("patch", "printed"),
    [
        pytest.param(_main(RUNS, RUNS), ("Running", "2/2", 2), id="all-run"),
        pytest.param(
            _main(RUNS, {"state": {"running": {}}}), ("Running", "1/2", 2), id="not-ready"
        ),
        pytest.param(
            _main(RUNS, {"ready": True, "state": {}}),
            ("Running", "1/2", 2),
            id="ready-without-running",
        ),
        pytest.param(_main(_waiting("")), ("Running", "0/2", 1), id="waiting-for-no-reason"),
        pytest.param(
            _main(_waiting("ContainerCreating"), phase="Pending"),
            ("ContainerCreating", "0/2", 1),
            id="waiting",
        ),
        pytest.param(
            _main(_waiting("ErrImagePull"), _waiting("CrashLoopBackOff")),
            ("ErrImagePull", "0/2", 2),
            id="the-first-container-wins",
        ),
        pytest.param(
            _main(RUNS, _ended(137, reason="OOMKilled")),
            ("OOMKilled", "1/2", 2),
            id="ended-with-reason",
        ),
        pytest.param(_main(_ended(0, signal=9)), ("Signal:9", "0/2", 1), id="ended-by-signal"),
        pytest.param(_main(_ended(3)), ("ExitCode:3", "0/2", 1), id="ended-with-code"),
        pytest.param(_main(_ended(0)), ("ExitCode:0", "0/2", 1), id="ended-with-code-0"),
        pytest.param(
            _main(_ended(0, reason="Completed"), phase="Succeeded"),
            ("Completed", "0/2", 1),
            id="completed",
        ),
        pytest.param(
            _main(_ended(0, reason="Completed"), RUNS),
            ("Running", "1/2", 2),
            id="completed-next-to-running",
        ),
        pytest.param(_main(phase="Pending"), ("Pending", "0/2", 0), id="pending"),
        pytest.param(
            _main(phase="Failed", reason="Evicted"), ("Evicted", "0/2", 0), id="pods-own-reason"
        ),
        pytest.param({"status": None}, ("", "0/2", 0), id="no-status"),
        pytest.param({"spec": None, "status": None}, ("", "0/0", 0), id="no-spec"),
        pytest.param(
            {"metadata": {"deletionTimestamp": "2026-05-12T10:00:00Z"}},
            ("Terminating", "2/2", 3),
            id="terminating",
        ),
        pytest.param(
            {"status": {"reason": "NodeLost"}}, ("NodeLost", "2/2", 3), id="lost-but-not-deleted"
        ),
    ],
)
def test_main_containers(patch: Patch, printed: tuple[str, str, int]) -> None:
    assert _printed(pod_view(pod("running", patch))) == printed


@pytest.mark.parametrize(
    ("patch", "printed"),
    [
        pytest.param(_init(_ended(0), _ended(0)), ("PodInitializing", "0/1", 7), id="all-done"),
        pytest.param(
            _init(_ended(0), _ended(1)), ("Init:ExitCode:1", "0/1", 2), id="failed-with-code"
        ),
        pytest.param(
            _init(_ended(1, signal=15)), ("Init:Signal:15", "0/1", 1), id="failed-by-signal"
        ),
        pytest.param(
            _init(_ended(1, reason="Error")), ("Init:Error", "0/1", 1), id="failed-with-reason"
        ),
        pytest.param(
            _init(_waiting("CrashLoopBackOff")), ("Init:CrashLoopBackOff", "0/1", 1), id="waiting"
        ),
        pytest.param(_init(_waiting("PodInitializing")), ("Init:0/2", "0/1", 1), id="not-begun"),
        pytest.param(_init(_waiting("")), ("Init:0/2", "0/1", 1), id="waiting-for-no-reason"),
        pytest.param(
            _init(_ended(0), RUNS, _ended(1)), ("Init:1/2", "0/1", 2), id="the-first-undone-wins"
        ),
    ],
)
def test_init_containers(patch: Patch, printed: tuple[str, str, int]) -> None:
    assert _printed(pod_view(pod("initialising", patch))) == printed


def _mesh(**state: object) -> dict[str, Any]:
    return {"name": "mesh", "restartCount": 4, "state": {"running": {}}, **state}


@pytest.mark.parametrize(
    ("inits", "printed"),
    [
        pytest.param([_mesh(started=True, ready=True)], ("Running", "1/1", 1), id="ready"),
        pytest.param([_mesh(started=True)], ("Running", "1/1", 1), id="started-only"),
        pytest.param([_mesh(started=False)], ("Init:0/1", "0/1", 4), id="starting"),
        pytest.param([_mesh()], ("Init:0/1", "0/1", 4), id="nothing-known"),
        pytest.param(
            [_mesh(started=True, ready=True), {"name": "other", "state": {"running": {}}}],
            ("Init:1/1", "0/1", 4),
            id="ready-and-then-another",
        ),
        pytest.param(
            [_mesh(started=True), {"name": "other", "state": {"running": {}}}],
            ("Running", "1/1", 1),
            id="not-ready-ends-the-search",
        ),
    ],
)
def test_sidecars_are_init_containers_that_may_go_on(
    inits: list[dict[str, Any]], printed: tuple[str, str, int]
) -> None:
    view = pod_view(pod("sidecar", {"status": {"initContainerStatuses": inits}}))
    assert _printed(view) == printed


@pytest.mark.parametrize(
    ("reason", "category"),
    [
        ("Pending", PodCategory.PENDING),
        ("ContainerCreating", PodCategory.PENDING),
        ("PodInitializing", PodCategory.PENDING),
        ("Running", PodCategory.RUNNING),
        ("Succeeded", PodCategory.SUCCEEDED),
        ("Completed", PodCategory.SUCCEEDED),
        ("CrashLoopBackOff", PodCategory.CRASH_LOOP_BACK_OFF),
        ("ErrImagePull", PodCategory.IMAGE_PULL_ERROR),
        ("ImagePullBackOff", PodCategory.IMAGE_PULL_ERROR),
        ("InvalidImageName", PodCategory.IMAGE_PULL_ERROR),
        ("Unknown", PodCategory.UNKNOWN),
        ("", PodCategory.UNKNOWN),
        ("Failed", PodCategory.FAILED),
        ("Evicted", PodCategory.FAILED),
        ("OOMKilled", PodCategory.FAILED),
        ("CreateContainerConfigError", PodCategory.FAILED),
        ("a/b", PodCategory.FAILED),
    ],
)
def test_a_dashboard_tells_few_categories_apart(reason: str, category: PodCategory) -> None:
    status = {"phase": reason, "containerStatuses": None, "conditions": None}
    assert pod_view(pod("running", {"status": status})).category is category


@pytest.mark.parametrize(
    ("patch", "category"),
    [
        (_init(_waiting("CrashLoopBackOff")), PodCategory.CRASH_LOOP_BACK_OFF),
        (_init(_waiting("ErrImagePull")), PodCategory.IMAGE_PULL_ERROR),
        (_init(_ended(1)), PodCategory.FAILED),
        (_init(RUNS), PodCategory.PENDING),
    ],
    ids=["crash", "image", "failed", "running"],
)
def test_init_containers_have_the_same_categories(patch: Patch, category: PodCategory) -> None:
    assert pod_view(pod("initialising", patch)).category is category


def test_a_terminating_pod_is_in_a_category_of_its_own() -> None:
    view = pod_view(pod("crashloop", {"metadata": {"deletionTimestamp": "2026-05-12T10:00:00Z"}}))
    assert view.category is PodCategory.TERMINATING


@pytest.mark.parametrize(
    ("name", "ready"), [("running", True), ("crashloop", False), ("evicted", False)]
)
def test_a_pod_is_ready_when_its_own_condition_says_so(name: str, ready: bool) -> None:
    assert pod_view(pod(name)).ready is ready
