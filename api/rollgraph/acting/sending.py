"""Sends one patch, and finds out what has become of it."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import structlog

from rollgraph.acting.pacing import Pace
from rollgraph.core.actions.plan import Manifest, Patch, PatchType, Resource
from rollgraph.core.errors import (
    ConflictError,
    NotFoundError,
    RollgraphError,
    ServerError,
    TooManyRequestsError,
    UnansweredError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.identity import Identity
from rollgraph.core.refs import ObjectKey
from rollgraph.ports import Patcher, Tracing
from rollgraph.ports.tracing import Part

_T = TypeVar("_T")

# How often a patch is sent whose answers get lost. Its version makes that harmless.
SENDS = 3
# Of the time that is left for an answer; the rest is for reading back.
_SHARE = 0.6

_log = structlog.get_logger(__name__)


class SilenceError(UnreachableError):
    """No answer in the time that there was."""


class Sender:
    """Reads and patches objects of one spoke as somebody, within a time.

    Args:
        patcher: The spoke.
        as_: As whom.
        pace: The time.
        dry_run: Nothing is to be changed.
        tracing: Follows what is sent.

    Attributes:
        lost: How many answers got lost although the patch was carried out.
    """

    def __init__(
        self,
        patcher: Patcher,
        as_: Identity,
        pace: Pace,
        *,
        dry_run: bool,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._patcher = patcher
        self._as = as_
        self._pace = pace
        self._dry_run = dry_run
        self.lost = 0

    async def read(self, resource: Resource, key: ObjectKey) -> Manifest:
        """An object as it is now; raises a `SpokeError`."""
        return await self._answer(lambda: self._patcher.get(resource, key, as_=self._as))

    async def read_if_there(self, resource: Resource, key: ObjectKey) -> tuple[Manifest, ...]:
        """The same; nothing if there is none."""
        try:
            return (await self.read(resource, key),)
        except NotFoundError:
            return ()

    async def find(self, resource: Resource, namespace: str, selector: str) -> tuple[Manifest, ...]:
        """The objects that match now; raises a `SpokeError`."""
        return tuple(
            await self._answer(
                lambda: self._patcher.list(resource, namespace, selector=selector, as_=self._as)
            )
        )

    async def send(self, patch: Patch, version: str) -> Manifest:
        """The object as it is with the patch.

        Where the answer gets lost, the object is read back: if it is still of the version, the
        patch is sent again, which can do no harm; if it is as the patch wants it, it was carried
        out. `UnansweredError` if neither can be seen in time; `ConflictError` if the object was of
        another version, and nothing was changed; another `SpokeError` if nothing was changed for
        another reason.
        """
        doubt: RollgraphError | None = None
        silent = False
        for _ in range(SENDS):
            try:
                return await self._once(patch, version)
            except ConflictError as error:
                if doubt is None:
                    raise
                found = await self._settled(patch, version, error)
                if found is None:
                    raise UnansweredError(str(doubt)) from error
                return found
            except (UnansweredError, UnreadableError, ServerError) as error:
                if self._dry_run:
                    raise
                _log.warning("answer_lost", resource=patch.resource, error=str(error))
                doubt = error
                silent = silent or not _answered(error)
            found = await self._settled(patch, version, doubt)
            if found is not None:
                return found
        assert doubt is not None
        if not silent:
            raise doubt  # it has answered, each time, and the object has not changed
        raise UnansweredError(str(doubt)) from doubt

    async def _once(self, patch: Patch, version: str) -> Manifest:
        def call() -> Awaitable[Manifest]:
            return self._patcher.patch(
                patch, resource_version=version, dry_run=self._dry_run, as_=self._as
            )

        said = {"k8s.resource": str(patch.resource), "k8s.namespace.name": patch.key.namespace}
        try:
            with self._tracing.span("PATCH", Part.CLIENT, said=said):
                return await self._answer(call, _SHARE)
        except SilenceError:
            raise UnansweredError("the cluster gave no answer in time") from None

    async def _answer(self, call: Callable[[], Awaitable[_T]], share: float = 1.0) -> _T:
        """What a call gives, made again as long as the server asks us to wait."""
        while True:
            try:
                return await self._pace.within(call(), share)
            except TimeoutError:
                raise SilenceError("the cluster gave no answer in time") from None
            except TooManyRequestsError as error:
                if not await self._pace.rest(error.retry_after or 0.0):
                    raise

    async def _settled(self, patch: Patch, version: str, doubt: RollgraphError) -> Manifest | None:
        """The object, if it is as the patch wants it; None if it has not been changed at all.

        Raises `UnansweredError` if it has been changed into something else, or cannot be read.
        """
        while True:
            try:
                found = await self.read(patch.resource, patch.key)
                break
            except RollgraphError as error:
                if not await self._pace.rest():
                    raise UnansweredError(f"{doubt}; reading it back: {error}") from error
        if found["metadata"].get("resourceVersion") == version:
            return None
        if not holds(patch, found):
            raise UnansweredError(f"{doubt}; it has changed meanwhile")
        self.lost += 1
        return found


def _answered(error: RollgraphError) -> bool:
    """Whether the server is done with a request; after 504 its store may still be at it."""
    return isinstance(error, ServerError) and error.code != HTTPStatus.GATEWAY_TIMEOUT


def holds(patch: Patch, found: Manifest) -> bool:
    """Whether an object is as a patch wants it."""
    if patch.type is PatchType.MERGE:
        return _merged(patch.body, found)
    return all(_operated(operation, found) for operation in patch.body)


def _merged(wanted: Any, found: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(wanted == found)
    if not isinstance(found, Mapping):
        return all(value is None for value in wanted.values())
    return all(_merged(value, found.get(name)) for name, value in wanted.items())


def _operated(operation: Mapping[str, Any], found: Any) -> bool:
    for part in str(operation["path"]).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return bool(operation["op"] == "remove")
    wanted: Any = operation.get("value")
    return bool(operation["op"] != "remove" and found == wanted)
