from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rollgraph.server import cli
from rollgraph.server.settings import every

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: secret}}]
contexts:
- {name: eu, context: {cluster: c, user: u}}
- {name: us, context: {cluster: c, user: u}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for setting in every():
        monkeypatch.delenv(setting.env, raising=False)
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG, "utf-8")
    return path


def run(*argv: str) -> int:
    # In a thread of its own: a loop that ends would take away that of pytest-asyncio.
    try:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(cli.main, argv).result()
    except SystemExit as stop:  # argparse
        return int(stop.code or 0)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("rollgraph 0.")


@pytest.mark.parametrize("argv", [(), ("schema",), ("config",), ("nope",), ("serve", "--nope")])
def test_misuse(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*argv) == 2
    assert "usage: rollgraph" in capsys.readouterr().err


def test_help_tells_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("serve", "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    for setting in every():
        assert f"{setting.flag} {setting.value}" in text
        assert f"[{setting.env}]" in text


def test_schema_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", "print") == 0
    sdl = capsys.readouterr().out
    assert "type Query {" in sdl
    assert sdl.endswith("}\n")


def test_config_check_names_the_clusters(
    kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("config", "check", "--kubeconfig", str(kubeconfig)) == 0
    assert capsys.readouterr().out == "2 clusters: eu, us\n"
    assert run("config", "check", "--kubeconfig", str(kubeconfig), "--context", "us") == 0
    assert capsys.readouterr().out == "1 cluster: us\n"


def test_config_check_uses_what_kubectl_uses(
    kubeconfig: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", f":{kubeconfig}:")
    assert run("config", "check") == 0
    assert capsys.readouterr().out == "2 clusters: eu, us\n"
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(kubeconfig.parent))
    assert run("config", "check") == 2
    assert f"{kubeconfig.parent}/.kube/config" in capsys.readouterr().err


def test_config_check_reads_the_policy(
    kubeconfig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.csv"
    oidc = ("--auth", "oidc", "--oidc-issuer", "https://idp.example.com", "--oidc-audience", "x")
    flags = ("--kubeconfig", str(kubeconfig), *oidc, "--policy", str(policy))
    policy.write_text("p, alice, rollouts, get, *, allow\n")
    assert run("config", "check", *flags) == 0
    policy.write_text("p, alice, rollouts, get, *\n")
    assert run("config", "check", *flags) == 2
    assert f"rollgraph: {policy}:1: expected 6 fields" in capsys.readouterr().err


def test_config_check_of_a_kubeconfig_without_contexts(
    kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig.write_text("apiVersion: v1\nkind: Config\n", "utf-8")
    assert run("config", "check", "--kubeconfig", str(kubeconfig)) == 0
    assert capsys.readouterr().out == "no clusters\n"


def test_every_problem_has_a_line(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "check", "--port", "x", "--stale-after", "1") == 2
    first, second, hint = capsys.readouterr().err.splitlines()
    assert first.startswith("rollgraph: --port: http.port: expected a valid integer")
    assert second.startswith("rollgraph: --stale-after: spokes.stale_after: expected a number")
    assert hint == "rollgraph: `rollgraph serve --help` lists all settings"


def test_a_switch_has_two_flags_and_no_value() -> None:
    parse = cli.parser().parse_args
    assert vars(parse(["serve"]))["http.graphiql"] is None
    assert vars(parse(["serve", "--graphiql"]))["http.graphiql"] is True
    assert vars(parse(["serve", "--no-graphiql"]))["http.graphiql"] is False
    assert run("serve", "--graphiql=no") == 2


def test_config_file(kubeconfig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rollgraph.yaml"
    file.write_text(f"spokes: {{kubeconfig: [{kubeconfig}], contexts: [eu]}}", "utf-8")
    assert run("config", "check", "--config", str(file)) == 0
    assert capsys.readouterr().out == "1 cluster: eu\n"


def test_config_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "reference") == 0
    text = capsys.readouterr().out
    for setting in every():
        assert f"### {setting.path}\n" in text


def test_the_doctor_refuses_what_a_server_does(
    kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--kubeconfig", str(kubeconfig), "--trusted-documents", str(kubeconfig))
    assert run("doctor", *flags) == run("config", "check", *flags) == 2
    first, second = (line for line in capsys.readouterr().err.splitlines() if "document" in line)
    assert first == second
