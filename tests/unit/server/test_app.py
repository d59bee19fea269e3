import threading

import anyio
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from rollgraph.server.watching import WatchingEndedError
from unit.server.conftest import Make


def test_unknown_paths_are_json(client: TestClient) -> None:
    answer = client.get("/nope")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_other_methods_are_refused_with_the_right_ones(client: TestClient) -> None:
    answer = client.post("/livez")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


def test_watches_while_it_runs_and_no_longer(make: Make) -> None:
    events: list[str] = []

    async def watch() -> None:
        events.append("begun")
        try:
            await anyio.sleep_forever()
        finally:
            events.append("ended")

    deaths: list[Exception] = []
    client = make(watch=watch, on_death=deaths.append)
    client.get("/livez")
    assert events == ["begun"]
    client.__exit__(None, None, None)
    client.__enter__()  # the fixture will leave it again
    assert events[:2] == ["begun", "ended"]
    assert deaths == []


def test_clusters_are_told_to_the_last_before_the_way_to_them_is_closed(make: Make) -> None:
    events: list[str] = []

    async def watch() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            events.append("closed")

    async def announce() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
                events.append("told")

    client = make(watch=watch, announce=announce)
    client.get("/livez")
    client.__exit__(None, None, None)
    client.__enter__()  # the fixture will leave it again
    assert events[:2] == ["told", "closed"]


def test_tells_when_watching_dies(make: Make) -> None:
    async def watch() -> None:
        raise RuntimeError("a bug")

    error = _death(make, watch)
    assert isinstance(error, RuntimeError)


def test_tells_when_watching_just_ends(make: Make) -> None:
    error = _death(make, anyio.lowlevel.checkpoint)
    assert isinstance(error, WatchingEndedError)


def _death(make: Make, watch: object) -> Exception:
    died = threading.Event()
    deaths: list[Exception] = []

    def on_death(error: Exception) -> None:
        deaths.append(error)
        died.set()

    with capture_logs() as lines:
        make(watch=watch, on_death=on_death)
        assert died.wait(5)
    assert [line["event"] for line in lines] == ["watching_ended"]
    (error,) = deaths
    return error
