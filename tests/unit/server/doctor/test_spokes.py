"""What is found about clusters, on scripted API servers and in virtual time."""

from datetime import timedelta
from typing import Any, cast

import anyio

from fakes.clock import LoopClock
from fakes.cluster import FakeCluster
from fakes.listwatch import FakeListWatch
from rollgraph.core.diagnosis import Verdict
from rollgraph.core.errors import NotInstalledError, UnauthenticatedError
from rollgraph.core.identity import IdentityMode
from rollgraph.core.refs import Kind
from rollgraph.ports import AccessQuestion, ListWatch, Patcher, Spoke
from rollgraph.server.doctor import spokes

Told = dict[str, list[tuple[Verdict, str]]]


class Judge:
    """A patcher that only says what is allowed.

    Attributes:
        denied: What is not.
        asked: Each question.
    """

    def __init__(self, *denied: tuple[str, str]) -> None:
        self.denied = set(denied)
        self.asked: list[AccessQuestion] = []

    async def may(self, question: AccessQuestion, **_: Any) -> bool:
        await anyio.lowlevel.checkpoint()
        self.asked.append(question)
        return (question.verb, question.resource) not in self.denied

    async def close(self) -> None:
        """Nothing to close."""


def spoke(name: str, server: FakeListWatch, judge: Judge, *namespaces: str) -> Spoke:
    async def opened() -> ListWatch:
        return server

    async def judged() -> Patcher:
        return cast("Patcher", judge)

    return Spoke(name, name, opened, namespaces, open_patcher=judged)


async def told(*given: Spoke) -> Told:
    found = await spokes.examine(given, IdentityMode.IMPERSONATE, LoopClock())
    return {name: [(each.verdict, each.said) for each in lines] for name, lines in found.items()}


def server() -> FakeListWatch:
    return FakeListWatch(FakeCluster())


async def test_a_good_cluster() -> None:
    found = await told(spoke("east", server(), Judge()))
    assert found["east"] == [
        (Verdict.GOOD, "Kubernetes v1.34.4, Argo Rollouts v1.8.3"),
        (Verdict.GOOD, "has all rights that are needed there"),
    ]


async def test_one_that_never_answers_takes_nothing_from_the_others() -> None:
    silent = server()
    silent.fall_silent()
    begun = anyio.current_time()
    found = await told(spoke("east", silent, Judge()), spoke("west", server(), Judge()))
    assert found["east"] == [(Verdict.BAD, "not examined within 20 s")]
    assert [verdict for verdict, _ in found["west"]] == [Verdict.GOOD, Verdict.GOOD]
    assert anyio.current_time() - begun == spokes.WITHIN
    assert silent.closed


async def test_without_argo_rollouts_its_kinds_are_missing() -> None:
    bare = server()
    bare.refuse[Kind.ROLLOUT] = NotInstalledError("404")
    found = await told(spoke("east", bare, Judge()))
    assert (Verdict.BAD, "does not know Rollout of argoproj.io") in found["east"]


async def test_wrong_credentials_are_the_only_line() -> None:
    closed = server()
    closed.refuse[None] = UnauthenticatedError("HTTP 401: Unauthorized")
    found = await told(spoke("east", closed, Judge()))
    assert found["east"] == [(Verdict.BAD, "HTTP 401: Unauthorized")]


async def test_a_clock_that_is_wrong() -> None:
    late = server()
    late.now = LoopClock().now() - timedelta(minutes=5)
    found = await told(spoke("east", late, Judge()))
    assert (Verdict.BAD, "its clock is 300 s behind this machine's") in found["east"]


async def test_rights_are_asked_for_where_it_watches() -> None:
    judge = Judge(("watch", "pods"))
    found = await told(spoke("east", server(), judge, "shop", "bank"))
    lines = [said for verdict, said in found["east"] if verdict is Verdict.BAD]
    assert lines == ["may not watch pods in shop", "may not watch pods in bank"]
    assert {q.namespace for q in judge.asked if q.verb != "impersonate"} == {"shop", "bank"}
    assert {q.namespace for q in judge.asked if q.verb == "impersonate"} == {""}
