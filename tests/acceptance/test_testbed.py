"""The testbed itself: real control planes come up, fail as told, and never outlive their parent."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from testbed.cluster import Cluster, path_of
from testbed.deadline import wait_until
from testbed.errors import ApiError
from testbed.fleet import Fleet
from testbed.scenarios import Churn, apply_many, by_name
from testbed.workdir import sweep

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

# A process that starts a fleet, says where, and then waits to be killed.
OWNER = """
import sys
from testbed.fleet import Fleet
with Fleet(["orphan"]) as fleet:
    print(fleet.folder, *(p.pid for p in fleet.processes), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def own() -> Iterator[Fleet]:
    """A fleet that these tests may break: `breakable`, and `bare` without Argo Rollouts."""
    with Fleet(["breakable"], without_rollouts=["bare"]) as running:
        yield running


def test_the_articles_canary_pauses_at_step_1_and_goes_on_when_promoted(own: Fleet) -> None:
    seen = {}
    for moment in by_name("guestbook").play(own["breakable"]):
        seen[moment.name] = moment.spoke.plugin.get_rollout(moment.rollout, moment.namespace)

    paused, promoted = seen["paused at 20 %"], seen["promoted"]
    assert (paused.status, paused.message) == ("Paused", "CanaryPauseStep")
    assert (paused.step, paused.set_weight, paused.actual_weight) == ((1, 8), 20, 20)
    assert (promoted.status, promoted.step, promoted.updated) == ("Healthy", (8, 8), 5)


def test_users_may_do_what_their_role_says(own: Fleet) -> None:
    spoke = own["breakable"]

    assert spoke.cluster("reader").list("Rollout") == []
    for user, kind in (("reader", "Secret"), ("nobody", "Rollout")):
        with pytest.raises(ApiError) as refused:
            spoke.cluster(user).list(kind)
        assert refused.value.status == 403


def test_the_audit_log_sees_who_is_impersonated(own: Fleet) -> None:
    spoke = own["breakable"]
    access = spoke.access("impersonator")
    with httpx2.Client(
        base_url=access.url,
        verify=ssl.create_default_context(cadata=access.ca),
        headers={"Authorization": f"Bearer {access.token}", "Impersonate-User": "reader"},
        trust_env=False,
    ) as client:
        answer = client.get(path_of("Rollout"))

    assert answer.status_code == 200

    def check() -> str | None:
        seen = [event for event in spoke.audit() if event["user"]["username"] == "impersonator"]
        names = [event.get("impersonatedUser", {}).get("username") for event in seen]
        return None if names == ["reader"] else f"impersonated: {names}"

    wait_until(check, seconds=10, what="the audit event")


def test_a_client_that_checks_certificates_strictly_is_content(own: Fleet) -> None:
    spoke = own["breakable"]
    context = ssl.create_default_context(cadata=spoke.ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    with (
        socket.create_connection(("127.0.0.1", spoke.port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as encrypted,
    ):
        assert encrypted.version() == "TLSv1.3"


def test_a_service_account_token_is_known(own: Fleet) -> None:
    spoke = own["breakable"]
    token = spoke.service_account_token("robot")

    with contextlib.closing(Cluster(spoke.url, token, spoke.ca)) as robot:
        review = robot.request(
            "POST",
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        )
    assert review["status"]["userInfo"]["username"] == "system:serviceaccount:default:robot"


def test_a_spoke_without_argo_rollouts_does_not_know_rollouts(own: Fleet) -> None:
    with pytest.raises(ApiError) as refused:
        own["bare"].cluster().list("Rollout")
    assert refused.value.status == 404


@pytest.mark.skipif(shutil.which("ss") is None, reason="ss (iproute2) is not installed")
def test_nothing_listens_beyond_loopback(own: Fleet) -> None:
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    pids = [f"pid={process.pid}," for process in own.processes]
    ours = [line.split()[3] for line in listening.splitlines() if any(p in line for p in pids)]

    assert ours
    assert all(address.startswith("127.0.0.1:") for address in ours)


def test_a_token_is_refused_once_it_is_taken_away_and_the_server_starts_anew(own: Fleet) -> None:
    spoke = own["breakable"]
    spoke.add_user("guest", "guests")
    spoke.kill_apiserver()
    spoke.start_apiserver()
    guest = spoke.cluster("guest")
    with pytest.raises(ApiError) as unauthorised:
        guest.list("Pod")
    assert unauthorised.value.status == 403

    spoke.remove_user("guest")
    spoke.stop_apiserver()
    with pytest.raises(httpx2.TransportError):
        guest.list("Pod")
    spoke.start_apiserver()
    with pytest.raises(ApiError) as unknown:
        guest.list("Pod")
    assert unknown.value.status == 401


def test_a_paused_server_accepts_connections_and_says_nothing(own: Fleet) -> None:
    spoke = own["breakable"]
    spoke.apiserver.pause()
    try:
        with socket.create_connection(("127.0.0.1", spoke.port), timeout=1) as connection:
            connection.settimeout(0.3)
            connection.sendall(b"anything")
            with pytest.raises(TimeoutError):
                connection.recv(1)
    finally:
        spoke.apiserver.resume()
    assert spoke.cluster().get("Namespace", "default")


def test_a_watch_from_before_a_compaction_and_a_restart_is_expired(own: Fleet) -> None:
    spoke = own["breakable"]
    spoke.namespace("compacted")
    before = spoke.cluster().get("Namespace", "compacted")["metadata"]["resourceVersion"]
    spoke.cluster().patch("Namespace", "compacted", {"metadata": {"labels": {"a": "b"}}})
    own.compact_etcd()
    spoke.stop_apiserver()
    spoke.start_apiserver()

    event = spoke.cluster().request(
        "GET",
        "/api/v1/namespaces",
        params={"watch": "true", "resourceVersion": before, "timeoutSeconds": "5"},
    )

    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_churn_changes_rollouts_until_it_is_stopped(own: Fleet) -> None:
    spoke = own["breakable"]
    names = apply_many(spoke, 3, "churned")
    with Churn(spoke.cluster(), names, "churned", per_second=50) as churn:
        wait_until(
            lambda: None if churn.changes >= 20 else f"{churn.changes} changes",
            seconds=20,
            what="20 changes",
        )
    found = {r["metadata"]["name"]: r for r in spoke.cluster().list("Rollout", "churned")}

    assert set(churn.written) <= set(names)
    rounds = [r["metadata"]["annotations"].get("testbed/round") for r in found.values()]
    assert str(churn.changes) in rounds


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_no_child_outlives_a_parent_that_is_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        folder, *pids = owner.stdout.readline().split()
        owner.send_signal(signal.SIGKILL)

    wait_until(lambda: _still_alive(pids), seconds=10, what="end of all children")
    assert len(pids) == 5
    assert Path(folder) in sweep()
    assert not Path(folder).exists()


def _still_alive(pids: list[str]) -> str | None:
    alive = [pid for pid in pids if _alive(pid)]
    return f"alive: {alive}" if alive else None


def _alive(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # a zombie waits for init to reap it; it runs no more
