"""What the core of Rollgraph needs from the outside, and what it may rely on.

A port speaks of intents, not of a technology. Each states its guarantees here, where it is
declared; one contract suite (`tests/contract`) holds every adapter to them.
"""

from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from rollgraph.core.actions.plan import Manifest, Patch, Resource
from rollgraph.core.application import Application
from rollgraph.core.audit import AuditEntry, AuditRow
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.core.connection import ClusterView
from rollgraph.core.decision import Decision
from rollgraph.core.feed.entries import Batch, Entry, Fact, Position, Snapshot
from rollgraph.core.feed.news import Frontier, News
from rollgraph.core.filtering import RolloutFilter
from rollgraph.core.identity import OURSELVES, Identity, IdentityMode
from rollgraph.core.objects.decode import ObjectList, WatchEvent
from rollgraph.core.paging import Page, PageRequest
from rollgraph.core.permission import Permission
from rollgraph.core.phase import Phase
from rollgraph.core.rbac.text import PolicyText
from rollgraph.core.refs import Kind, ObjectKey, RolloutRef
from rollgraph.core.session import Grant, PendingLogin, Session
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer
from rollgraph.core.visibility import Visibility


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present, in UTC with a time zone."""


class ServerVersions(msgspec.Struct, frozen=True):
    """What runs on a spoke; "" where it cannot be known."""

    kubernetes: str = ""
    argo_rollouts: str = ""


class ListWatch(Protocol):
    """One spoke's API server, as a reflector sees it.

    Every method raises a `core.errors.SpokeError` for anything that the server or the network does,
    and `UnreadableError` for an answer that is no answer; nothing else. Each call is one request:
    retrying, waiting and falling back are the caller's. `namespace` "" means all namespaces.
    """

    async def list(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str = "",
        continue_: str = "",
        limit: int | None = None,
    ) -> ObjectList:
        """One page of a list. `resource_version` "" reads the newest state, "0" whatever the server
        has cached.

        With a limit the server answers at most so many items and a token for the next call;
        without, all of them.
        """

    def watch(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str,
        timeout: float,
        initial_events: bool = False,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """A stream of changes after `resource_version`.

        The stream ends by itself when the server closes it, which it is asked to do after `timeout`
        seconds. A dead connection ends it with `UnreachableError`, at the latest when the adapter's
        read time-out has passed. ERROR events are yielded, not raised. With `initial_events` the
        server first sends each existing object as ADDED, then a BOOKMARK annotated `k8s.io/initial-
        events-end` (WatchList); a server without WatchList refuses with `InvalidRequestError`.
        Leaving the context closes the connection.
        """

    async def versions(self) -> ServerVersions:
        """Asks the server for its version. Cheap: it also serves as proof of life."""

    async def close(self) -> None:
        """Closes every connection. The object is of no use afterwards."""


class Spoke(msgspec.Struct, frozen=True):
    """A cluster to watch, as a source of spokes describes it.

    Attributes:
        name: Its name in the fleet, unique.
        fingerprint: Changes whenever anything about how to reach it changes, credentials too; it
            reveals nothing.
        open: Opens its API server; each call gives a new one, which the caller closes.
        namespaces: The namespaces to watch; empty means all.
        labels: The operator's labels for the cluster, such as environment and region.
        open_patcher: Opens it to be changed; each call gives a new one, which the caller closes.
            None for a spoke that can only be watched.
        identity: As whom actions are carried out on it; None for whatever is usual in the fleet.
    """

    name: str
    fingerprint: str
    open: "OpenListWatch"
    namespaces: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    open_patcher: "OpenPatcher | None" = None
    identity: IdentityMode | None = None


class OpenListWatch(Protocol):
    """Opens one spoke's API server."""

    async def __call__(self) -> ListWatch:
        """Opens it.

        Raises `UnauthenticatedError` if credentials cannot be had, `ConfigError` if the description
        is wrong.
        """


class AccessQuestion(msgspec.Struct, frozen=True):
    """Whether something is allowed, as Kubernetes RBAC has it.

    Attributes:
        group: The API group; "" for the core's.
        namespace: "" for all.
        name: "" for all.
    """

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class Reviewed(msgspec.Struct, frozen=True):
    """Whose a token is, as a spoke says."""

    user: str
    groups: tuple[str, ...] = ()


