"""A row of the audit reaches everybody who is to hear of it."""

import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from contract.mirrors import HandClock
from factories import NOON
from rollgraph.adapters.memory import MemoryAuditLog
from rollgraph.core.audit import AuditEntry, AuditRow, Result
from rollgraph.core.auditpages import AuditRequest
from rollgraph.core.decision import Decision, Layer
from rollgraph.core.refs import RolloutRef
from rollgraph.core.viewer import Login, Viewer
from rollgraph.server import logging
from rollgraph.server.audittrail import AuditTrail, line, write
from rollgraph.server.settings import Log, LogFormat, LogLevel

ID = "019ab7e1-0000-7abc-8def-0123456789ab"
PROMOTED = AuditEntry(
    viewer=Viewer(
        "alice@example.com",
        groups=("shop", "oncall"),
        issuer="https://idp.example.com",
        login=Login.SESSION,
        email="alice@example.com",
    ),
    verb="promote",
    result=Result.APPLIED,
    ref=RolloutRef("prod-eu", "shop", "checkout"),
    uid="0b2f",
    reason="errors are flat",
    message="ends the pause of step 2 of 6",
    patches=("rollouts.argoproj.io/status shop/checkout: status.pauseConditions",),
    version_before="4711",
    version_after="4712",
    seconds=0.0123456,
    operation="op-1",
    acted_as="alice@example.com",
    request_id="r-1",
)
REFUSED = AuditEntry(
    viewer=Viewer("bob"),
    verb="abort",
    result=Result.REFUSED,
    decision=Decision(Layer.SCOPE, ("rollouts:abort",), "the token lacks rollouts:abort"),
)


def test_a_line_has_all_that_the_row_has() -> None:
    assert line(AuditRow(ID, NOON + timedelta(milliseconds=5), PROMOTED)) == {
        "id": ID,
        "at": "2026-03-04T12:00:00.005000+00:00",
        "request_id": "r-1",
        "subject": "alice@example.com",
        "issuer": "https://idp.example.com",
        "groups": ["shop", "oncall"],
        "login": "SESSION",
        "verb": "promote",
        "cluster": "prod-eu",
        "namespace": "shop",
        "name": "checkout",
        "uid": "0b2f",
        "reason": "errors are flat",
        "decision": "ALLOWED",
        "result": "APPLIED",
        "message": "ends the pause of step 2 of 6",
        "patches": ["rollouts.argoproj.io/status shop/checkout: status.pauseConditions"],
        "version_before": "4711",
        "version_after": "4712",
        "milliseconds": 12.35,
        "operation": "op-1",
        "acted_as": "alice@example.com",
    }


def test_a_refusal_names_the_layer_and_what_is_missing() -> None:
    told = line(AuditRow(ID, NOON, REFUSED))
    assert told["decision"] == "REFUSED"
    assert told["refused_by"] == "SCOPE"
    assert told["missing_scopes"] == ["rollouts:abort"]
    assert told["message"] == "the token lacks rollouts:abort"
    assert "cluster" not in told


async def test_a_row_is_kept_and_written_at_every_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.configure(Log(format=LogFormat.JSON, level=LogLevel.ERROR))
    trail = AuditTrail(MemoryAuditLog(HandClock()), [write])
    row = trail.record(PROMOTED)
    written = json.loads(capsys.readouterr().err)
    assert written["event"] == "audit"
    assert written["id"] == row.id
    assert (await trail.page(AuditRequest())).rows == (row,)


def test_who_cannot_hear_of_a_row_keeps_no_other_from_it() -> None:
    heard: list[AuditRow] = []

    def deaf(_: AuditRow) -> None:
        raise OSError("no space left")

    trail = AuditTrail(MemoryAuditLog(HandClock()), [deaf, heard.append])
    with capture_logs() as logs:
        row = trail.record(REFUSED)
    assert heard == [row]
    assert [said["event"] for said in logs] == ["audit_row_not_told"]
