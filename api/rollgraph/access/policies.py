"""The policy in force: read, replaced when its source changes, and never by a broken one."""

from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread
import structlog

from rollgraph.access.rights import PolicyRights
from rollgraph.core.audit import GATEWAY, AuditEntry, Deed, Result
from rollgraph.core.errors import ConfigError, PolicyError
from rollgraph.core.rbac.patterns import Patterns
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, PolicyText
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Ownership, PolicyObserver, PolicySource

# Seconds until a source that could not be opened is tried again; meanwhile the last policy holds.
REOPEN_EVERY = 10.0

# Nobody may do anything.
_NOTHING = PolicyText((), builtin=False)

_log = structlog.get_logger(__name__)


class Access:
    """Who may see and do what.

    Until it has read a policy nobody may do anything.

    Args:
        source: Where the policy comes from.
        patterns: How the patterns of a policy are read.
        ownership: Who owns which rollout, where Argo CD's policies are used.
        record: Tells the audit; never waits, never raises.
        observer: Hears what it costs to decide.

    Attributes:
        version: Grows with each policy that is taken.
        problem: Why the newest policy was not taken, so that an older one is in force; "" if it
            was.
    """

    def __init__(
        self,
        source: PolicySource,
        patterns: Callable[[PolicyText], Patterns],
        ownership: Ownership | None = None,
        record: Callable[[AuditEntry], object] = lambda _: None,
        observer: PolicyObserver | None = None,
    ) -> None:
        self._observer = observer
        self._source = source
        self._patterns = patterns
        self._ownership = ownership
        self._record = record
        self._policies = PolicySet(_NOTHING, patterns(_NOTHING))
        self.version = 0
        self.problem = ""

    @property
    def text(self) -> PolicyText:
        """The policy in force."""
        return self._policies.text

    @property
    def stamp(self) -> tuple[int, int]:
        """See `ports.Authority`."""
        return self.version, self._ownership.version if self._ownership is not None else 0

    def rights(self, viewer: Viewer) -> PolicyRights:
        """What a viewer may see and do now; a request keeps what it got, whatever changes."""
        return PolicyRights(viewer, self._policies, self.version, self._ownership, self._observer)

    async def load(self) -> None:
        """Reads the policy once.

        Raises `ConfigError` if that cannot be done, or if a policy of ours is wrong: whoever wrote
        it is there to mend it. What is wrong in Argo CD is logged, and nobody may do anything until
        it is mended there: its policy is not ours to start or end a process with.
        """
        async with self._source.watch() as texts:
            async for text in texts:
                if text.dialect is Dialect.ARGOCD:
                    await self._try(text)
                else:
                    await self._take(text)
                return

    async def run(self) -> None:
        """Takes every policy that comes, until cancelled; what is wrong is logged and left."""
        while True:
            try:
                async with self._source.watch() as texts:
                    async for text in texts:
                        await self._try(text)
            except ConfigError as error:
                self._refuse(error)
            await anyio.sleep(REOPEN_EVERY)

    async def _try(self, text: PolicyText) -> None:
        try:
            await self._take(text)
        except PolicyError as error:
            self._refuse(error)

    async def _take(self, text: PolicyText) -> None:
        if not self.version or text != self.text:
            # Some 0.1 ms a line: queries get their turn meanwhile.
            read = partial(PolicySet, text, self._patterns(text))
            self._policies = await anyio.to_thread.run_sync(read)
            self.version += 1
            self._tell()
        self.problem = ""

    def _tell(self) -> None:
        text, policy = self.text, self._policies.rulebook.policy
        _log.info("policy_taken", version=self.version, rules=len(policy.rules))
        told = f"version {self.version} with {len(policy.rules)} rules is in force"
        self._tell_audit(Result.APPLIED, told)
        for warning in self._policies.warnings:
            _log.warning("policy_line_ignored", problem=warning)
        if not text.default_role and not any(document.csv.strip() for document in text.documents):
            _log.warning(
                "no_policy",
                reason="nobody may see or do anything: write a policy and name it with --policy,"
                " or let everybody read with --policy-default role:readonly",
            )

    def _refuse(self, error: ConfigError) -> None:
        if self.problem != str(error):
            self._tell_audit(Result.FAILED, str(error))
        self.problem = str(error)
        _log.error(
            "policy_broken",
            problems=self.problem.splitlines(),
            in_force=f"the last good policy, version {self.version}" if self.version else "none",
        )

    def _tell_audit(self, result: Result, message: str) -> None:
        self._record(AuditEntry(viewer=GATEWAY, verb=Deed.POLICY, result=result, message=message))
