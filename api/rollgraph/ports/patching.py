"""One spoke's API server, as those see it who act."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from rollgraph.core.actions.plan import Manifest, Patch, Resource
from rollgraph.core.identity import OURSELVES, Identity
from rollgraph.core.refs import ObjectKey


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
