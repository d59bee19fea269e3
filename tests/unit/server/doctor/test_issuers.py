"""What is found about those who vouch for people, spoken with over no network."""

from collections.abc import Mapping
from typing import Any

import pytest

from fakes.issuer import URL, FakeIssuer
from rollgraph.core.diagnosis import Verdict
from rollgraph.server.auth import wiring
from rollgraph.server.doctor import issuers
from rollgraph.server.settings import Auth, AuthMode, Oidc, Settings

SETTINGS = Settings(auth=Auth(mode=AuthMode.OIDC), oidc=Oidc(issuer=URL, audiences=("rollgraph",)))


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> FakeIssuer:
    made = FakeIssuer()

    def speaking(_: Settings) -> Mapping[str, Mapping[str, Any]]:
        return {URL: made.options()}

    monkeypatch.setattr(wiring, "speaking", speaking)
    return made


async def test_one_that_answers(issuer: FakeIssuer) -> None:
    (found,) = await issuers.examine(SETTINGS)
    assert found.verdict is Verdict.GOOD


async def test_one_that_is_down(issuer: FakeIssuer) -> None:
    issuer.down = True
    (found,) = await issuers.examine(SETTINGS)
    assert found.verdict is Verdict.BAD
    assert found.subject == f"oidc.issuer {URL}"


async def test_one_that_is_another(issuer: FakeIssuer) -> None:
    issuer.said = {"issuer": "https://idp.example.com/realms/two"}
    (found,) = await issuers.examine(SETTINGS)
    assert "is that of another issuer" in found.said


async def test_the_command_line_needs_a_device_flow(issuer: FakeIssuer) -> None:
    given = SETTINGS.oidc.model_copy(update={"cli_client_id": "cli"})
    issuer.said = {"device_authorization_endpoint": ""}
    found = await issuers.examine(SETTINGS.model_copy(update={"oidc": given}))
    assert [finding.verdict for finding in found] == [Verdict.GOOD, Verdict.BAD]


async def test_where_nobody_logs_in_nobody_is_asked() -> None:
    assert await issuers.examine(Settings()) == []
