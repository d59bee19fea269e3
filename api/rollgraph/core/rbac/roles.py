"""Who has which roles: grants, followed from role to role."""

from collections.abc import Iterable, Mapping, Sequence

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

    def held_by(self, names: Iterable[str]) -> Sequence[str]:
        """The names themselves and every role that one of them has, each once."""
        held = dict.fromkeys(names)
        edge = list(held)
        for _ in range(MAX_LINKS):
            edge = [role for name in edge for role in self._given.get(name, ()) if role not in held]
            edge = list(dict.fromkeys(edge))
            held |= dict.fromkeys(edge)
        return tuple(held)
