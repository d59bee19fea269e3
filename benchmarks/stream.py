"""How long an event takes to who subscribes, beside a raw watch and beside a bare broadcast.

    uv run python benchmarks/stream.py             (needs a built testbed, and redis-server)
    uv run python benchmarks/stream.py shared      (one part alone)

Real processes and real sockets, all in one run and on one machine. Prints one JSON line per
figure, times in milliseconds; `aim` is the most that we want.

`overhead`: one rollout on a real control plane is changed, and told by its API server to a raw
watch and to us: from the raw watch's word to ours over a WebSocket, by `rollgraph serve`, and by
`worker` and `gateway` with a Redis between.
`watches`: how many watches of us that API server counts, with one subscriber and with 1,000.
`shared`: 1,000 WebSockets look at one rollout, which changes: from the spoke's word to the last of
them; beside it, in turn, the same bytes to 1,000 WebSockets of a server that does nothing else.
`different`: 1,000 WebSockets with filters of their own, 1,000 changes a second, each of which
concerns one of them, and then ten: from the spoke's word to each. All that should come is compared
with what has.
"""

import gc
import json
import resource
import ssl
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import anyio
import anyio.to_thread
import orjson

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import spoke as pretended
from listeners import Listener, subscribe

import samples
from acceptance.gateway import Gateway
from contract.servers import redis_server
from testbed.cluster import path_of
from testbed.fleet import Fleet
from testbed.ports import free_port
from testbed.process import Process
from testbed.scenarios.manifests import canary, pause, rollout
from testbed.spoke import Spoke

READERS = 1000
# No line per request, as many streams in one name as there are, and no pings in between.
FLAGS = ("--log-level", "warning", "--streams-per-viewer", "5000", "--stream-heartbeat", "600")
NAMESPACE, NAME = "bench", "watched"
CHANGES, PAUSE = 300, 0.03
ROUNDS = 60
RATE, SECONDS = 1000, 5
ROLLOUTS, GROUPS = 1000, 100
LATE = 20.0

ONE = """
subscription One($rollout: RolloutKeyInput!) {
  rolloutChanged(rollout: {key: $rollout}) {
    kind cursor occurredAt receivedAt clusterName
    ... on RolloutSnapshotEvent { rollout { ...R } }
    ... on RolloutUpdatedEvent { rollout { ...R } }
    ... on PhaseChangedEvent { from to rollout { ...R } }
  }
}
fragment R on Rollout {
  id name phase message resourceVersion steps { index label state }
  progress { percent waiting { message } }
  split { desiredWeight actualWeight slices { roles pods readyPods } }
}
"""
MANY = """
subscription Many($filter: RolloutFilter!) {
  rolloutEvents(filter: $filter) {
    kind cursor
    ... on RolloutSnapshotEvent { rollout { id resourceVersion phase } }
    ... on PhaseChangedEvent { from to rollout { id resourceVersion phase } }
  }
}
"""


class Round:
    """Counts who has got what was said last."""

    def __init__(self) -> None:
        self._done = anyio.Event()
        self._have = 0
        self.last, self.at = b"", 0.0

    def heard(self, _: Listener, at: float, message: bytes) -> None:
        """One more has it."""
        self._have += 1
        self.last, self.at = message, at
        if self._have == READERS:
            self._have = 0
            self._done.set()

    async def all_have_it(self) -> float:
        """Waits for the last; when it had it."""
        with anyio.fail_after(LATE):
            await self._done.wait()
        self._done = anyio.Event()
        return self.at


class Watch:
    """A raw watch of the rollouts of the namespace; notes when each version came."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Watches until cancelled."""
        query, endless = {"watch": "true"}, aiohttp.ClientTimeout()
        path = path_of("Rollout", NAMESPACE)
        async with session.get(path, params=query, timeout=endless) as answer:
            while line := await answer.content.readline():
                at, event = perf_counter(), orjson.loads(line)
                self.came[event["object"]["metadata"]["resourceVersion"]] = at


def opened(spoke: Spoke) -> aiohttp.ClientSession:
    """A client of an API server."""
    access = spoke.access()
    headers = {"Authorization": f"Bearer {access.token}"}
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=access.ca))
    return aiohttp.ClientSession(access.url, headers=headers, connector=connector)


async def on_a_real_spoke(folder: Path) -> None:
    """`overhead` and `watches`."""
    with started(Fleet(["east"])) as fleet:
        spoke = fleet["east"]
        await anyio.to_thread.run_sync(make, spoke)
        with Gateway(fleet.kubeconfig, folder, FLAGS) as serve:
            serve.wait_until_synced()
            await overhead("in memory", spoke, serve.url, aim=5.0)
            counted = await count_watches(spoke, serve.url)
        await tell_watches(spoke, counted)
        with redis_server(folder) as redis:
            shared = (*FLAGS, "--redis", redis.url)
            with (
                Gateway(fleet.kubeconfig, folder, shared, "worker", "worker"),
                Gateway(fleet.kubeconfig, folder, shared, "gateway", "gateway") as gateway,
            ):
                gateway.wait_until_synced()
                await overhead("through Redis", spoke, gateway.url, aim=10.0)


