"""The policy in force: read, replaced when its source changes, and never by a broken one."""

from collections.abc import Mapping

import anyio
import structlog

from rollgraph.access.rights import PolicyRights
from rollgraph.core.errors import ConfigError, PolicyError
from rollgraph.core.rbac.patterns import Patterns
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import MatchMode, PolicyText
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Ownership, PolicySource

# Seconds until a source that could not be opened is tried again; meanwhile the last policy holds.
REOPEN_EVERY = 10.0

# Nobody may do anything.
_NOTHING = PolicyText((), builtin=False)

_log = structlog.get_logger(__name__)


class Access:
    """Who may see and do what.

    Until it is given a policy nobody may do anything.

    Args:
        patterns: How the patterns of each match mode are read.
        ownership: Who owns which rollout, where Argo CD's policies are used.

    Attributes:
        version: Grows with each policy that is taken.
        problem: Why the newest policy of the source was not taken and an older one is in force; ""
            if it was.
    """

    def __init__(
        self, patterns: Mapping[MatchMode, Patterns], ownership: Ownership | None = None
    ) -> None:
        self._patterns = patterns
        self._ownership = ownership
        self._policies = PolicySet(_NOTHING, patterns[_NOTHING.match_mode])
        self.version = 0
        self.problem = ""

    @property
    def text(self) -> PolicyText:
        """The policy in force."""
        return self._policies.text

    def rights(self, viewer: Viewer) -> PolicyRights:
        """What a viewer may see and do now; a request keeps what it got, whatever changes."""
        return PolicyRights(viewer, self._policies, self.version, self._ownership)

    def take(self, text: PolicyText) -> None:
        """Puts a policy in force.

        Raises `PolicyError` if it is wrong; then the one that was in force stays.
        """
        if self.version and text == self.text:
            self.problem = ""
            return
        policies = PolicySet(text, self._patterns[text.match_mode])
        self._policies = policies
        self.version += 1
        self.problem = ""
        rules = policies.rulebook.policy.rules
        _log.info("policy_taken", version=self.version, rules=len(rules), dialect=text.dialect)
        for warning in policies.warnings:
            _log.warning("policy_line_ignored", problem=warning)

    async def follow(self, source: PolicySource) -> None:
        """Takes every policy of a source, until cancelled; what is wrong is logged and left."""
        while True:
            try:
                async with source.watch() as texts:
                    async for text in texts:
                        self._try(text)
            except ConfigError as error:
                self._refuse(error)
            await anyio.sleep(REOPEN_EVERY)

    def _try(self, text: PolicyText) -> None:
        try:
            self.take(text)
        except PolicyError as error:
            self._refuse(error)

    def _refuse(self, error: ConfigError) -> None:
        self.problem = str(error)
        _log.error(
            "policy_broken",
            problems=self.problem.splitlines(),
            in_force=f"the last good policy, version {self.version}",
        )
