"""Who has which roles: grants, followed from role to role."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from rollgraph.core.rbac.policy import Grant

# casbin follows so many grants in a row, and so does Argo CD; what lies behind counts for nobody.
MAX_LINKS = 10


class Roles:
    """The roles of users, groups and roles.

    Args:
        grants: In any order; circles are allowed.
    """

    def __init__(self, grants: Iterable[Grant]) -> None:
        given: dict[str, dict[str, None]] = {}
        for grant in grants:
            given.setdefault(grant.member, {})[grant.role] = None
        self._given: Mapping[str, Sequence[str]] = {name: tuple(given[name]) for name in given}

    def __contains__(self, member: str) -> bool:
        """Whether anything is granted to that user, group or role itself."""
        return member in self._given

    def held_by(self, names: Iterable[str]) -> Collection[str]:
        """The names themselves and every role that one of them has, each once."""
        return self._reached(names).keys()

    def path(self, names: Iterable[str], role: str) -> tuple[str, ...]:
        """From one of some names to a role that it has, both included; () if none has it."""
        reached = self._reached(names)
        path: list[str] = []
        step: str | None = role if role in reached else None
        while step is not None:
            path.append(step)
            step = reached[step]
        return tuple(reversed(path))

    def _reached(self, names: Iterable[str]) -> dict[str, str | None]:
        """Each name that is reached, and the one before it on the shortest way."""
        reached: dict[str, str | None] = dict.fromkeys(names)
        edge = list(reached)
        for _ in range(MAX_LINKS):
            further: list[str] = []
            for name in edge:
                for role in self._given.get(name, ()):
                    if role not in reached:
                        reached[role] = name
                        further.append(role)
            edge = further
        return reached
