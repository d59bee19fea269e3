"""What is wrong with a cluster."""

from collections.abc import Sequence

import anyio

from rollgraph.core import diagnosis
from rollgraph.core.diagnosis import Finding, Right, Verdict
from rollgraph.core.errors import (
    ForbiddenError,
    NotInstalledError,
    RollgraphError,
    UnreachableError,
)
from rollgraph.core.identity import IdentityMode
from rollgraph.core.refs import Kind
from rollgraph.core.spokerights import Wanted, manifests
from rollgraph.ports import AccessQuestion, Clock, ListWatch, Patcher, Spoke

# Seconds for all of one cluster: some 25 short requests.
WITHIN = 20.0
# Clusters that are looked at side by side.
AT_ONCE = 16

_DEFINED = (Kind.ROLLOUT, Kind.ANALYSIS_RUN, Kind.EXPERIMENT)


async def examine(
    spokes: Sequence[Spoke], usual: IdentityMode, clock: Clock
) -> dict[str, list[Finding]]:
    """What was found about each cluster, by its name.

    Args:
        usual: As whom actions are carried out where a cluster's entry does not say.
    """
    found: dict[str, list[Finding]] = {spoke.name: [] for spoke in spokes}
    places = anyio.CapacityLimiter(AT_ONCE)

    async def one(spoke: Spoke) -> None:
        visit = _Visit(spoke, spoke.identity or usual, clock, found[spoke.name])
        async with places:
            try:
                with anyio.fail_after(WITHIN):
                    await visit.run()
            except RollgraphError as error:
                visit.trouble(error)
            except TimeoutError:
                visit.trouble(UnreachableError(f"not examined within {WITHIN:g} s"))

    async with anyio.create_task_group() as tasks:
        for spoke in spokes:
            tasks.start_soon(one, spoke)
    return found


class _Visit:
    """One cluster, one question after the other; what was found before one fails stays.

    Args:
        found: Where findings go.
    """

    def __init__(
        self, spoke: Spoke, identity: IdentityMode, clock: Clock, found: list[Finding]
    ) -> None:
        self._spoke = spoke
        self._identity = identity
        self._clock = clock
        self._found = found
        self._subject = f"cluster {spoke.name}"

    async def run(self) -> None:
        """Asks for all. Raises what opening it and the first questions raise."""
        listwatch = await self._spoke.open()
        try:
            await self._server(listwatch)
            await self._time(listwatch)
            await self._kinds(listwatch)
        finally:
            await listwatch.close()
        if self._spoke.open_patcher is not None:
            patcher = await self._spoke.open_patcher()
            try:
                await self._rights(patcher)
            finally:
                await patcher.close()

    def trouble(self, error: RollgraphError) -> None:
        """Notes an error."""
        self._found.append(diagnosis.trouble(self._subject, error))

    def _good(self, said: str) -> None:
        self._found.append(Finding(self._subject, Verdict.GOOD, said))

    async def _server(self, listwatch: ListWatch) -> None:
        versions = await listwatch.versions()
        rollouts = versions.argo_rollouts or "of a version that is not to be seen"
        self._good(f"Kubernetes {versions.kubernetes}, Argo Rollouts {rollouts}")

    async def _time(self, listwatch: ListWatch) -> None:
        told = await listwatch.time()
        if told is not None:
            ahead = (told - self._clock.now()).total_seconds()
            self._found += diagnosis.clock(self._subject, ahead)

    async def _kinds(self, listwatch: ListWatch) -> None:
        for kind in _DEFINED:
            try:
                await listwatch.list(kind, limit=1, resource_version="0")
            except NotInstalledError:
                self.trouble(NotInstalledError(f"does not know {kind} of argoproj.io"))
            except ForbiddenError:
                pass  # found with all other rights that are missing

    async def _rights(self, patcher: Patcher) -> None:
        """What it does not let us do."""
        wanted = Wanted(identity=self._identity, any_user=True, any_group=True)
        needed = diagnosis.rights(manifests(wanted))
        complete = True
        for namespace in self._spoke.namespaces or ("",):
            missing = [right for right in needed if not await _may(patcher, right, namespace)]
            self._found += diagnosis.lacking(self._subject, missing, namespace)
            complete = complete and not missing
        if complete:
            self._good("has all rights that are needed there")


async def _may(patcher: Patcher, right: Right, namespace: str) -> bool:
    everywhere = right.verb == "impersonate"  # people are in no namespace
    return await patcher.may(
        AccessQuestion(
            right.verb,
            right.resource,
            right.group,
            right.subresource,
            "" if everywhere else namespace,
        )
    )
