"""From what a stream or list holds to typed objects, one broken object hurting no other."""

import msgspec
import structlog

from rollgraph.core.errors import UnreadableError
from rollgraph.core.objects import decode
from rollgraph.core.objects.decode import WatchEvent
from rollgraph.core.objects.meta import KubeObject
from rollgraph.core.refs import Kind
from rollgraph.spokes.store import Delivery

_log = structlog.get_logger(__name__)


def read_object(kind: Kind, raw: msgspec.Raw) -> KubeObject | None:
    """An object; None for one that has not even readable metadata, which is left out."""
    try:
        return decode.kube_object(kind, raw)
    except UnreadableError as error:
        _log.warning("object_unreadable", kind=str(kind), error=str(error))
        return None


def delivered(kind: Kind, event: WatchEvent) -> Delivery | None:
    """The object of an ADDED, MODIFIED or DELETED event; None if it has to be left out."""
    obj = read_object(kind, event.object)
    return None if obj is None else Delivery(obj, gone=event.type == "DELETED")
