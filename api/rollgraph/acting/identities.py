"""As whom somebody's action is carried out on a spoke."""

from collections.abc import Iterable

import msgspec
import structlog

from rollgraph.access.caller import Caller
from rollgraph.acting.allowances import Allowances
from rollgraph.acting.outcome import Forbidden
from rollgraph.core.decision import Decision, Layer
from rollgraph.core.identity import (
    OURSELVES,
    Identity,
    IdentityMode,
    Impersonated,
    PassedThrough,
)
from rollgraph.core.viewer import Login, Viewer
from rollgraph.ports import AccessQuestion, Patcher, Spoke

# Kubernetes' own names begin so. Whoever could become one of them could become anybody.
RESERVED = "system:"
_AUTHENTICATION = "authentication.k8s.io"
REQUEST_ID = "rollgraph-request-id"
_TELL_REQUEST = AccessQuestion("impersonate", "userextras", _AUTHENTICATION, REQUEST_ID)

_log = structlog.get_logger(__name__)


class Naming(msgspec.Struct, frozen=True):
    """What people and groups are called on spokes.

    Attributes:
        user_prefix: Stands before each user's name, such as "oidc:".
        group_prefix: Stands before each group's.
    """

    user_prefix: str = ""
    group_prefix: str = ""

    def user(self, viewer: Viewer) -> str:
        """The viewer's name there."""
        return self.user_prefix + viewer.subject

    def groups(self, viewer: Viewer) -> list[str]:
        """The names of the viewer's groups there, without those that nobody gets from us."""
        named = (self.group_prefix + group for group in viewer.groups if group)
        return [name for name in dict.fromkeys(named) if _harmless(name)]


class Identities:
    """Decides as whom.

    Args:
        mode: Where a spoke's description does not say.
        naming: What people are called on spokes.
    """

    def __init__(
        self, mode: IdentityMode = IdentityMode.IMPERSONATE, naming: Naming | None = None
    ) -> None:
        self._mode = mode
        self._naming = naming if naming is not None else Naming()

    async def of(
        self,
        caller: Caller,
        spoke: Spoke,
        allowances: Allowances,
        patcher: Patcher,
        request_id: str,
    ) -> Identity | Forbidden:
        """As whom the caller acts on a spoke, or why they cannot.

        Whoever has not logged in is nobody who could be impersonated, and acts as Rollgraph. Raises
        a `SpokeError` if the spoke does not tell whether we may impersonate: that is no reason to
        act with more rights.
        """
        mode = spoke.identity or self._mode
        viewer = caller.viewer
        if mode is IdentityMode.SERVICE_ACCOUNT or viewer.login is Login.NONE:
            return OURSELVES
        if mode is IdentityMode.PASSTHROUGH:
            return _passed_through(caller, spoke)
        user = self._naming.user(viewer)
        if not viewer.subject or not _harmless(user):
            return _refused(
                f"{viewer.subject!r} is never impersonated on a cluster: names that begin with"
                f" {RESERVED!r} are Kubernetes' own. An operator can set acting.user_prefix, or"
                " identity serviceAccount for this cluster"
            )
        rights = _Impersonation(allowances, patcher)
        if not await rights.may_be("users", user):
            _log.warning(
                "not_impersonating",
                cluster=spoke.name,
                user=user,
                consequence="acts with Rollgraph's own rights; the cluster's audit names Rollgraph",
                remedy="`rollgraph spoke manifest --identity impersonate`, or identity "
                "serviceAccount for this cluster",
            )
            return OURSELVES
        groups = await rights.those_of("groups", self._naming.groups(viewer))
        told = request_id if request_id and await allowances.may(_TELL_REQUEST, patcher) else ""
        return Impersonated(user, groups, told)


class _Impersonation:
    """What we may impersonate: anybody, or those who are named."""

    def __init__(self, allowances: Allowances, patcher: Patcher) -> None:
        self._allowances = allowances
        self._patcher = patcher

    async def may_be(self, resource: str, name: str) -> bool:
        """Whether we may be a user, or in a group."""
        anybody = AccessQuestion("impersonate", resource)
        if await self._allowances.may(anybody, self._patcher):
            return True
        return await self._allowances.may(
            msgspec.structs.replace(anybody, name=name), self._patcher
        )

    async def those_of(self, resource: str, names: Iterable[str]) -> tuple[str, ...]:
        """The groups that we may be in. To leave one out can only take rights away."""
        allowed = [(name, await self.may_be(resource, name)) for name in names]
        left_out = [name for name, may in allowed if not may]
        if left_out:
            _log.info("groups_not_impersonated", groups=left_out)
        return tuple(name for name, may in allowed if may)


def _passed_through(caller: Caller, spoke: Spoke) -> Identity | Forbidden:
    if not caller.token:
        return _refused(
            f"cluster {spoke.name!r} wants your own token (identity passthrough), and this login"
            " has none: send a bearer token"
        )
    return PassedThrough(caller.token, caller.viewer.subject)


def _harmless(name: str) -> bool:
    """False for Kubernetes' own names, and for what a header cannot hold."""
    return name.isprintable() and not name.strip().lower().startswith(RESERVED)


def _refused(message: str) -> Forbidden:
    return Forbidden(message, Decision(Layer.KUBERNETES_RBAC, message=message))