class Patcher(Protocol):
    """One spoke's API server, to read single objects of and to change them.

    Each call is one request, made as whom it says: with our own credentials, in somebody's name, or
    with somebody's own token and nothing of ours. Repeating, waiting and giving up are the
    caller's. Every method raises a `core.errors.SpokeError` for anything that the server or the
    network does, and `UnreadableError` for an answer that is no answer; nothing else. A call that
    changes something raises `UnansweredError` if it may have been carried out or may be yet, and
    another `UnreachableError` only if it never went out. Names are taken as names, never as paths.
    """

    async def get(
        self, resource: Resource, key: ObjectKey, *, as_: Identity = OURSELVES
    ) -> Manifest:
        """One object as it is now, not as a cache has it. `NotFoundError` if there is none."""

    async def list(
        self,
        resource: Resource,
        namespace: str,
        *,
        selector: str = "",
        as_: Identity = OURSELVES,
    ) -> Sequence[Manifest]:
        """The objects of a namespace whose labels match, all of them, as they are now."""

    async def patch(
        self,
        patch: Patch,
        *,
        resource_version: str = "",
        dry_run: bool = False,
        as_: Identity = OURSELVES,
    ) -> Manifest:
        """Changes an object, and answers with what it is then.

        With a version: only if the object still is of that version, else `ConflictError` and
        nothing is changed; so to send it twice does no harm. A dry run is checked in the same way,
        admission included, and changes nothing.
        """

    async def create_event(self, event: Manifest, *, as_: Identity = OURSELVES) -> None:
        """Creates a Kubernetes Event in the namespace that its metadata say."""

    async def may(self, question: AccessQuestion, *, as_: Identity = OURSELVES) -> bool:
        """Whether the spoke allows something to whoever asks.

        To impersonate is never allowed where the spoke's description does so already.
        """

    async def review(self, token: str, audiences: Sequence[str]) -> Reviewed | None:
        """Whose a token is that is meant for one of these; None if it is no good.

        No error repeats any of the token.
        """

    async def close(self) -> None:
        """Closes every connection. The object is of no use afterwards."""


class OpenPatcher(Protocol):
    """Opens one spoke's API server to be changed."""

    async def __call__(self) -> Patcher:
        """Opens it; raises as `OpenListWatch` does."""


class SpokeSource(Protocol):
    """Where the spokes come from."""

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Spoke]]]:
        """All spokes now, then all spokes again whenever the source changed.

        The first item comes at once; a source that cannot be read at the start raises
        `ConfigError`. Later trouble (a half-written file) keeps the last good answer and is logged.
        """


class Projection(Protocol):
    """The write side of the fleet's model: what the workers know.

    One writer per cluster. Each call is atomic: a reader sees all of it or nothing. A cluster and
    its rollouts may be put in any order.
    """

    def put_cluster(self, cluster: ClusterView) -> None:
        """Adds or replaces what is known of a cluster itself."""

    def put_rollout(self, view: RolloutView) -> None:
        """Adds or replaces one rollout's view."""

    def drop_rollout(self, ref: RolloutRef) -> None:
        """Forgets a rollout that no longer exists; nothing happens if it is not known."""

    def drop_cluster(self, name: str) -> None:
        """Forgets a cluster and all its rollouts; nothing happens if it is not known."""


