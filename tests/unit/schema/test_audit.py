"""What admins are told of the audit, and nobody else is."""

from datetime import timedelta
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from contract.mirrors import HandClock
from rollgraph.access.caller import Caller
from rollgraph.access.everything import Everything
from rollgraph.adapters.memory import MemoryAuditLog, MemoryMirror
from rollgraph.core.audit import AuditEntry, Result
from rollgraph.core.auditpages import AuditRequest
from rollgraph.core.decision import ALLOWED, Decision, Layer
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope
from rollgraph.core.viewer import Viewer
from rollgraph.schema.context import Context
from rollgraph.schema.fragments import FragmentCache
from unit.schema.asking import NOW, SCHEMA, Frozen, view

ALICE = Viewer("alice@example.com", groups=("shop",), issuer="https://idp.example.com")
BOB = Viewer("bob")
SCOPED = Decision(Layer.SCOPE, ("rollouts:abort",), "the token lacks rollouts:abort")


class Narrow(Everything):
    """An admin whose token is good for some scopes only, or somebody who is none."""

    def __init__(self, *scopes: Scope, admin: bool = True) -> None:
        super().__init__(BOB)
        self._scopes = scopes
        self._admin = admin

    def may_use(self, scope: Scope) -> Decision:
        if scope in self._scopes:
            return ALLOWED
        return Decision(Layer.SCOPE, (scope,), f"the token lacks {scope}")

    def is_admin(self) -> Decision:
        return ALLOWED if self._admin else Decision(Layer.CASBIN, message="admins only")


