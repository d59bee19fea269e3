"""`rollgraph serve` as a process: what it says, how it ends, and with which status."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx2
import pytest

MAIN = "import sys; from rollgraph.server.cli import main; sys.exit(main())"

# A port that nothing listens on: 1 is not given to anybody.
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: dead, context: {cluster: c, user: u}}]
"""


class Process:
    """A running `rollgraph`, started with JSON logs."""

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self._popen = popen
        self.url = ""

    def line(self, event: str) -> dict[str, Any]:
        """Reads what it writes until it says this."""
        assert self._popen.stderr is not None
        for text in self._popen.stderr:
            line: dict[str, Any] = json.loads(text)
            if line["event"] == event:
                return line
        raise AssertionError(f"it ended without {event}")

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Its exit status, and what it wrote that was not read."""
        _, err = self._popen.communicate()
        return self._popen.returncode, err


Start: TypeAlias = Callable[..., Process]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG, "utf-8")
    return path


@pytest.fixture
def start(kubeconfig: Path) -> Iterator[Start]:
    """Starts processes, and kills what still runs after the test."""
    with ExitStack() as stack:

        def started(*argv: str, main: str = MAIN, spokes: Path = kubeconfig) -> Process:
            flags = ("--kubeconfig", str(spokes), "--port", "0", "--log-format", "json", *argv)
            popen = subprocess.Popen(
                [sys.executable, "-c", main, "serve", *flags],
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(popen)
            stack.callback(popen.kill)
            return Process(popen)

        yield started


def serving(process: Process) -> Process:
    """Waits until it serves."""
    (graphql,) = process.line("serving")["graphql"]
    process.url = graphql.removesuffix("/graphql")
    return process


def test_answers_though_its_only_cluster_is_dead(start: Start) -> None:
    process = start()
    line = process.line("serving")
    assert line["clusters"] == 1
    assert line["auth"].startswith("none ")
    (graphql,) = line["graphql"]
    assert process.line("spoke_not_reached")["cluster"] == "dead"
    query = "{ clusters { nodes { name connection { status } } } }"
    answer = httpx2.post(graphql, json={"query": query})
    assert answer.json() == {
        "data": {
            "clusters": {"nodes": [{"name": "dead", "connection": {"status": "DISCONNECTED"}}]}
        }
    }
    ready = httpx2.get(graphql.replace("graphql", "readyz"))
    assert ready.status_code == 200
    assert [cluster["name"] for cluster in ready.json()["notSynced"]] == ["dead"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_told_to(start: Start, number: signal.Signals) -> None:
    process = serving(start())
    process.signal(number)
    assert process.line("stopping")["signal"] == number.name
    status, rest = process.end()
    assert status == 0
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"


BODY = b'{"query": "{ __typename }"}'
HEAD = (
    b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


def half_a_request(process: Process) -> socket.socket:
    address = urlsplit(process.url)
    assert address.hostname
    assert address.port
    connection = socket.create_connection((address.hostname, address.port))
    connection.sendall(HEAD + BODY[:5])
    # The server's answer to a whole request tells that it has read the half before it, too.
    httpx2.get(f"{process.url}/livez")
    return connection


def test_finishes_running_requests_first(start: Start) -> None:
    process = serving(start())
    with half_a_request(process) as connection:
        process.signal(signal.SIGTERM)
        process.line("stopping")
        connection.sendall(BODY[5:])
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"data":{"__typename":"Query"}}')
    assert process.end()[0] == 0


def test_a_caller_who_goes_away_is_no_crash(start: Start) -> None:
    process = serving(start())
    half_a_request(process).close()
    line = process.line("request")
    assert (line["level"], line["status"], line["path"]) == ("info", 499, "/graphql")


def test_says_when_there_is_nothing_to_watch(start: Start, kubeconfig: Path) -> None:
    kubeconfig.write_text("apiVersion: v1\nkind: Config\n", "utf-8")
    process = serving(start())
    assert "no contexts" in process.line("no_clusters")["reason"]


def test_does_not_wait_for_ever(start: Start) -> None:
    process = serving(start("--shutdown-grace", "0.1"))
    with half_a_request(process):
        process.signal(signal.SIGTERM)
        assert process.end()[0] == 0


def test_takes_no_new_connections_while_it_stops(start: Start) -> None:
    process = serving(start())
    with half_a_request(process) as connection:
        process.signal(signal.SIGTERM)
        process.line("stopping")
        while True:  # until the main loop has seen the signal
            try:
                httpx2.get(f"{process.url}/livez")
            except httpx2.ConnectError:
                break
        connection.sendall(BODY[5:])
    assert process.end()[0] == 0


def test_a_port_in_use(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, err = start("--port", str(port)).end()
    assert status == 1
    assert err == (
        f"rollgraph: port {port} of 127.0.0.1 is in use by another process: stop it, or choose"
        " another with --port or ROLLGRAPH_HTTP__PORT; 0 takes any free one\n"
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--port", "x"), "--port: http.port: expected a valid integer"),
        (("--host", "0.0.0.0"), "can be reached from other machines"),
        (("--context", "nope"), "expected a context 'nope'"),
        (("--config", "/nope.yaml"), "/nope.yaml: cannot be read"),
        (("--auth", "magic"), "--auth: auth.mode: expected 'none' or 'oidc'"),
        (("--auth", "oidc"), "auth.mode (--auth): oidc needs somebody who vouches for callers"),
    ],
)
def test_a_wrong_setting(start: Start, flags: tuple[str, ...], said: str) -> None:
    refused(start(*flags), said)


def test_a_missing_kubeconfig(start: Start, tmp_path: Path) -> None:
    refused(start(spokes=tmp_path / "nope"), f"{tmp_path}/nope: ")


def refused(process: Process, said: str) -> None:
    status, err = process.end()
    assert status == 2
    assert said in err
    assert "Traceback" not in err
    assert all(line.startswith("rollgraph: ") for line in err.splitlines())


DYING = """
import anyio
from rollgraph.spokes.supervisor import Supervisor
async def run(self):
    await anyio.sleep(0.2)
    raise RuntimeError("a bug")
Supervisor.run = run
"""


def test_does_not_serve_without_watching(start: Start) -> None:
    process = start(main=DYING + MAIN)
    line = process.line("watching_ended")
    assert "RuntimeError: a bug" in line["exception"]
    status, rest = process.end()
    assert status == 1
    assert "stopped" in rest
