"""Metrics are where they are to be, and nowhere else."""

from collections.abc import Collection

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from fakes.fleet import FakeSource
from rollgraph.server.app import create_app
from rollgraph.server.bootstrap import services
from rollgraph.server.settings import Auth, AuthMode, Oidc, Settings

LOGINS = Settings(
    auth=Auth(mode=AuthMode.OIDC), oidc=Oidc(issuer="http://127.0.0.1:9", audiences=("rg",))
)


def client(port: int, settings: Settings, metrics_ports: Collection[int] = ()) -> TestClient:
    made = services(settings, FakeSource())
    app = create_app(made, (), on_death=lambda _: None, metrics_ports=metrics_ports)
    return TestClient(app, base_url=f"http://127.0.0.1:{port}")


def test_without_logins_they_are_beside_the_rest() -> None:
    with client(8000, Settings()) as here:
        answer = here.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE rollgraph_rollouts gauge" in answer.text
    assert 'role="serve"' in answer.text


@pytest.mark.parametrize("settings", [Settings(), LOGINS], ids=["open", "logins"])
def test_a_port_of_their_own_has_them_and_nothing_else(settings: Settings) -> None:
    with client(9090, settings, {9090}) as own:
        assert own.get("/metrics").status_code == 200
        for path in ("/livez", "/graphql", "/readyz"):
            assert own.get(path).status_code == 404
        with (
            pytest.raises(WebSocketDenialResponse),
            own.websocket_connect("ws://127.0.0.1:9090/graphql"),
        ):
            pass


@pytest.mark.parametrize("settings", [Settings(), LOGINS], ids=["open", "logins"])
def test_then_the_public_port_has_none(settings: Settings) -> None:
    with client(8000, settings, {9090}) as public:
        assert public.get("/metrics").status_code == 404
        assert public.get("/livez").status_code == 200


def test_where_people_log_in_the_public_port_never_has_them() -> None:
    with client(8000, LOGINS) as public:
        assert public.get("/metrics").status_code == 404


def test_no_other_site_reads_them_while_nobody_logs_in() -> None:
    with client(9090, Settings(), {9090}) as here:
        assert here.get("/metrics", headers={"host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=1.0.0", "text/plain"])
def test_who_asks_chooses_the_form(accept: str) -> None:
    with client(8000, Settings()) as here:
        answer = here.get("/metrics", headers={"accept": accept})
    assert answer.headers["content-type"].startswith(accept.partition(";")[0])
    assert ("# EOF" in answer.text) is ("openmetrics" in accept)


def test_a_form_that_makes_no_sense_is_no_reason_to_fail() -> None:
    with client(8000, Settings()) as here:
        answer = here.get("/metrics", headers={"accept": "text/plain;version=x"})
    assert answer.status_code == 200
