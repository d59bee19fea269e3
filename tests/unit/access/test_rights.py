"""What a viewer may see and do, by a policy and by the scopes of their token."""

import pytest

from factories import rollout_view
from rollgraph.access.rights import PolicyRights
from rollgraph.adapters.re2 import patterns
from rollgraph.core.application import Application
from rollgraph.core.decision import Layer
from rollgraph.core.permission import Permission
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, PolicyDocument, PolicyText
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer

EAST = rollout_view("east/shop/web")
WEST = rollout_view("west/pay/api")


class Owned:
    """An Argo CD with some applications."""

    def __init__(self, **applications: Application) -> None:
        self.version = 1
        self._applications = applications

    def application(self, view: RolloutView) -> Application | None:
        return self._applications.get(view.ref.name)


def rights(csv: str, viewer: Viewer, version: int = 1, default: str = "") -> PolicyRights:
    text = PolicyText((PolicyDocument("policy.csv", csv),), default_role=default)
    return PolicyRights(viewer, PolicySet(text, patterns(text)), version)


def argocd(
    csv: str, viewer: Viewer, owned: Owned, projects: dict[str, str] | None = None
) -> PolicyRights:
    text = PolicyText(
        (PolicyDocument("policy.csv", csv),),
        Dialect.ARGOCD,
        projects={name: PolicyDocument(name, own) for name, own in (projects or {}).items()},
    )
    return PolicyRights(viewer, PolicySet(text, patterns(text)), 1, owned)


def test_sees_what_get_is_allowed_on() -> None:
    mine = rights("p, dev, rollouts, get, east/*, allow", Viewer("alice", ("dev",)))
    assert (mine.sees(EAST), mine.sees(WEST), mine.sees_all) == (True, False, False)
    assert not mine.sees_cluster("east")
    assert not rights("", Viewer("alice", ("dev",))).sees(EAST)


@pytest.mark.parametrize(
    ("csv", "everything"),
    [
        ("p, a, rollouts, get, *, allow", True),
        ("p, a, *, *, */*, allow", True),
        ("g, a, role:readonly", True),
        ("g, a, role:admin", True),
        ("p, a, rollouts, get, *, allow\np, a, rollouts, promote, *, deny", True),
        ("p, a, rollouts, get, *, allow\np, a, rollouts, *, east/*, deny", False),
        ("p, a, rollouts, get, */*/*/*, allow", False),
        ("p, a, rollouts, promote, *, allow", False),
    ],
)
def test_sees_all_only_if_nothing_can_be_hidden(csv: str, everything: bool) -> None:
    assert rights(csv, Viewer("a")).sees_all is everything


def test_a_refusal_of_the_policy_names_the_layer_and_the_same_for_what_is_not_there() -> None:
    mine = rights("p, alice, rollouts, get, *, allow", Viewer("alice"))
    assert mine.may(Verb.GET, EAST.ref, EAST).allowed
    refused = mine.may(Verb.PROMOTE_FULL, EAST.ref, EAST)
    assert refused.refused_by is Layer.CASBIN
    assert refused.message == "no policy allows you to promote-full east/shop/web"
    assert mine.may(Verb.PROMOTE_FULL, EAST.ref) == refused


def test_a_narrowed_token_lacks_its_scope_whatever_the_policy_says() -> None:
    narrowed = Viewer("alice", scopes=frozenset({"rollouts:read", "openid"}))
    mine = rights("g, alice, role:admin", narrowed)
    assert mine.may(Verb.GET, EAST.ref, EAST).allowed
    refused = mine.may(Verb.SKIP_STEP, EAST.ref, EAST)
    assert (refused.refused_by, refused.missing_scopes) == (Layer.SCOPE, ("rollouts:promote",))
    assert mine.may_use(Scope.READ).allowed
    assert not mine.may_use(Scope.AUDIT_READ).allowed


def test_administrators_see_the_audit_and_others_are_told_so() -> None:
    assert rights("g, alice, role:admin", Viewer("alice")).is_admin().allowed
    assert rights("p, alice, audit, get, *, allow", Viewer("alice")).is_admin().allowed
    refused = rights("g, alice, role:readonly", Viewer("alice")).is_admin()
    assert (refused.allowed, refused.refused_by) == (False, Layer.CASBIN)


def test_clusters_are_seen_by_their_own_lines() -> None:
    mine = rights("p, alice, clusters, get, e*, allow", Viewer("alice"))
    assert (mine.sees_cluster("east"), mine.sees_cluster("west")) == (True, False)
    assert rights("g, alice, role:readonly", Viewer("alice")).sees_cluster("west")


@pytest.mark.parametrize("name", ["role:admin", "proj:shop:ci"])
def test_nobody_gets_a_role_by_the_name_they_log_in_with(name: str) -> None:
    csv = f"p, {name}, rollouts, *, *, allow\ng, {name}, role:admin"
    for viewer in (Viewer(name), Viewer("alice", (name,))):
        mine = rights(csv, viewer)
        assert not mine.sees(EAST)
        assert not mine.is_admin().allowed


def test_keys_are_equal_for_equal_rights_only() -> None:
    csv = "p, dev, rollouts, get, east/*, allow\np, bob, rollouts, get, west/*, allow"
    alice = rights(csv, Viewer("alice", ("dev",))).key
    assert alice == rights(csv, Viewer("carol", ("x", "dev"))).key
    assert alice != rights(csv, Viewer("bob", ("dev",))).key
    assert alice != rights(csv, Viewer("alice")).key
    assert alice != rights(csv, Viewer("alice", ("dev",)), version=2).key
    narrowed = Viewer("alice", ("dev",), scopes=frozenset({"rollouts:read"}))
    assert alice != rights(csv, narrowed).key
    assert hash(alice) is not None