class Mirror(Protocol):
    """The read side of the fleet's model. Answers from memory, at once; never calls a spoke.

    A view is immutable: what a reader holds does not change under it.

    Who passes a `Visibility` gets the answers of a fleet in which no other rollouts exist: they are
    on no page, not counted, no reason for another page, and no cursor leads to them.
    """

    @property
    def version(self) -> int:
        """Grows whenever a rollout is put or dropped.

        As long as it is the same, every answer about rollouts is. What is known of the clusters
        themselves does not count: it changes with every sign of life.
        """

    def clusters(self) -> Collection[ClusterView]:
        """Every known cluster, by name."""

    def cluster(self, name: str) -> ClusterView | None:
        """One cluster."""

    def rollout(self, ref: RolloutRef) -> RolloutView | None:
        """One rollout."""

    def page(self, request: PageRequest, visible: Visibility | None = None) -> Page:
        """One page of rollouts: at their place in the order, as they are now.

        Going from page to page with the cursors of the answers, forwards or backwards, visits each
        rollout that exists and matches all the while exactly once, whatever changes meanwhile: a
        rollout whose place in the order changes keeps, for the pages that follow a first page, the
        place it had then. Others are visited once at most. A rollout that is made during the walk
        is not part of it, nor is one that is deleted, its cluster's end included.

        That holds for as long as the mirror can afford to remember the places: for a minute after
        the first change, longer in a fleet that rests, less in one that changes faster than the
        mirror has memory for. From then on, and if the cursor is another mirror's, the walk goes on
        from the cursor over the present places: it visits exactly once each rollout that has not
        moved, and begins such a minute anew.

        `has_next` and `has_previous` speak of that walk, and of what matches now. A cursor may be
        used with another size, by somebody else, and with another filter unless one of the two is
        for one cluster alone (`core.filtering.only_cluster`).

        A rollout that is not shown does not match; one that is shown again during a walk is treated
        like one that matches again.

        Raises `BadCursorError` for what is no cursor of such a list, `BadFilterError` for a filter
        that makes no sense, `BadRequestError` for a size that makes none.
        """

    def count(self, request: PageRequest, visible: Visibility | None = None) -> int:
        """How many rollouts match the request's filter now, whatever its cursors and sizes.

        Raises `BadFilterError` as `page` does.
        """

    def matching(
        self, filter: RolloutFilter | None, visible: Visibility | None = None
    ) -> Iterator[RolloutView]:
        """Every rollout that matches, in no order; to be used up before anything else happens.

        For counting and grouping: it looks at the whole fleet. Raises `BadFilterError` as `page`
        does, before the first rollout.
        """

    def counts(self, cluster: str, visible: Visibility | None = None) -> Mapping[Phase, int]:
        """How many of a cluster's rollouts are in each phase now; phases without any are left out.

        Empty for a cluster that is not known. Costs nothing: it is kept, not counted. With a
        visibility it is counted once after each change on the cluster.
        """

    def namespaces(self, cluster: str, visible: Visibility | None = None) -> Sequence[str]:
        """The namespaces of a cluster that have rollouts now, by name."""


class TokenVerifier(Protocol):
    """Knows callers by their tokens."""

    async def verify(self, token: str) -> Viewer:
        """The caller whose token it is.

        Raises `UnauthenticatedViewerError` for a token that is not good, with a message that says
        which check failed and never repeats any of it; `IdentityProviderError` if it cannot be told
        now, because who would know does not answer. Nobody is let in while that cannot be told.
        """


class LoginProvider(Protocol):
    """Where people log in with a browser."""

    async def begin(self, back: str) -> PendingLogin:
        """Begins a login that comes back to a URL of ours.

        Raises `IdentityProviderError`, as all methods do.
        """

    async def finish(self, answer: Mapping[str, str], pending: PendingLogin, back: str) -> Grant:
        """Ends a login by what came back with the browser.

        Raises `UnauthenticatedViewerError` if it is not that login's, or the provider refused; the
        message may be shown.
        """

    async def renew(self, grant: Grant) -> Grant:
        """A newer grant for the same person; the old one's refresh token may be used up.

        Raises `UnauthenticatedViewerError` if the provider lets it end.
        """

    async def farewell(self, back: str) -> str:
        """Where a browser logs out at the provider, too; "" if it has no way. Raises nothing."""


class SessionStore(Protocol):
    """The logins of browsers.

    Bounded: who has been away longest loses their login. Every method raises
    `IdentityProviderError` if the store does not answer.
    """

    async def get(self, key: str) -> Session | None:
        """A login that has not ended."""

    async def put(self, key: str, session: Session, until: datetime) -> None:
        """Adds or replaces a login, which ends by itself at a time."""

    async def drop(self, key: str) -> None:
        """Ends a login; nothing happens if there is none."""

    def turn(self, key: str) -> AbstractAsyncContextManager[None]:
        """Waits for a turn to renew a login, and has it within: one at a time, of all processes.

        Of a process that dies meanwhile it is taken away after some seconds.
        """


class Enforcer(Protocol):
    """A policy: which tuples of subject, resource, action and object it allows.

    Answers from memory, at once, and always the same. Denies whatever it is not told to allow.
    """

    def allows(self, subjects: Sequence[str], resource: str, action: str, object: str) -> bool:
        """Whether a user with these names (their own first, then groups) may do that."""


