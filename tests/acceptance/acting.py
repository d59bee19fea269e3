"""An actor over real spokes, in the test's own process, so that anything can happen in between."""

import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import anyio.to_thread
import msgspec

from rollgraph.acting.arrivals import Arrivals
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.adapters.memory import MemoryMirror, MemoryReceipts
from rollgraph.core.actions.plan import Manifest, Patch
from rollgraph.core.audit import AuditEntry
from rollgraph.core.errors import RollgraphError
from rollgraph.core.identity import OURSELVES, Identity
from rollgraph.core.refs import RolloutRef
from rollgraph.ports import Mirror, Patcher, SpokeSource
from rollgraph.ports import Spoke as Watched
from rollgraph.server.hands import Hands, hands
from rollgraph.server.settings import Acting
from rollgraph.spokes.supervisor import Supervisor, straight
from testbed.metrics import Metrics
from testbed.scenarios.manifests import canary, pause, rollout, weight
from testbed.scenarios.stage import Stage
from testbed.spoke import Spoke
from testbed.users import Access, write_kubeconfig

Happens: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

# Seconds until a watch has brought what was made before it began.
SEEN = 30.0


class Working:
    """An actor at work.

    Attributes:
        hands: What acts.
        mirror: What is watched.
        audit: What the audit was told.
    """

    def __init__(self, made: Hands, mirror: Mirror, audit: list[AuditEntry]) -> None:
        self.hands = made
        self.actor = made.actor
        assert isinstance(made.projection, Arrivals)
        self._arrivals = made.projection
        self.mirror = mirror
        self.audit = audit

    async def sees(self, ref: RolloutRef) -> None:
        """Waits until a rollout is watched."""
        with anyio.fail_after(SEEN):
            while self.mirror.rollout(ref) is None:
                await self._arrivals.next(ref, SEEN)


# Seconds, as aiohttp's documentation has it.
CLOSED_WITHIN = 0.25


@asynccontextmanager
async def working(
    kubeconfig: Path, settings: Acting | None = None, source: SpokeSource | None = None
) -> AsyncIterator[Working]:
    """Watches the spokes of a kubeconfig and acts on them."""
    clock = SystemClock()
    mirror = MemoryMirror(clock)
    audit: list[AuditEntry] = []
    made = hands(
        settings if settings is not None else Acting(),
        source if source is not None else KubeconfigSource([kubeconfig]),
        mirror,
        mirror,
        MemoryReceipts(),
        clock,
        audit.append,
    )
    supervisor = Supervisor(made.spokes, straight(made.projection), clock=clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        yield Working(made, mirror, audit)
        tasks.cancel_scope.cancel()
    # A connection that was cancelled amid its TLS handshake is gone some turns of the loop later
    # (aio-libs/aiohttp#1925); a loop that ends before warns of it, in whichever test is next.
    await anyio.sleep(CLOSED_WITHIN)


def paused_stage(spoke: Spoke, name: str = "cart") -> Stage:
    """A rollout whose second version is paused at the first of two pauses."""
    namespace = spoke.namespace(f"acting-{secrets.token_hex(3)}")
    stage = Stage(spoke, namespace, name, Metrics(0))  # never started: nothing is measured
    steps = [weight(20), pause(), weight(60), pause(), weight(80)]
    stage.apply(rollout(name, canary(*steps), replicas=2))
    stage.wait_phase("Healthy")
    stage.set_image("yellow")
    stage.wait_step(1)
    return stage


async def paused(spoke: Spoke, name: str = "cart") -> Stage:
    """The same, without holding up the event loop."""
    return await anyio.to_thread.run_sync(paused_stage, spoke, name)


def ref_of(stage: Stage) -> RolloutRef:
    """The stage's rollout."""
    return RolloutRef(stage.spoke.name, stage.namespace, stage.rollout)


def kubeconfig_of_token(spoke: Spoke, folder: Path, token: str) -> Path:
    """A kubeconfig for whoever has a token."""
    access = Access(spoke.url, spoke.ca, "rollgraph", token)
    return write_kubeconfig(
        folder / f"kubeconfig-{secrets.token_hex(3)}.yaml", {spoke.name: access}
    )


class Between:
    """Opens a spoke so that something happens while a patch is on its way.

    Args:
        source: The spokes.
        happens: What happens, from the moment in which a patch is about to be sent.
    """

    def __init__(self, source: SpokeSource, happens: Happens) -> None:
        self._source = source
        self._happens = happens

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Sequence[Watched]]]:
        """See `ports.SpokeSource`."""
        async with self._source.watch() as answers:
            yield self._changed(answers)

    async def _changed(
        self, answers: AsyncIterator[Sequence[Watched]]
    ) -> AsyncIterator[Sequence[Watched]]:
        async for spokes in answers:
            yield [self._disturbed(spoke) for spoke in spokes]

    def _disturbed(self, spoke: Watched) -> Watched:
        async def open_it() -> Patcher:
            assert spoke.open_patcher is not None
            return Disturbed(await spoke.open_patcher(), self._happens)

        return msgspec.structs.replace(spoke, open_patcher=open_it)


class Disturbed:
    """A `ports.Patcher` during whose patches something happens."""

    def __init__(self, patcher: Patcher, happens: Happens) -> None:
        self._happens = happens
        self._patcher = patcher
        self.get = patcher.get
        self.list = patcher.list
        self.create_event = patcher.create_event
        self.may = patcher.may
        self.review = patcher.review
        self.close = patcher.close

    async def patch(
        self,
        patch: Patch,
        *,
        resource_version: str = "",
        dry_run: bool = False,
        as_: Identity = OURSELVES,
    ) -> Manifest:
        """See `ports.Patcher`."""
        failure: RollgraphError | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._happens)
            try:
                return await self._patcher.patch(
                    patch, resource_version=resource_version, dry_run=dry_run, as_=as_
                )
            except RollgraphError as error:
                failure = error  # raised behind the group, which would wrap it
        assert failure is not None
        raise failure
