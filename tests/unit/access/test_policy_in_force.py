"""The policy in force is the last good one of its source."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest
from structlog.testing import capture_logs

from factories import rollout_view
from rollgraph.access.policies import REOPEN_EVERY, Access
from rollgraph.adapters.re2 import patterns
from rollgraph.core.audit import GATEWAY, AuditEntry, Deed, Result
from rollgraph.core.errors import ConfigError, PolicyError
from rollgraph.core.rbac.text import Dialect, PolicyDocument, PolicyText
from rollgraph.core.verbs import Verb
from rollgraph.core.viewer import Viewer

VIEW = rollout_view("east/shop/web")
READS = "p, alice, rollouts, get, east/*, allow"
PROMOTES = "p, alice, rollouts, promote, east/*, allow"
BROKEN = "p, alice, rollouts, get, east/*"


def text(csv: str, dialect: Dialect = Dialect.ROLLGRAPH) -> PolicyText:
    return PolicyText((PolicyDocument("policy.csv", csv),), dialect)


class Spring:
    """A source that gives what it is given, and breaks when it is told to."""

    def __init__(self, first: PolicyText) -> None:
        self.now = first
        self.opened = 0
        self._given: list[PolicyText | ConfigError] = []
        self._waiting = False
        self._news = anyio.Condition()

    async def give(self, *items: PolicyText | ConfigError) -> None:
        """Gives them, and waits until they have been taken or left."""
        async with self._news:
            self._given += items
            self._waiting = False
            self._news.notify_all()
        await self.taken()

    async def taken(self) -> None:
        """Waits until all that there is has been taken or left."""
        async with self._news:
            while not self._waiting:
                await self._news.wait()
        await anyio.wait_all_tasks_blocked()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[PolicyText]]:
        self.opened += 1
        yield self._items()

    async def _items(self) -> AsyncIterator[PolicyText]:
        yield self.now
        while True:
            async with self._news:
                while not self._given:
                    self._waiting = True
                    self._news.notify_all()
                    await self._news.wait()
                item = self._given.pop(0)
                if isinstance(item, ConfigError):
                    self._waiting = True
                    self._news.notify_all()
                    raise item
            self.now = item
            yield item


def allowed(access: Access) -> Sequence[str]:
    rights = access.rights(Viewer("alice"))
    verbs = (Verb.GET, Verb.PROMOTE, Verb.ABORT)
    return [verb.value for verb in verbs if rights.may(verb, VIEW.ref, VIEW).allowed]


async def test_before_it_has_read_a_policy_nobody_may_do_anything() -> None:
    access = Access(Spring(text(READS)), patterns)
    assert allowed(access) == []
    assert not access.rights(Viewer("alice")).sees(VIEW)
    await access.load()
    assert allowed(access) == ["get"]


async def test_a_change_is_in_force_at_once_but_not_for_rights_given_before() -> None:
    spring = Spring(text(READS))
    access = Access(spring, patterns)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(access.run)
        await spring.taken()
        before = access.rights(Viewer("alice"))
        await spring.give(text(PROMOTES))
        assert allowed(access) == ["promote"]
        assert before.may(Verb.GET, VIEW.ref, VIEW).allowed
        assert access.rights(Viewer("alice")).key != before.key
        tasks.cancel_scope.cancel()


async def test_a_broken_policy_leaves_the_last_good_one_and_is_loud_each_time() -> None:
    spring = Spring(text(READS))
    access = Access(spring, patterns)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(access.run)
        await spring.taken()
        with capture_logs() as logs:
            await spring.give(text(BROKEN), text(f"{PROMOTES}\n{BROKEN}"))
        assert allowed(access) == ["get"]
        assert [(line["log_level"], line["event"]) for line in logs] == [
            ("error", "policy_broken")
        ] * 2
        assert logs[1]["problems"][0].startswith("policy.csv:2: expected 6 fields")
        assert logs[1]["in_force"] == "the last good policy, version 1"
        assert access.problem.startswith("policy.csv:2: expected 6 fields")
        await spring.give(text(PROMOTES))
        assert (allowed(access), access.problem, access.version) == (["promote"], "", 2)
        tasks.cancel_scope.cancel()


async def test_the_same_policy_again_is_no_change() -> None:
    spring = Spring(text(READS))
    access = Access(spring, patterns)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(access.run)
        await spring.taken()
        key = access.rights(Viewer("alice")).key
        await spring.give(text(BROKEN), text(READS))
        assert (access.version, access.problem) == (1, "")
        assert access.rights(Viewer("alice")).key == key
        tasks.cancel_scope.cancel()


async def test_a_source_that_breaks_is_opened_again_and_the_policy_stays() -> None:
    spring = Spring(text(READS))
    access = Access(spring, patterns)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(access.run)
        await spring.taken()
        await spring.give(ConfigError("policy.csv: No such file or directory"))
        assert access.problem == "policy.csv: No such file or directory"
        assert allowed(access) == ["get"]
        assert spring.opened == 1
        await anyio.sleep(REOPEN_EVERY + 1)
        assert (spring.opened, access.problem) == (2, "")
        tasks.cancel_scope.cancel()


async def test_the_audit_has_each_policy_and_each_new_problem_once() -> None:
    spring, told = Spring(text(READS)), list[AuditEntry]()
    access = Access(spring, patterns, record=told.append)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(access.run)
        await spring.taken()
        await spring.give(text(BROKEN), text(BROKEN), text(PROMOTES))
        tasks.cancel_scope.cancel()
    assert {(entry.viewer, entry.verb) for entry in told} == {(GATEWAY, Deed.POLICY)}
    assert [entry.result for entry in told] == [Result.APPLIED, Result.FAILED, Result.APPLIED]
    assert told[1].message.startswith("policy.csv:1: expected 6 fields")
    assert told[2].message.startswith("version 2 with ")


async def test_a_broken_policy_of_ours_keeps_from_starting() -> None:
    with pytest.raises(PolicyError, match=r"^policy\.csv:1: expected 6 fields"):
        await Access(Spring(text(BROKEN)), patterns).load()


async def test_a_broken_policy_of_argo_cd_allows_nothing_until_it_is_mended() -> None:
    access = Access(Spring(text(BROKEN, Dialect.ARGOCD)), patterns)
    with capture_logs() as logs:
        await access.load()
    assert allowed(access) == []
    assert access.problem.startswith("policy.csv:1")
    assert (logs[0]["event"], logs[0]["in_force"]) == ("policy_broken", "none")


async def test_no_policy_at_all_is_told_with_what_to_do() -> None:
    access = Access(Spring(PolicyText(())), patterns)
    with capture_logs() as logs:
        await access.load()
    assert allowed(access) == []
    (line,) = (line for line in logs if line["event"] == "no_policy")
    assert line["log_level"] == "warning"
    assert "--policy" in line["reason"]


async def test_lines_of_argo_cd_that_do_nothing_are_told() -> None:
    csv = "p, a, applications, get, [b-a]/*, deny"
    with capture_logs() as logs:
        await Access(Spring(text(csv, Dialect.ARGOCD)), patterns).load()
    (line,) = (line for line in logs if line["event"] == "policy_line_ignored")
    assert line["problem"].startswith("policy.csv:1: column 4: the range b-a is empty")