def test_what_argo_cd_owns_is_asked_as_argo_cd_asks() -> None:
    csv = """p, role:shop, applications, get, shop/*, allow
p, role:shop, applications, action/argoproj.io/Rollout/resume, shop/web, allow
g, shop, role:shop"""
    owned = Owned(web=Application("shop", "web"), api=Application("pay", "api"))
    mine = argocd(csv, Viewer("alice", ("shop",)), owned)
    assert (mine.sees(EAST), mine.sees(WEST)) == (True, False)
    assert mine.may(Verb.PROMOTE, EAST.ref, EAST).allowed
    assert mine.may(Verb.RESUME, EAST.ref, EAST).allowed
    assert not mine.may(Verb.ABORT, EAST.ref, EAST).allowed
    assert not mine.may(Verb.PROMOTE, WEST.ref, WEST).allowed


def test_what_argo_cd_does_not_own_is_asked_by_its_place() -> None:
    csv = "p, alice, rollouts, *, east/*, allow\np, alice, applications, *, shop/*, allow"
    mine = argocd(csv, Viewer("alice"), Owned(api=Application("shop", "api")))
    assert mine.sees(EAST)
    assert mine.may(Verb.ABORT, EAST.ref, EAST).allowed
    assert mine.sees(WEST)
    # A policy of ours knows no applications, whoever owns them.
    text = PolicyText((PolicyDocument("p", "p, alice, rollouts, get, east/*, allow"),))
    owned = Owned(web=Application("pay", "web"))
    assert PolicyRights(Viewer("alice"), PolicySet(text, patterns(text)), 1, owned).sees(EAST)


def test_an_application_elsewhere_is_named_with_its_namespace() -> None:
    owned = Owned(web=Application("shop", "web", "team-apps"))
    csv = "p, alice, applications, get, shop/team-apps/web, allow"
    assert argocd(csv, Viewer("alice"), owned).sees(EAST)
    assert not argocd(csv.replace("team-apps/", ""), Viewer("alice"), owned).sees(EAST)


def test_a_project_s_own_roles_count_for_what_it_owns() -> None:
    own = "p, proj:shop:ci, applications, *, shop/*, allow\ng, ci, proj:shop:ci"
    owned = Owned(web=Application("shop", "web"), api=Application("pay", "api"))
    robot = Viewer("robot", ("ci",))
    mine = argocd("", robot, owned, {"shop": own})
    assert (mine.sees(EAST), mine.sees(WEST), mine.sees_all) == (True, False, False)
    assert mine.key != argocd("", Viewer("robot"), owned, {"shop": own}).key


def test_argo_cd_s_readers_see_all_unless_a_project_hides_something() -> None:
    viewer, owned = Viewer("alice", ("sre",)), Owned(web=Application("shop", "web"))
    assert argocd("g, sre, role:readonly", viewer, owned).sees_all
    harmless = {"shop": "p, proj:shop:ci, applications, *, shop/*, allow"}
    assert argocd("g, sre, role:readonly", viewer, owned, harmless).sees_all
    hiding = {"shop": "p, role:readonly, applications, get, shop/web, deny"}
    hidden = argocd("g, sre, role:readonly", viewer, owned, hiding)
    assert not hidden.sees_all
    assert not hidden.sees(EAST)
    assert hidden.sees(WEST)


def test_a_change_of_owners_is_a_change_of_rights() -> None:
    owned = Owned(web=Application("shop", "web"))
    before = argocd("g, alice, role:readonly", Viewer("alice"), owned).key
    owned.version = 2
    assert argocd("g, alice, role:readonly", Viewer("alice"), owned).key != before


def test_tells_what_is_said_of_the_viewer() -> None:
    csv = """
p, dev, rollouts, get, east/*, allow
p, dev, rollouts, promote*, east/shop/*, allow
p, alice, rollouts, *, */pay/*, deny
p, ops, rollouts, *, *, allow
p, dev, clusters, get, west, allow
"""
    mine = rights(csv, Viewer("alice", ("dev",)))
    deny = Permission("rollouts", "*", "*/pay/*", allowed=False)
    get = Permission("rollouts", "get", "east/*", allowed=True)
    promote = Permission("rollouts", "promote*", "east/shop/*", allowed=True)
    west = Permission("clusters", "get", "west", allowed=True)
    assert set(mine.permissions()) == {deny, get, promote, west}
    assert set(mine.permissions("east", "pay")) == {deny, get}
    assert set(mine.permissions("west")) == {deny, west}
    assert set(mine.permissions(namespace="shop")) == {get, promote, west}
    assert rights(csv, Viewer("bob")).permissions() == ()


def test_tells_what_a_project_says_for_its_applications_alone() -> None:
    own = "p, dev, applications, sync, mine/*, allow"
    mine = argocd(
        "p, dev, applications, get, */*, allow\ng, dev, role:none",
        Viewer("alice", ("dev",)),
        Owned(),
        {"mine": own},
    )
    get = Permission("applications", "get", "*/*", allowed=True)
    sync = Permission("applications", "sync", "mine/*", allowed=True, project="mine")
    assert list(mine.permissions()) == [get, sync]
    assert list(mine.permissions("east", "shop")) == [get, sync]
