"""Looks at everything, and tells what it found."""

from collections.abc import Callable, Iterable, Sequence

import anyio

from rollgraph.adapters.clock import SystemClock
from rollgraph.core.diagnosis import Finding, Verdict
from rollgraph.core.errors import BrokerError
from rollgraph.server import logging, serve, sharing
from rollgraph.server.doctor import issuers, spokes
from rollgraph.server.settings import Settings
from rollgraph.server.sharing import Role

OK, FAILED = 0, 1


def run(settings: Settings, tell: Callable[[str], object]) -> int:
    """Tells a line for each finding; the process's exit status, 1 if anything would fail.

    Raises `ConfigError` for what would keep a server from starting.
    """
    logging.configure(settings.log, settings.audit.file)
    findings = anyio.run(examined, settings)
    for finding in findings:
        tell(str(finding))
    tell(_summary(findings))
    return FAILED if any(finding.verdict is Verdict.BAD for finding in findings) else OK


async def examined(settings: Settings) -> Sequence[Finding]:
    """What was found: clusters, then Redis, then issuers."""
    settings, clusters = await serve.checked(settings)
    async with clusters.spokes.watch() as answers:
        now = await anext(answers)
    found = await spokes.examine(now, settings.acting.identity, SystemClock())
    return [
        *(finding for name in sorted(found) for finding in found[name]),
        *await _redis(settings),
        *await issuers.examine(settings),
    ]


async def _redis(settings: Settings) -> Sequence[Finding]:
    """What was found about the Redis on which processes meet, if they are to."""
    if not settings.redis.url:
        return []
    try:
        async with sharing.opened(settings, Role.SERVE, SystemClock()):
            return [Finding("redis", Verdict.GOOD, "answers, and is of use")]
    except BrokerError as error:
        fix = "look whether it runs, and whether its password and TLS are as set"
        return [Finding("redis", Verdict.BAD, str(error), fix)]


def _summary(findings: Iterable[Finding]) -> str:
    counts = dict.fromkeys(Verdict, 0)
    for finding in findings:
        counts[finding.verdict] += 1
    bad, warned = counts[Verdict.BAD], counts[Verdict.WARNING]
    if not bad and not warned:
        return "all is well"
    return f"{bad} to mend, {warned} to look at"