@contextmanager
def started(fleet: Fleet) -> Iterator[Fleet]:
    sys.stderr.write("starting a control plane\n")
    with fleet:
        yield fleet


def make(spoke: Spoke) -> None:
    """A rollout with some steps, which waits."""
    spoke.namespace(NAMESPACE)
    made = rollout(NAME, canary(*[pause()] * 4), replicas=2)
    spoke.cluster().apply({**made, "metadata": {**made["metadata"], "namespace": NAMESPACE}})
    healthy = lambda found: found.get("status", {}).get("phase") == "Healthy"  # noqa: E731
    spoke.cluster().wait_for("Rollout", NAME, healthy, NAMESPACE)


async def overhead(way: str, spoke: Spoke, url: str, aim: float) -> None:
    """From a raw watch to one subscriber."""
    told: dict[str, float] = {}

    def heard(_: Listener, at: float, message: bytes) -> None:
        event = orjson.loads(message)["payload"]["data"]["rolloutChanged"]
        told.setdefault(event["rollout"]["resourceVersion"], at)

    watch = Watch()
    async with opened(spoke) as session, anyio.create_task_group() as tasks:
        tasks.start_soon(watch.run, session)
        listener = await subscribe(0, url, heard, ONE, rollout=place("east", NAMESPACE, NAME))
        await until(lambda: bool(told and watch.came))
        before = {*watch.came}
        headers = {"Content-Type": "application/merge-patch+json"}
        for number in range(CHANGES):
            body = json.dumps({"metadata": {"annotations": {"bench": f"{way} {number}"}}})
            path = path_of("Rollout", NAMESPACE, NAME)
            async with session.patch(path, data=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
            await anyio.sleep(PAUSE)
        await anyio.sleep(1)
        listener.close()
        tasks.cancel_scope.cancel()
    versions = watch.came.keys() - before
    took = [told[each] - watch.came[each] for each in versions & told.keys()]
    tell(f"overhead, {way}", took, p50_aim=aim, not_told=len(versions) - len(took))


async def count_watches(spoke: Spoke, url: str) -> dict[int, Counter[str]]:
    """How many watches an API server counts, by how many subscribers there are."""
    found = {}
    for readers in (1, READERS):
        async with subscribed(readers, url, ONE, rollout=place("east", NAMESPACE, NAME)):
            found[readers] = await watches(spoke)
    return found


async def tell_watches(spoke: Spoke, counted: dict[int, Counter[str]]) -> None:
    """Prints how many of these were ours, and how many whoever has one for each would have.

    Others are subtracted as they are when we have gone: Kubernetes' garbage collector begins to
    watch a kind half a minute after it has come.
    """
    await anyio.sleep(2)
    others = await watches(spoke)
    for readers, found in counted.items():
        found.subtract(others)
        ours = {kind: number for kind, number in sorted(found.items()) if number}
        write({"figure": "watches", "subscribers": readers, **ours, "one_for_each": readers})


async def watches(spoke: Spoke) -> Counter[str]:
    """How many watches of each resource an API server counts."""
    found: Counter[str] = Counter()
    async with opened(spoke) as session, session.get("/metrics") as answer:
        text = await answer.text()
    for line in text.splitlines():
        if line.startswith("apiserver_longrunning_requests{") and 'verb="WATCH"' in line:
            found[line.split('resource="')[1].split('"')[0]] += int(float(line.split()[-1]))
    return found


async def shared(folder: Path) -> None:
    """1,000 readers of one rollout, and the same bytes by themselves."""
    family = family_of("checkout")
    (watched,) = (each for each in family if each["kind"] == "Rollout")
    async with AsyncExitStack() as stack:
        spoke, url = await stack.enter_async_context(on_a_pretended_spoke(folder, family))
        round_ = Round()
        where = place(pretended.NAME, "shop", "checkout")
        await stack.enter_async_context(subscribed(READERS, url, ONE, round_, rollout=where))
        others, speaker = Round(), await stack.enter_async_context(broadcasting(folder))
        listeners = [
            await Listener(number, speaker, others.heard).connect() for number in range(READERS)
        ]
        ours, bare = [], []
        with quiet():
            for number in range(ROUNDS):
                annotations = {"annotations": {"round": str(number)}}
                metadata = {**watched["metadata"], **annotations}
                line = spoke.next({**watched, "metadata": metadata})
                await anyio.sleep(0.1)
                begun = perf_counter()
                await spoke.say(line)
                ours.append(await round_.all_have_it() - begun)
                await anyio.sleep(0.1)
                begun = perf_counter()
                listeners[0].say(round_.last)
                bare.append(await others.all_have_it() - begun)
        for each in listeners:
            each.close()
    tell("shared", ours, bytes=len(round_.last))
    tell("bare broadcast", bare, bytes=len(others.last))
    times = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    write({"figure": "shared over bare", "times": round(times, 2), "aim": 2.0})


@asynccontextmanager
async def broadcasting(folder: Path) -> AsyncIterator[str]:
    """A server that does nothing else; its URL."""
    port = free_port()
    program = Path(__file__).with_name("broadcast.py")
    process = Process("broadcast", [sys.executable, program, str(port)], folder / "broadcast.log")
    url = f"ws://127.0.0.1:{port}/"

    process.start()
    try:
        await until_listening(port)
        yield url
    finally:
        process.stop()


async def until_listening(port: int) -> None:
    with anyio.fail_after(LATE):
        while True:
            try:
                stream = await anyio.connect_tcp("127.0.0.1", port)
            except OSError:
                await anyio.sleep(0.1)
            else:
                return await stream.aclose()


async def different(folder: Path) -> None:
    """1,000 readers with filters of their own: each change is told once, and then ten times."""
    await told_to("different, to one", folder, *own_wishes())
    await told_to("different, to ten", folder, *wishes())


async def told_to(
    figure: str, folder: Path, filters: list[dict[str, Any]], concern: dict[int, list[int]]
) -> None:
    """Readers with these filters; see `wishes`."""
    families = {name: family_of(name, number % GROUPS) for number, name in enumerate(names())}
    objects = [each for family in families.values() for each in family]
    rollouts = [family[0] for family in families.values()]
    came: list[list[tuple[float, bytes]]] = [[] for _ in filters]

    def heard(listener: Listener, at: float, message: bytes) -> None:
        came[listener.number].append((at, message))

    async with on_a_pretended_spoke(folder, objects) as (spoke, url):
        listeners = [
            await subscribe(number, url, heard, MANY, filter=filter)
            for number, filter in enumerate(filters)
        ]
        first = sum(map(len, concern.values()))
        await until(lambda: sum(map(len, came)) == first)
        for each in came:
            each.clear()
        lines = []
        for number in range(RATE * SECONDS):
            at = number % ROLLOUTS
            phase = "Paused" if number // ROLLOUTS % 2 == 0 else "Progressing"
            status = {**rollouts[at]["status"], "phase": phase}
            lines.append((at, spoke.next({**rollouts[at], "status": status}), spoke.version))
        said: dict[str, float] = {}
        wanted: list[list[str]] = [[] for _ in filters]
        with quiet():
            begun = perf_counter()
            for number, (at, line, version) in enumerate(lines):
                await anyio.sleep(max(0.0, begun + number / RATE - perf_counter()))
                said[str(version)] = perf_counter()
                await spoke.say(line)
                for reader in concern[at]:
                    wanted[reader].append(str(version))
            with suppress(TimeoutError):  # what is not there by then counts as lost
                await until(lambda: sum(map(len, came)) >= sum(map(len, wanted)))
        for each in listeners:
            each.close()
    compare(figure, said, wanted, came)


def compare(
    figure: str,
    said: dict[str, float],
    wanted: list[list[str]],
    came: list[list[tuple[float, bytes]]],
) -> None:
    """Prints how long each took, and what is missing, too much or out of order."""
    took, lost, disordered = [], 0, 0
    for mine, heard in zip(wanted, came, strict=True):
        got = []
        for at, message in heard:
            event = orjson.loads(message)["payload"]["data"]["rolloutEvents"]
            version = event["rollout"]["resourceVersion"]
            got.append(version)
            took.append(at - said[version])
        lost += (Counter(mine) - Counter(got)).total() + (Counter(got) - Counter(mine)).total()
        disordered += got != mine
    spread = max(said.values()) - min(said.values())
    rate = round(len(said) / spread)
    tell(figure, took, p99_aim=150.0, a_second=rate, lost=lost, disordered=disordered)


def names() -> list[str]:
    return [f"app-{number:04}" for number in range(ROLLOUTS)]


def own_wishes() -> tuple[list[dict[str, Any]], dict[int, list[int]]]:
    """As `wishes`, but each rollout is the business of one reader."""
    ways: list[dict[str, Any]] = [{}, {"cluster": {"eq": pretended.NAME}}, {"strategy": ["CANARY"]}]
    filters = [
        {"name": {"in": [name]}, **ways[number % len(ways)]} for number, name in enumerate(names())
    ]
    return filters, {number: [number] for number in range(ROLLOUTS)}


def wishes() -> tuple[list[dict[str, Any]], dict[int, list[int]]]:
    """Filters, one for each reader; and the readers that each rollout concerns, by its number.

    Four in ten name ten rollouts, four a namespace of ten, two a label that ten have. So each
    rollout is the business of ten readers.
    """
    filters: list[dict[str, Any]] = []
    concern: dict[int, list[int]] = {number: [] for number in range(ROLLOUTS)}
    for number in range(READERS):
        group = number % GROUPS
        match number // GROUPS:
            case 0 | 1 | 2 | 3 as way:
                mine = [(group * 10 + 3 * way + each) % ROLLOUTS for each in range(10)]
                filters.append({"name": {"in": [names()[each] for each in mine]}})
            case 4 | 5 | 6 | 7 as way:
                mine = [*range(group, ROLLOUTS, GROUPS)]
                beside = {"startsWith": "app-"[: way - 3]}
                filters.append({"namespace": {"eq": f"shop-{group}"}, "name": beside})
            case way:
                mine = [*range(group, ROLLOUTS, GROUPS)]
                beside = {"eq": pretended.NAME} if way == 8 else {"in": [pretended.NAME]}
                filters.append({"labelSelector": f"team=team-{group}", "cluster": beside})
        for each in mine:
            concern[each].append(number)
    return filters, concern


def family_of(name: str, group: int | None = None) -> list[dict[str, Any]]:
    """A canary at 20 percent with its pods and analyses, the rollout first."""

    def renamed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {key: renamed(below, key) for key, below in value.items()}
        if isinstance(value, list):
            return [renamed(each) for each in value]
        if isinstance(value, str):
            return f"{value}-{name}" if key == "uid" else value.replace("checkout", name)
        return value

    documents = [renamed(each) for each in samples.manifests("families/canary-at-20-percent")]
    for each in documents:
        each["metadata"] |= {"resourceVersion": "1"}
        each["metadata"]["name"] = f"{each['metadata']['name']}"
        if group is not None:
            each["metadata"]["namespace"] = f"shop-{group}"
            if each["kind"] == "Rollout":
                each["metadata"]["labels"] = {"team": f"team-{group}"}
    return documents


@asynccontextmanager
async def on_a_pretended_spoke(
    folder: Path, objects: list[dict[str, Any]]
) -> AsyncIterator[tuple[pretended.Spoke, str]]:
    """`rollgraph serve` over a spoke that says what it is told to."""
    async with pretended.serving(objects) as spoke:
        gateway = Gateway(spoke.kubeconfig(folder / "pretended.json"), folder, FLAGS)
        await anyio.to_thread.run_sync(gateway.start)
        try:
            await anyio.to_thread.run_sync(gateway.wait_until_synced)
            yield spoke, gateway.url
        finally:
            await anyio.to_thread.run_sync(gateway.process.stop)


@asynccontextmanager
async def subscribed(
    readers: int, url: str, document: str, round_: Round | None = None, **variables: object
) -> AsyncIterator[None]:
    """That many subscribers, each of which has been told the state."""
    have: set[int] = set()

    def heard(listener: Listener, at: float, message: bytes) -> None:
        if listener.number not in have:
            have.add(listener.number)
        elif round_ is not None:
            round_.heard(listener, at, message)

    listeners = [
        await subscribe(number, url, heard, document, **variables) for number in range(readers)
    ]
    await until(lambda: len(have) == readers)
    try:
        yield
    finally:
        for each in listeners:
            each.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Does not look for garbage meanwhile: that would take longer than what is measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def until(done: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not done():  # noqa: ASYNC110 - what is waited for is in other processes
            await anyio.sleep(0.02)


def place(cluster: str, namespace: str, name: str) -> dict[str, str]:
    return {"cluster": cluster, "namespace": namespace, "name": name}


def tell(figure: str, took: list[float], **more: object) -> None:
    """Prints how long something took, in milliseconds."""
    p50, p99 = statistics.median(took) * 1000, statistics.quantiles(took, n=100)[98] * 1000
    times = {"p50": round(p50, 2), "p99": round(p99, 2), "samples": len(took)}
    write({"figure": figure, **times, **more})


def write(line: dict[str, object]) -> None:
    """Prints a line."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


PARTS: dict[str, Callable[[Path], Awaitable[None]]] = {
    "real": on_a_real_spoke,
    "shared": shared,
    "different": different,
}


def main() -> None:
    """Measures what is named, or all."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(files, 10_000), most), most))
    for name in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            anyio.run(PARTS[name], Path(folder), backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
