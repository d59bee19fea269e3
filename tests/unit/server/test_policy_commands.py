"""`rollgraph policy` answers with yes or no, the line that decided, and a status."""

from pathlib import Path

import pytest

from rollgraph.server.cli import main

POLICY = """\
p, role:dev, rollouts, "{promote,abort}", east/*, allow
p, frozen, rollouts, *, */shop/*, deny
g, devs, role:dev
"""
CONFIG_MAP = """\
apiVersion: v1
kind: List
items:
- kind: ConfigMap
  metadata: {name: argocd-rbac-cm}
  data:
    policy.default: role:readonly
    policy.csv: |
      p, role:team-my-team, applications, action/argoproj.io/Rollout/*, my-project/*, allow
    policy.more.csv: |
      g, my-team, role:team-my-team
- kind: AppProject
  metadata: {name: shop}
  spec:
    roles:
    - name: ci
      policies: ["p, proj:shop:ci, applications, action/*, shop/*, allow"]
      groups: [ci]
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "policy.csv"
    path.write_text(POLICY, "utf-8")
    return str(path)


@pytest.fixture
def config_map(tmp_path: Path) -> str:
    path = tmp_path / "rbac.yaml"
    path.write_text(CONFIG_MAP, "utf-8")
    return str(path)


def can(*arguments: str) -> int:
    return main(["policy", "can", *arguments])


def test_yes_is_status_0_and_names_the_line_and_the_way(
    policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert can("alice", "promote", "east/shop/web", "--group", "devs", "--policy", policy) == 0
    assert capsys.readouterr().out.splitlines() == [
        f'yes: {policy}:1: p, role:dev, rollouts, "{{promote,abort}}", east/*, allow',
        "by way of devs -> role:dev",
    ]


def test_no_is_status_1_and_names_the_line_that_denies(
    policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = ("--group", "devs", "--group", "frozen")
    assert can("alice", "promote", "east/shop/web", *groups, "--policy", policy) == 1
    said = capsys.readouterr().out
    assert said == f"no: {policy}:2: p, frozen, rollouts, *, */shop/*, deny\n"


def test_no_line_at_all_is_said_so(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert can("alice", "promote", "east/shop/web", "--policy", policy) == 1
    said = capsys.readouterr().out
    assert said == "no: nothing in the policy gives alice rollouts, promote, east/shop/web\n"


def test_what_everybody_has_is_said_so(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--policy", policy, "--default-role", "role:readonly")
    assert can("alice", "get", "west/pay/api", *flags) == 0
    assert capsys.readouterr().out.endswith("by the default role role:readonly\n")


def test_a_broken_policy_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("p, alice, rollouts, get, *\n", "utf-8")
    assert can("alice", "get", "a/b/c", "--policy", str(path)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"rollgraph: {path}:1: expected 6 fields" in err


def test_without_a_policy_it_asks_for_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROLLGRAPH_POLICY__FILES", raising=False)
    assert can("alice", "get", "a/b/c") == 2
    assert "which policy? --policy FILE" in capsys.readouterr().err


def test_the_policy_of_the_settings_is_the_default(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLGRAPH_POLICY__FILES", policy)
    assert can("devs", "abort", "east/shop/web") == 0


def test_our_verbs_are_asked_as_argo_cd_s_actions(
    config_map: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("promote", "my-project/checkout", "--argocd", config_map)
    assert can("alice", *asked, "--group", "my-team") == 0
    assert "ConfigMap argocd-rbac-cm: policy.csv:1: p, role:team" in capsys.readouterr().out
    assert can("alice", *asked) == 1
    assert "action/argoproj.io/Rollout/resume" in capsys.readouterr().out
    assert can("alice", "get", "my-project/checkout", "--argocd", config_map) == 0
    assert can("bot", "abort", "shop/web", "--group", "ci", "--argocd", config_map) == 0
    assert can("bot", "abort", "my-project/web", "--group", "ci", "--argocd", config_map) == 1
    assert can("bot", "promote", "a/b/c", "--resource", "rollouts", "--argocd", config_map) == 1


def test_lint_is_status_0_for_a_policy_without_oddities(policy: str, config_map: str) -> None:
    assert main(["policy", "lint", policy]) == 0
    assert main(["policy", "lint", config_map]) == 0


def test_lint_tells_each_oddity_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rbac.csv"
    path.write_text("p, a, applications, action/*, my-project, allow\n", "utf-8")
    assert main(["policy", "lint", str(path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{path}:1: object 'my-project' matches none")


def test_lint_reads_regular_expressions_if_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rbac.csv"
    path.write_text("p, a, ^applications$, ^get$, shop/app, allow\n", "utf-8")
    assert main(["policy", "lint", str(path), "--match-mode", "regex"]) == 1
    assert "matches any text that has it somewhere" in capsys.readouterr().out
    assert main(["policy", "lint", str(path), "--match-mode", "fnmatch"]) == 2
    assert "--policy-match-mode: policy.match_mode: expected" in capsys.readouterr().err


def test_lint_of_what_is_no_policy_is_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "lint", str(tmp_path / "none.csv")]) == 2
    assert "none.csv: No such file or directory" in capsys.readouterr().err
    path = tmp_path / "other.yaml"
    path.write_text("kind: Deployment\nmetadata: {name: x}\n", "utf-8")
    assert main(["policy", "lint", str(path)]) == 2
    assert "expected one ConfigMap, argocd-rbac-cm; got 0" in capsys.readouterr().err
