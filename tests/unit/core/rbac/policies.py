"""Random policies and questions, in the words of both dialects."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText

PEOPLE = ["alice", "bob", "nobody"]
GROUPS = ["dev", "ops", "contractors"]
ROLES = ["role:a", "role:b", "role:c", "role:readonly", "role:admin"]

OURS = {
    "resource": [
        "rollouts",
        "rollouts",
        "rollouts",
        "*",
        "clusters",
        "audit",
        "r*",
        "{rollouts,audit}",
    ],
    "action": ["get", "promote", "promote*", "*", "abort", "{promote,abort}", "[!a]*", "p?use"],
    "object": [
        "*",
        "east/*",
        "*/shop/*",
        "east/shop/web",
        "{east,west}/pay/*",
        "*/web-[0-4]",
        "east/*/*-canary",
        "e?st/shop/*",
        "[!w]*/pay/*",
        "*/*/*",
        "a,b/*",
        r"we\st/*",
        "*/s*/w*b",
        "**/api",
        "*w*e*b*",
    ],
}
ARGOCD = {
    "resource": ["applications", "applications", "*", "app*", "rollouts"],
    "action": [
        "get",
        "*",
        "action/*",
        "action",
        "action/argoproj.io/Rollout/*",
        "action/argoproj.io/Rollout/{resume,abort}",
        "action/*/Rollout/res?me",
    ],
    "object": [
        "*",
        "*/*",
        "shop/*",
        "shop",
        "{shop,pay}/*",
        "shop/app-[0-4]",
        "*/team/*",
        "shop/*/web",
        "pay/app-?",
        "[a-c-e]",
        "{",
        "shop-eu/*",
    ],
}
REGEXES = {
    "resource": ["applications", ".*", "app", "^rollouts$", "(", "applications|rollouts"],
    "action": ["get", ".*", "^action/.*", "Rollout/(resume|abort)$", "*"],
    "object": [".*", "^shop/", "shop/app-[0-4]", "(shop|pay)/", "*/*", "web$", "a{2", "^$|pay"],
}
OUR_REGEXES = {
    "resource": ["rollouts", ".*", "rollouts|audit"],
    "action": ["get", ".*", "promote(-full)?", "[^a].*"],
    "object": [".*", "east/.*", "[^/]+/shop/.*", "east/shop/web", "(east|west)/pay/.*", ".*web$"],
}

QUESTIONS = {
    Dialect.ROLLGRAPH: {
        "resource": ["rollouts", "rollouts", "rollouts", "clusters", "audit"],
        "action": ["get", "promote", "promote-full", "abort", "pause"],
        "object": ["east/shop/web", "east/shop/api", "west/pay/web-3", "west/pay/web-7",
                   "east/pay/web-canary", "east", "*", "a,b/c/d", "a/b/web", "west/shop/we\nb"],
    },
    Dialect.ARGOCD: {
        "resource": ["applications", "applications", "rollouts"],
        "action": ["get", "action/argoproj.io/Rollout/resume", "action/argoproj.io/Rollout/abort",
                   "action/argoproj.io/Rollout/retry"],
        "object": ["shop/app-1", "shop/app-7", "pay/app-x", "shop/web", "pay/team/web",
                   "shop-eu/web", "other/x", "myshop/app-2", "east/shop/web"],
    },
}  # fmt: skip


def words(dialect: Dialect, mode: MatchMode) -> dict[str, list[str]]:
    """The patterns to choose from."""
    if dialect is Dialect.ROLLGRAPH:
        return OURS if mode is MatchMode.GLOB else OUR_REGEXES
    return ARGOCD if mode is MatchMode.GLOB else REGEXES


def texts(dialect: Dialect, mode: MatchMode) -> st.SearchStrategy[PolicyText]:
    """Policies with nested roles and circles, denies, a default role, quoted braces, projects."""
    return st.integers(0, 2**32).map(lambda seed: random_text(Random(seed), dialect, mode))


def random_text(random: Random, dialect: Dialect, mode: MatchMode) -> PolicyText:
    """One such policy."""
    # Roles of ours have to be known: this line is about nobody.
    known = [f"g, {role}, role:readonly" for role in ROLES] if dialect is Dialect.ROLLGRAPH else []
    lines = [*known, *_lines(random, dialect, mode, random.randint(0, 14))]
    projects = {}
    if dialect is Dialect.ARGOCD:
        for name in random.sample(["shop", "pay"], random.randint(0, 2)):
            csv = "\n".join(_lines(random, dialect, mode, random.randint(1, 4)))
            projects[name] = PolicyDocument(name, csv)
    return PolicyText(
        (PolicyDocument("policy.csv", "\n".join(lines)),),
        dialect,
        random.choice(["", "", *ROLES]),
        mode,
        builtin=dialect is Dialect.ROLLGRAPH or random.random() < 0.5,
        projects=projects,
    )


def random_question(random: Random, dialect: Dialect) -> tuple[Sequence[str], str, str, str]:
    """The names of a user, a resource, an action and an object."""
    names = [random.choice([*PEOPLE, *GROUPS]), *random.sample(GROUPS, random.randint(0, 3))]
    asked = QUESTIONS[dialect]
    resource, action, object_ = (random.choice(asked[word]) for word in asked)
    return names, resource, action, object_


def _lines(random: Random, dialect: Dialect, mode: MatchMode, rules: int) -> list[str]:
    choice = words(dialect, mode)
    lines = []
    for _ in range(rules):
        effects = ["allow", "allow", "deny"]
        if dialect is Dialect.ARGOCD:
            effects.append("Allow")
        said = [random.choice([*PEOPLE, *GROUPS, *ROLES])]
        resource = random.choice(choice["resource"])
        action = random.choice(choice["action"])
        if dialect is Dialect.ROLLGRAPH and resource in {"clusters", "audit"}:
            action = "get"
        said += [resource, action, random.choice(choice["object"]), random.choice(effects)]
        lines.append("p, " + ", ".join(f'"{word}"' if "," in word else word for word in said))
    for _ in range(random.randint(0, 6)):
        member = random.choice([*PEOPLE, *GROUPS, *ROLES])
        lines.append(f"g, {member}, {random.choice(ROLES)}")
    return lines