class Asking:
    """An audit, a fleet of one rollout, and a way to ask about both."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.clock.time = NOW
        self.log = MemoryAuditLog(self.clock)
        self.mirror = MemoryMirror(Frozen())
        self.mirror.put_rollout(view("canary-paused-at-step-3", name="checkout"))
        self.fragments = FragmentCache()
        self.context = self.surroundings()

    def surroundings(self, rights: Everything | None = None) -> Context:
        return Context(
            self.mirror,
            NOW,
            timedelta(seconds=10),
            "req-1",
            fragments=self.fragments,
            caller=Caller(rights or Everything()),
            audit=self.log,
        )

    async def run(self, document: str, rights: Everything | None = None) -> ExecutionResult:
        self.context = self.surroundings(rights)
        result = await SCHEMA.execute(document, context_value=self.context)
        assert isinstance(result, ExecutionResult)
        return result

    async def ask(self, document: str) -> dict[str, Any]:
        result = await self.run(document)
        assert not result.errors, result.errors
        assert result.data is not None
        return result.data

    def tell(self, **changes: Any) -> str:
        fields: dict[str, Any] = {"viewer": ALICE, "verb": "promote", "result": Result.APPLIED}
        row = self.log.record(AuditEntry(**(fields | changes)))
        self.clock.forward(1)
        return row.id


@pytest.fixture
def asking() -> Asking:
    return Asking()


async def test_an_event_tells_all_that_the_audit_has(asking: Asking) -> None:
    id_ = asking.tell(
        ref=RolloutRef("east", "shop", "checkout"),
        uid="u-1",
        reason="errors are flat",
        message="ends the pause of step 2 of 6",
        patches=("rollouts.argoproj.io/status shop/checkout: status.pauseConditions",),
        version_before="1",
        version_after="2",
        seconds=0.012,
        operation="op-1",
        acted_as="alice@example.com",
        request_id="req-0",
    )
    data = await asking.ask("""{ auditEvents { nodes {
      id at requestId subject issuer groups login verb target { cluster namespace name uid }
      object reason decision refusedBy missingScopes result message patches
      resourceVersionBefore resourceVersionAfter duration operation actedAs
    } } }""")
    assert data["auditEvents"]["nodes"] == [
        {
            "id": id_,
            "at": "2026-05-12T09:02:00Z",
            "requestId": "req-0",
            "subject": "alice@example.com",
            "issuer": "https://idp.example.com",
            "groups": ["shop"],
            "login": "TOKEN",
            "verb": "promote",
            "target": {"cluster": "east", "namespace": "shop", "name": "checkout", "uid": "u-1"},
            "object": None,
            "reason": "errors are flat",
            "decision": "ALLOWED",
            "refusedBy": None,
            "missingScopes": [],
            "result": "APPLIED",
            "message": "ends the pause of step 2 of 6",
            "patches": ["rollouts.argoproj.io/status shop/checkout: status.pauseConditions"],
            "resourceVersionBefore": "1",
            "resourceVersionAfter": "2",
            "duration": "PT0.012S",
            "operation": "op-1",
            "actedAs": "alice@example.com",
        }
    ]


async def test_a_login_has_no_target_and_a_refusal_has_a_layer(asking: Asking) -> None:
    asking.tell(verb="login")
    asking.tell(viewer=BOB, verb="abort", result=Result.REFUSED, decision=SCOPED)
    data = await asking.ask(
        "{ auditEvents { nodes { target { name } decision refusedBy missingScopes message } } }"
    )
    refused, login = data["auditEvents"]["nodes"]
    assert login["target"] is None
    assert refused == {
        "target": None,
        "decision": "REFUSED",
        "refusedBy": "SCOPE",
        "missingScopes": ["rollouts:abort"],
        "message": "the token lacks rollouts:abort",
    }


async def test_pages_go_on_from_a_cursor(asking: Asking) -> None:
    ids = [asking.tell() for _ in range(3)]
    data = await asking.ask("""{ auditEvents(first: 2) {
      edges { cursor node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount forgotten
    } }""")
    page = data["auditEvents"]
    assert [edge["node"]["id"] for edge in page["edges"]] == ids[:0:-1]
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": page["edges"][0]["cursor"],
        "endCursor": page["edges"][1]["cursor"],
    }
    assert (page["totalCount"], page["forgotten"]) == (3, 0)
    end = page["pageInfo"]["endCursor"]
    data = await asking.ask(f'{{ auditEvents(first: 2, after: "{end}") {{ nodes {{ id }} }} }}')
    assert data["auditEvents"]["nodes"] == [{"id": ids[0]}]


@pytest.mark.parametrize(
    ("wanted", "verbs"),
    [
        ('subject: {eq: "bob"}', ["abort"]),
        ('verb: {in: ["promote", "login"]}', ["login", "promote"]),
        ('cluster: {eq: "east"}', ["promote"]),
        ('namespace: {eq: "shop"}, name: {contains: "check"}', ["promote"]),
        ('operation: {eq: "op-1"}', ["promote"]),
        ("decision: REFUSED", ["abort"]),
        ("decision: ALLOWED", ["login", "promote"]),
        ("refusedBy: [SCOPE]", ["abort"]),
        ("result: [APPLIED, UNKNOWN]", ["login", "promote"]),
        ('since: "2026-05-12T09:02:01Z"', ["abort", "login"]),
        ('until: "2026-05-12T09:02:01Z"', ["promote"]),
    ],
)
async def test_a_filter_is_the_cores(asking: Asking, wanted: str, verbs: list[str]) -> None:
    asking.tell(ref=RolloutRef("east", "shop", "checkout"), operation="op-1")
    asking.tell(verb="login")
    asking.tell(viewer=BOB, verb="abort", result=Result.REFUSED, decision=SCOPED)
    data = await asking.ask(f"{{ auditEvents(filter: {{{wanted}}}) {{ nodes {{ verb }} }} }}")
    assert [event["verb"] for event in data["auditEvents"]["nodes"]] == verbs


async def test_a_rollout_has_its_own_and_they_are_never_kept(asking: Asking) -> None:
    (found,) = asking.mirror.matching(None)
    document = f"""{{
      rollout(cluster: "east", namespace: "{found.ref.namespace}", name: "checkout") {{
        name
        auditEvents {{ nodes {{ verb }} }}
      }}
    }}"""
    asking.tell(ref=found.ref)
    asking.tell(ref=RolloutRef("east", found.ref.namespace, "cart"))
    first = await asking.ask(document)
    assert first["rollout"]["auditEvents"]["nodes"] == [{"verb": "promote"}]
    assert asking.context.moment_reads
    asking.tell(ref=found.ref, verb="abort")
    second = await asking.ask(document)
    assert second["rollout"]["auditEvents"]["nodes"] == [{"verb": "abort"}, {"verb": "promote"}]


@pytest.mark.parametrize(
    ("rights", "layer", "missing"),
    [
        (Narrow(Scope.READ), "SCOPE", ["audit:read"]),
        (Narrow(Scope.READ, Scope.AUDIT_READ, admin=False), "CASBIN", []),
    ],
)
async def test_others_get_nothing_and_the_audit_has_that_too(
    asking: Asking, rights: Narrow, layer: str, missing: list[str]
) -> None:
    asking.tell()
    result = await asking.run("{ auditEvents { totalCount } }", rights)
    assert result.data == {"auditEvents": None}
    assert result.errors
    (error,) = result.errors
    assert error.extensions is not None
    assert error.extensions["code"] == "FORBIDDEN"
    assert (error.extensions["layer"], error.extensions["missingScopes"]) == (layer, missing)
    told = (await asking.log.page(AuditRequest())).rows[0].entry
    assert (told.viewer, told.verb, told.result) == (BOB, "read-audit", Result.REFUSED)
    assert told.decision.refused_by == layer
    assert told.request_id == "req-1"


async def test_a_token_that_may_not_read_is_told_of(asking: Asking) -> None:
    result = await asking.run("{ rollouts { totalCount } }", Narrow(Scope.AUDIT_READ))
    assert result.errors
    (row,) = (await asking.log.page(AuditRequest())).rows
    assert (row.entry.verb, row.entry.decision.missing_scopes) == ("get", ("rollouts:read",))


async def test_what_is_refused_on_each_rollout_is_told_once(asking: Asking) -> None:
    asking.mirror.put_rollout(view("canary-healthy", name="cart"))
    rights = Narrow(Scope.READ)
    document = "{ rollouts { nodes { auditEvents { totalCount } } } }"
    result = await asking.run(document, rights)
    assert len(result.errors or ()) == 2
    assert (await asking.log.page(AuditRequest())).total == 1


@pytest.mark.parametrize("argument", ["first: 201", "first: 1, last: 1", 'after: "x"'])
async def test_what_makes_no_sense_is_said(asking: Asking, argument: str) -> None:
    result = await asking.run(f"{{ auditEvents({argument}) {{ totalCount }} }}")
    assert result.errors
    (error,) = result.errors
    assert (error.extensions or {})["code"] == "BAD_USER_INPUT"