class PolicySource(Protocol):
    """Where the policy comes from."""

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[PolicyText]]:
        """The policy now, then the whole policy again whenever the source changed.

        The first item comes at once; a source that cannot be read at the start raises
        `ConfigError`. Later trouble does so, too, or it is logged: either way the reader keeps what
        it has and watches anew. Whether the policy makes sense is for the reader to tell.
        """


class Ownership(Protocol):
    """Which of Argo CD's applications own which rollouts. Answers from memory, at once."""

    @property
    def version(self) -> int:
        """Grows whenever an answer may have changed."""

    def application(self, view: RolloutView) -> Application | None:
        """The application that truly owns a rollout.

        None where there is none, and where one is only said to by what can be written on the spoke:
        whoever may write there must not be able to choose whose policies hold.
        """


class Rights(Protocol):
    """What one viewer may see and do, under one version of the policy.

    Answers from memory, at once: it may be asked for each of 10,000 rollouts of a request.
    """

    @property
    def viewer(self) -> Viewer:
        """Whose they are."""

    @property
    def key(self) -> Hashable:
        """Equal for two viewers only if they see the same and their tokens have the same scopes, so
        that answers may be shared.
        """

    @property
    def sees_all(self) -> bool:
        """True if every rollout is seen, so that nobody need ask for each."""

    def sees(self, view: RolloutView) -> bool:
        """Whether a rollout, and all that belongs to it, is shown."""

    def sees_cluster(self, cluster: str) -> bool:
        """Whether a cluster is shown although none of its rollouts may be."""

    def may(self, verb: Verb, ref: RolloutRef, view: RolloutView | None = None) -> Decision:
        """Whether an action is allowed, by scopes and by policy; the spoke is not asked.

        `view` is the rollout, if it exists. A refusal says the same whether it exists or not.
        """

    def may_use(self, scope: Scope) -> Decision:
        """Whether the token has not been narrowed to less."""

    def is_admin(self) -> Decision:
        """Whether what concerns everybody is shown, such as the audit."""

    def permissions(
        self, cluster: str | None = None, namespace: str | None = None
    ) -> Sequence[Permission]:
        """What the policy says of the viewer; scopes may narrow it further.

        With a cluster or a namespace, what certainly does not concern rollouts there is left out.
        """


class Authority(Protocol):
    """Says what viewers may see and do, by the policy of the moment."""

    @property
    def stamp(self) -> Hashable:
        """Another one whenever somebody's rights may be others. Cheap: asked for each event."""

    def rights(self, viewer: Viewer) -> Rights:
        """What a viewer may see and do now; what was given stays as it is, whatever changes."""


class Receipts(Protocol):
    """What came of requests that may be repeated, for 24 hours, under keys that nobody guesses.

    Whoever has claimed a key keeps an answer or releases it, whatever happens. Every method raises
    `BrokerError` if the store does not answer.
    """

    async def claim(self, key: str, fingerprint: str) -> bytes | None:
        """None if the key is the caller's now; else the answer that is kept under it.

        While another has claimed it, waits until that one has kept an answer or released it.
        `KeyTakenError` if the key was claimed with another fingerprint: for another request.
        """

    async def keep(self, key: str, answer: bytes) -> None:
        """Keeps the answer of a claimed key. Where there is no more room, the oldest answers go."""

    async def release(self, key: str) -> None:
        """Gives a claimed key back: the next one to claim it has it."""


class AuditLog(Protocol):
    """Remembers what was decided and done, allowed and refused."""

    def record(self, entry: AuditEntry) -> AuditRow:
        """Keeps an entry, and gives it its id and time; long texts are cut.

        Never waits and never raises: what has been done must not fail because it cannot be told.
        Nothing gets lost in silence either: where there is no more room, the oldest row goes and is
        counted in `forgotten`, and what was tried never goes for what was only refused.
        """

    async def page(self, request: AuditRequest) -> AuditPage:
        """One page of the rows that are kept, newest first.

        Going from page to page with the cursors of the answers visits each row that is kept all the
        while exactly once. Raises `BadCursorError` for what is no cursor, `BadFilterError` for a
        filter and `BadRequestError` for a size that makes no sense.
        """


