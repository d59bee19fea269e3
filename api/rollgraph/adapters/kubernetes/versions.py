"""Which spoke it is, and which versions run on it."""

import msgspec

from rollgraph.core.errors import UnreadableError
from rollgraph.core.objects import decode
from rollgraph.core.objects.meta import Container, Meta, Read
from rollgraph.core.objects.workloads import Deployment
from rollgraph.core.refs import Kind

CONTROLLER_SELECTOR = "app.kubernetes.io/name=argo-rollouts"


class _VersionInfo(Read, frozen=True):
    git_version: str = ""


class _Namespace(Read, frozen=True):
    metadata: Meta


_namespaces = msgspec.json.Decoder(_Namespace)
_version_infos = msgspec.json.Decoder(_VersionInfo)


def kubernetes_version(body: bytes) -> str:
    """The version in an answer of `/version`."""
    try:
        return _version_infos.decode(body).git_version
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"not a version: {error}") from error


def namespace_uid(body: bytes) -> str:
    """The UID in an answer of `/api/v1/namespaces/NAME`."""
    try:
        return _namespaces.decode(body).metadata.uid
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"not a namespace: {error}") from error


def argo_rollouts_version(body: bytes) -> str:
    """The image tag of the controller in a list of Deployments; "" without one.

    The Helm chart gives the dashboard the same label, so the image's name decides.
    """
    for raw in decode.object_list(body).items or ():
        deployment = decode.kube_object(Kind.DEPLOYMENT, raw)
        if isinstance(deployment, Deployment):
            for container in deployment.spec.template.spec.containers or ():
                if tag := _tag(container):
                    return tag
    return ""


def _tag(container: Container) -> str:
    """`v1.8.3` of `quay.io:443/argoproj/argo-rollouts:v1.8.3@sha256:...`."""
    last = container.image.partition("@")[0].rpartition("/")[2]
    name, _, tag = last.partition(":")
    return tag if name == "argo-rollouts" else ""
