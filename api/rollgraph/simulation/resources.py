"""The kinds that a simulated API server knows."""

from dataclasses import dataclass

ARGO = "argoproj.io/v1alpha1"
APPS = "apps/v1"
BATCH = "batch/v1"
CORE = "v1"


@dataclass(frozen=True)
class Resource:
    """One kind.

    Attributes:
        has_status: Its status is a subresource: neither of the two ways to write touches the part
            of the other.
    """

    kind: str
    api_version: str
    plural: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    has_status: bool = False

    @property
    def group(self) -> str:
        """Its API group, "" for the core's."""
        return self.api_version.rpartition("/")[0]

    @property
    def built_in(self) -> bool:
        """True for the kinds that Kubernetes itself has."""
        return self.api_version != ARGO

    @property
    def qualified(self) -> str:
        """Its name in messages, such as `rollouts.argoproj.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


RESOURCES = (
    Resource("Rollout", ARGO, "rollouts", ("ro",), has_status=True),
    Resource("AnalysisRun", ARGO, "analysisruns", ("ar",)),
    Resource("AnalysisTemplate", ARGO, "analysistemplates", ("at",)),
    Resource("ClusterAnalysisTemplate", ARGO, "clusteranalysistemplates", namespaced=False),
    Resource("Experiment", ARGO, "experiments", ("exp",)),
    Resource("ReplicaSet", APPS, "replicasets", ("rs",), has_status=True),
    Resource("Deployment", APPS, "deployments", ("deploy",), has_status=True),
    # Nobody makes any, but the kubectl plugin does not begin before it has listed them.
    Resource("Job", BATCH, "jobs", has_status=True),
    Resource("Pod", CORE, "pods", ("po",), has_status=True),
    Resource("Service", CORE, "services", ("svc",), has_status=True),
    Resource("Event", CORE, "events", ("ev",)),
    Resource("Namespace", CORE, "namespaces", ("ns",), namespaced=False, has_status=True),
)

BY_KIND = {resource.kind: resource for resource in RESOURCES}
BY_PATH = {(resource.api_version, resource.plural): resource for resource in RESOURCES}