class Feed(Protocol):
    """One spoke's feed, as the one worker writes it that has claimed it."""

    @property
    def position(self) -> Position:
        """That of the last fact that was written."""

    async def append(self, facts: Sequence[Fact]) -> Position:
        """Writes facts in order. If it fails, a beginning of them may have been written.

        Whoever reads the state, the log or the messages finds each fact in all three, with the same
        number. Raises `FencedError` if somebody else has claimed the feed since, or if the store
        has lost some of it; `BrokerError` if the store does not answer. After either it has to be
        claimed anew: that tells what was written, and what differs can be written.
        """


class Broker(Protocol):
    """Carries what workers know of each spoke to every gateway.

    State and log are as durable as the store; messages are delivered at most once, in order, and
    may be lost without a word. Numbers tell (`core.feed`).
    """

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """Takes a spoke's feed over: from then on no earlier claim of it can write.

        Gives what was written before, so that only what differs need be. Begins a new epoch if the
        store cannot vouch for the numbers.

        Args:
            holder: The worker that last took the spoke's lease (`Leases`); "" where spokes are not
                shared.

        Raises `FencedError` if that is another, `BrokerError` if the store does not answer.
        """

    async def drop(self, cluster: str) -> None:
        """Ends the feed of a spoke that is not there any more. Raises `BrokerError`."""

    async def positions(self) -> Mapping[str, Position]:
        """How far the feed of each spoke has come. Raises `BrokerError`."""

    async def snapshot(self, cluster: str) -> Snapshot | None:
        """All that is known of a spoke; None if it has no feed. Raises `BrokerError`."""

    async def log(self, cluster: str, after: Position) -> Sequence[Entry] | None:
        """Every fact after a position, or None if the log does not reach back so far.

        Raises `BrokerError`.
        """

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[Batch | None]]:
        """All messages of all spokes from now on; None where some may have been lost.

        The first item is None: from then on it listens. It does not end by itself: a broken
        connection is made again, and is None.
        """


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How a spoke stands among the workers.

    Attributes:
        holder: The worker whose lease it is; "" if it is nobody's.
        weight: What it costs to watch, by what is known of it; 1 or more.
    """

    holder: str
    weight: float


class Leases(Protocol):
    """Which workers live, and which of them watches which spoke.

    Time is the store's own. A lease lasts for some seconds and is renewed by being held again. From
    the moment on in which it is another's, whoever had it before cannot write to the spoke's feed,
    however late it learns of that. Every method raises `BrokerError` if the store does not answer.
    """

    async def join(self, worker: str) -> Collection[str]:
        """Says that a worker lives, and tells all that do; to be said again every few seconds."""

    async def hold(
        self, worker: str, spokes: Collection[str], wanted: Collection[str]
    ) -> Mapping[str, Standing]:
        """How each of these spokes stands.

        Before that the leases that are wanted are taken or renewed, unless they are another's.
        """

    async def release(self, worker: str, spokes: Collection[str]) -> None:
        """Gives leases back: others may take them at once. Those of others are left alone."""

    async def leave(self, worker: str) -> None:
        """Says that a worker does not live any more."""


class Listening(Protocol):
    """What waits for one listener, within bounds; as a context it ends the listening.

    All that was wanted, in order. A listener that is too slow loses the story and keeps the state:
    of several news of one rollout one is left, from how it was to how it is.
    """

    @property
    def waiting(self) -> bool:
        """Whether something waits."""

    async def wait(self) -> None:
        """Until something waits, or everybody is woken for another reason."""

    def take(self) -> News | None:
        """The next that waits; None if some were dropped, so that one has to look anew.

        `IndexError` if nothing waits.
        """

    def drain(self) -> Sequence[News | None]:
        """All that waits, which then waits no more."""

    def __enter__(self) -> "Listening": ...

    def __exit__(self, *_: object) -> None: ...


class Newsroom(Protocol):
    """What has changed in the fleet's model, told to whoever listens.

    The model comes first: whoever hears of a change finds it there.
    """

    @property
    def frontier(self) -> Frontier:
        """How far the model has come."""

    def subscribe(self, wanted: Callable[[News], bool]) -> Listening:
        """Listens from now on.

        Whoever wants the state first looks at the model next, without waiting in between: then
        nothing is missed and nothing is heard twice.

        Args:
            wanted: Which news; asked at once for each, so it has to be quick.
        """

    def since(self, positions: Mapping[str, Position]) -> Sequence[News] | None:
        """All news of these spokes after their positions, in the order in which they came.

        None if some are not known any more, or a spoke is not there.
        """
