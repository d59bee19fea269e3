"""How Argo CD marks an object as one of an application's."""

from enum import StrEnum

import msgspec

from rollgraph.core.argocd.objects import ROLLOUT_GROUP, ConfigMap
from rollgraph.core.objects.meta import Meta
from rollgraph.core.refs import Kind, ObjectKey

TRACKING_ANNOTATION = "argocd.argoproj.io/tracking-id"
INSTALLATION_ANNOTATION = "argocd.argoproj.io/installation-id"
INSTANCE_LABEL = "app.kubernetes.io/instance"


class Method(StrEnum):
    """By what an object is known; the value stands in argocd-cm.

    Argo CD before 3.0 took LABEL where argocd-cm said nothing.
    """

    ANNOTATION = "annotation"
    LABEL = "label"
    BOTH = "annotation+label"


class Tracking(msgspec.Struct, frozen=True):
    """How this Argo CD marks its objects.

    Attributes:
        label: The key of the label that holds an application's name.
        installation: Tells the marks of several Argo CDs apart; "" for none.
    """

    method: Method = Method.ANNOTATION
    label: str = INSTANCE_LABEL
    installation: str = ""


def tracking(config: ConfigMap | None) -> Tracking:
    """What argocd-cm says; a method that it does not know is, as for Argo CD, the annotation."""
    data = config.data if config is not None else {}
    method = data.get("application.resourceTrackingMethod", "")
    return Tracking(
        Method(method) if method in set(Method) else Method.ANNOTATION,
        data.get("application.instanceLabelKey") or INSTANCE_LABEL,
        data.get("installationID", ""),
    )


def claimed(meta: Meta, by: Tracking) -> str:
    """The application that a rollout's metadata claim, as `name` or `namespace_name`; "" for none.

    Whoever may write the object may write this claim, too: it proves nothing. A tracking id that
    names another object is one that was copied with its manifest, and is no claim.
    """
    if by.method is Method.LABEL:
        return meta.label(by.label)
    if meta.annotation(INSTALLATION_ANNOTATION) != by.installation:
        return ""
    claim = meta.annotation(TRACKING_ANNOTATION)
    here = f":{ROLLOUT_GROUP}/{Kind.ROLLOUT.value}:{meta.namespace}/{meta.name}"
    application = claim.removesuffix(here)
    return application if application != claim and ":" not in application else ""


def application_key(claim: str, argocd: str) -> ObjectKey:
    """The application that a claim means; without a namespace it is in Argo CD's own.

    Neither names of applications nor of namespaces can have a `_`.
    """
    namespace, found, name = claim.partition("_")
    return ObjectKey(namespace, name) if found else ObjectKey(argocd, claim)
