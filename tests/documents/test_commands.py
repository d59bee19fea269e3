"""Every command of the documents does what it is there for, typed as it stands there."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from documents.bench import Bench, bench
from documents.shell import DOCUMENTS, ROOT, bodies, commands, shown

T = TypeVar("T")

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(300)]

# What is not run here: why not, and which tests do it, or come as near as can be.
ELSEWHERE = {
    r"scripts/(install\S*|check|test|charts)\b": ("sets up and tests this tree", ".ci/run"),
    r"scripts/testbed up": ("starts control planes", "tests/acceptance/test_testbed.py"),
    r"uv run pytest": ("is what runs this", ".ci/run"),
    r"uv run examples/|examples/": ("is run there", "tests/examples/test_commands.py"),
    r"helm install": ("wants a cluster that runs pods", "tests/deploy/test_pages.py"),
    r"kubectl .*(apply --filename|apply -f|get secret)": (
        "wants a real API server",
        "tests/acceptance/test_granted.py",
    ),
    r"kubectl .* config": ("writes what the bench has", "tests/acceptance/test_granted.py"),
    r"kubectl .*create (secret|namespace)|kubectl create namespace|kubectl apply --server-side": (
        "wants a real API server",
        "tests/acceptance/test_charts.py",
    ),
    r"kubectl create (token|clusterrole)": (
        "wants a real API server",
        "tests/acceptance/test_service_accounts.py",
    ),
    r"kubectl get configmap/argocd-rbac-cm": (
        "wants an Argo CD",
        "tests/acceptance/test_argocd_permissions.py",
    ),
    r".*--argocd-namespace": ("wants an Argo CD", "tests/acceptance/test_argocd.py"),
    r"rollgraph serve --auth oidc": (
        "wants a provider of logins",
        "tests/integration/server/test_policy_reload.py",
    ),
    r"rollgraph (login|logout)": (
        "wants a provider and a person",
        "tests/integration/login/test_command_line.py",
    ),
    r"rollgraph gateway .*--session-secret-file": (
        "wants a provider of logins",
        "tests/integration/login/test_two_gateways.py",
    ),
    r"curl https://": ("asks a server that has a name", "tests/integration/login/test_provider.py"),
}
# What goes on until it is told to end: the sign that it does what it should, and its status then.
LASTING = {
    r"rollgraph (serve|worker|gateway|demo)\b": (r"\b(serving|working)\b", {0, 130}),
    r"rollgraph watch (?!.*--until)": (r"checkout", {130}),
    r"curl --no-buffer": (r"SNAPSHOT", {-2}),
}
# What else than 0 a command may end with, for it tells something by that.
STATUSES = {
    r"rollgraph watch .*--until": {0, 124},
    r"rollgraph policy (can|lint)": {0, 1},
}
SHOWN = [document for document in DOCUMENTS if list(shown(document))]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as made:
        yield made


@pytest.fixture(scope="module")
def done() -> set[str]:
    """The commands that were run: one that several pages show is run once."""
    return set()


@pytest.mark.parametrize("document", SHOWN, ids=lambda found: str(found.relative_to(ROOT)))
def test_commands_do_what_they_say(document: Path, place: Bench, done: set[str]) -> None:
    for body in bodies(document):
        place.send(body)
    for command in shown(document):
        text = place.here(command)
        if found(ELSEWHERE, command) or text in done:
            continue
        done.add(text)
        if lasting := found(LASTING, text):
            sign, statuses = lasting
            said, status = place.begin(command, sign)
            assert re.search(sign, said), f"{text}\n{said}"
            assert status in statuses, f"{text}\n{said}"
        else:
            ended = place.run(command)
            allowed = found(STATUSES, text) or {0}
            assert ended.returncode in allowed, f"{text}\n{ended.stdout}{ended.stderr}"
            assert '"errors"' not in ended.stdout, f"{text}\n{ended.stdout}"


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_what_is_not_run_here_is_still_shown_and_is_run_there(pattern: str) -> None:
    assert any(re.match(pattern, each) for document in SHOWN for each in shown(document))
    _, there = ELSEWHERE[pattern]
    assert (ROOT / there).is_file()


def test_commands_are_taken_whole() -> None:
    block = "# a comment's\ncurl \\\n  -s x\nrollgraph query '{\n  a }' | cat # that's it\n\nls\n"
    assert list(commands(block)) == [
        "curl \\\n  -s x",
        "rollgraph query '{\n  a }' | cat # that's it",
        "ls",
    ]
    with pytest.raises(ValueError, match=r"^no end: echo 'x$"):
        list(commands("echo 'x\n"))


def found(rules: Mapping[str, T], command: str) -> T | None:
    """What the first rule says that is about this command."""
    return next((each for pattern, each in rules.items() if re.match(pattern, command)), None)
