"""How long it takes to find what a user may see, beside casbin.

    uv run python benchmarks/rbac.py

A fleet of 10,000 rollouts and a policy of 2,000 lines, of which 500 are about the user by way of
roles and groups. Prints one JSON line per figure: `aim` is what we want at most, in the figure's
unit; `against` is what casbin takes for the same question, found from a few hundred rollouts, and
`ratio` is that divided by ours.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from factories import rollout_view
from rollgraph.access.rights import PolicyRights
from rollgraph.adapters.casbin import CasbinEnforcer
from rollgraph.adapters.re2 import patterns
from rollgraph.core.application import Application
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer

ROLLOUTS = 10_000
POLICIES = 500
OTHERS = 1_500
# Rollouts that casbin is asked about: it takes milliseconds for each.
JUDGED = 200
RUNS = 7

CLUSTERS = [
    f"{stage}-{place}" for stage in ("prod", "stage", "dev") for place in ("eu", "us", "ap")
]
SHAPES = [
    "{cluster}/{team}/*", "*/{team}-*/*", "{stage}-*/{team}/{app}-*",
    "{cluster}/{team}/{app}-[0-4]", "{{prod,stage}}-*/{team}/{app}-?", "*/{team}/{app}-canary",
]  # fmt: skip
VIEWER = Viewer("alice", ("team-a", "team-b"))


class Owned:
    """An Argo CD that owns every rollout: the application has the rollout's name."""

    version = 1

    def application(self, view: RolloutView) -> Application:
        return Application(view.ref.namespace, view.ref.name)


def main() -> None:
    """Runs everything."""
    chance = random.Random(2026)
    views = [
        rollout_view(f"{chance.choice(CLUSTERS)}/team{chance.randrange(300)}/app{n}-{n % 9}")
        for n in range(ROLLOUTS)
    ]
    for mode in MatchMode:
        aim = 20 if mode is MatchMode.GLOB else None
        compare(ours(chance, mode), views, f"policy of ours, {mode}", aim)
    compare(argocd(chance), views, "policy of Argo CD, glob, all owned", aim=None)


def ours(chance: random.Random, mode: MatchMode) -> PolicyText:
    """500 lines about the user and 1,500 about others; one in ten denies."""
    lines = [f"g, team-{letter}, role:{letter}" for letter in "ab"]
    subjects = islice(cycle(["alice", "role:a", "role:b"]), POLICIES)
    others = (f"role:other{number % 100}" for number in range(OTHERS))
    for number, subject in enumerate([*subjects, *others]):
        glob = _glob(chance, number)
        pattern = f'"{glob}"' if mode is MatchMode.GLOB else _regex(glob)
        effect = "deny" if number % 10 == 9 else "allow"
        action = "get" if mode is MatchMode.REGEX else "{get,watch}"
        lines.append(f'p, {subject}, rollouts, "{action}", {pattern}, {effect}')
    return PolicyText((PolicyDocument("policy.csv", "\n".join(lines)),), match_mode=mode)


def argocd(chance: random.Random) -> PolicyText:
    """As many lines in Argo CD's words."""
    lines = [f"g, team-{letter}, role:{letter}" for letter in "ab"]
    subjects = islice(cycle(["alice", "role:a", "role:b"]), POLICIES)
    others = (f"role:other{number % 100}" for number in range(OTHERS))
    for number, subject in enumerate([*subjects, *others]):
        project = f"team{chance.randrange(300)}"
        object_ = f"{project}/*" if number % 2 else f"{project}/app{chance.randrange(100)}*"
        effect = "deny" if number % 10 == 9 else "allow"
        lines.append(f"p, {subject}, applications, get, {object_}, {effect}")
    return PolicyText((PolicyDocument("policy.csv", "\n".join(lines)),), Dialect.ARGOCD)


def compare(text: PolicyText, views: list[RolloutView], title: str, aim: float | None) -> None:
    """One policy: read, compiled, asked, and judged by casbin."""
    began = time.perf_counter()
    policies = PolicySet(text, patterns(text))
    figure(f"{title}: reading 2,000 lines", milliseconds(began), None, None)
    began = time.perf_counter()
    rights = PolicyRights(VIEWER, policies, 1, Owned())
    rights.sees(views[0])
    figure(f"{title}: compiling the user's {POLICIES}", milliseconds(began), None, None)
    seen = [view for view in views if rights.sees(view)]
    taken = min(timed(lambda: [view for view in views if rights.sees(view)]) for _ in range(RUNS))
    judged, each = judge(text, views)
    for view, allowed in judged:
        assert rights.sees(view) is allowed, view.ref
    name = f"{title}: filter of {ROLLOUTS:,}, {len(seen):,} seen"
    figure(name, taken, aim, each * ROLLOUTS)


def judge(
    text: PolicyText, views: list[RolloutView]
) -> tuple[list[tuple[RolloutView, bool]], float]:
    """What casbin says of some rollouts, and the milliseconds it takes for one."""
    casbin = CasbinEnforcer(text, patterns(text))
    names = [VIEWER.subject, *VIEWER.groups]

    def ask(view: RolloutView) -> bool:
        if text.dialect is Dialect.ARGOCD:
            return casbin.allows(names, "applications", "get", str(Owned().application(view)))
        return casbin.allows(names, "rollouts", "get", str(view.ref))

    ask(views[0])  # it reads the policy at its first question
    some = views[:: ROLLOUTS // JUDGED]
    began = time.perf_counter()
    answers = [(view, ask(view)) for view in some]
    return answers, milliseconds(began) / len(some)


def _glob(chance: random.Random, number: int) -> str:
    stage, place = chance.choice(["prod", "stage", "dev"]), chance.choice(["eu", "us", "ap"])
    return SHAPES[number % len(SHAPES)].format(
        cluster=f"{stage}-{place}",
        stage=stage,
        team=f"team{chance.randrange(300)}",
        app=f"app{chance.randrange(ROLLOUTS)}",
    )


def _regex(glob: str) -> str:
    plain = glob.replace("{prod,stage}", "(prod|stage)").replace("?", ".")
    return plain.replace("*", ".*")


def timed(run: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    run()
    return milliseconds(began)


def milliseconds(began: float) -> float:
    """Since a moment."""
    return (time.perf_counter() - began) * 1000


def figure(name: str, value: float, aim: float | None, casbin: float | None) -> None:
    """Prints one figure."""
    line = {
        "figure": name,
        "value": round(value, 1),
        "unit": "ms",
        "aim": aim,
        "against": f"casbin: {casbin:.0f}" if casbin is not None else None,
        "ratio": round(casbin / value) if casbin is not None else None,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
