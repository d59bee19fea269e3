"""What the testbed is made of: Go modules of our own, because their dependency versions clash."""

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from testbed.errors import BuildError
from testbed.toolchain import Version, parse_version

GO_DIR = Path(__file__).with_name("go")
HASH_LENGTH = 12  # hex digits: 48 bits, plenty to tell a handful of builds apart


@dataclass(frozen=True)
class Program:
    """One binary; ``minutes``: its share of a first build on two cores."""

    name: str
    package: str
    minutes: float


@dataclass(frozen=True)
class Part:
    """One of our Go modules: its programs, and files it takes from the module it pins."""

    name: str
    module: str
    """The pinned module: our go.mod says its version."""
    programs: tuple[Program, ...]
    version_variables: Mapping[str, str] = field(default_factory=dict)
    """Linker variables and their values; ``{version}`` is the module's version."""
    assets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Folder in the cache -> globs in the pinned module."""
    tags: str = ""
    """Build tags, by commas."""

    @property
    def folder(self) -> Path:
        """Where our go.mod is."""
        return GO_DIR / self.name

    @property
    def version(self) -> str:
        """The pinned version, such as ``v1.34.4``."""
        module = re.escape(self.module)
        return self._search(rf"^require {module} (\S+)|^\t{module} (\S+)")

    @property
    def go_version(self) -> Version:
        """The oldest Go that builds it: go.mod's ``go`` line."""
        version = parse_version(self._search(r"^go (\S+)"))
        if version is None:
            raise BuildError(f"{self.folder / 'go.mod'}: its go line is no version: fix it")
        return version

    @property
    def ldflags(self) -> str:
        """Flags for ``go build -ldflags``: no debug symbols (30 % smaller), and the versions."""
        values = {k: v.format(version=self.version) for k, v in self.version_variables.items()}
        return " ".join(["-s -w", *(f"-X {k}={v}" for k, v in values.items())])

    @property
    def key(self) -> str:
        """Names the build in the cache: it changes whenever what is built would."""
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum"):
            digest.update((self.folder / name).read_bytes())
        recipe = (self.programs, self.ldflags, sorted(self.assets.items()), platform.machine())
        digest.update(repr((*recipe, self.tags) if self.tags else recipe).encode())
        return f"{self.name}-{digest.hexdigest()[:HASH_LENGTH]}"

    def _search(self, pattern: str) -> str:
        path = self.folder / "go.mod"
        match = re.search(pattern, path.read_text(), re.MULTILINE)
        if match is None:
            raise BuildError(f"{path}: nothing matches {pattern!r}: has the file been edited?")
        return next(g for g in match.groups() if g)


ETCD = Part(
    name="etcd",
    module="go.etcd.io/etcd/server/v3",
    programs=(Program("etcd", "go.etcd.io/etcd/server/v3", 0.5),),
)
KUBERNETES = Part(
    name="kubernetes",
    module="k8s.io/kubernetes",
    programs=(
        Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 4),
        Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", 1),
        Program("kubectl", "k8s.io/kubernetes/cmd/kubectl", 0.5),
    ),
    # Without it /version answers an empty gitVersion, and clients that parse it stumble.
    version_variables={"k8s.io/component-base/version.gitVersion": "{version}"},
)
ROLLOUTS = Part(
    name="rollouts",
    module="github.com/argoproj/argo-rollouts",
    programs=(
        Program(
            "rollouts-controller", "github.com/argoproj/argo-rollouts/cmd/rollouts-controller", 2.5
        ),
        Program(
            "kubectl-argo-rollouts",
            "github.com/argoproj/argo-rollouts/cmd/kubectl-argo-rollouts",
            0.5,
        ),
    ),
    version_variables={"github.com/argoproj/argo-rollouts/utils/version.version": "{version}"},
    assets={"crds": ("manifests/crds/*-crd.yaml",)},
)
KWOK = Part(
    name="kwok",
    module="sigs.k8s.io/kwok",
    programs=(Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", 1.5),),
    assets={
        "stages": (
            "kustomize/stage/pod/fast/pod-*.yaml",
            "kustomize/stage/node/fast/node-initialize.yaml",
        )
    },
)
TOXIPROXY = Part(
    name="toxiproxy",
    module="github.com/Shopify/toxiproxy/v2",
    programs=(Program("toxiproxy-server", "github.com/Shopify/toxiproxy/v2/cmd/server", 0.5),),
)
PARTS = (ETCD, KUBERNETES, ROLLOUTS, KWOK, TOXIPROXY)
"""What `Fleet` needs, and the tests that run on it."""

# One module for three: what they have in common is compiled once.
HELM = Part(
    name="helm",
    module="helm.sh/helm/v3",
    programs=(
        Program("helm", "helm.sh/helm/v3/cmd/helm", 1.5),
        Program("helm-unittest", "github.com/helm-unittest/helm-unittest/cmd/helm-unittest", 0.1),
        Program("helm-docs", "github.com/norwoodj/helm-docs/cmd/helm-docs", 0.1),
    ),
    # Without them it holds the cluster that a chart is for to be of version 1.20.
    version_variables={
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "1",
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": "34",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": "1",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": "34",
    },
)
KUBECONFORM = Part(
    name="kubeconform",
    module="github.com/yannh/kubeconform",
    programs=(Program("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", 0.1),),
)
PROMTOOL = Part(
    name="promtool",
    module="github.com/prometheus/prometheus",
    programs=(Program("promtool", "github.com/prometheus/prometheus/cmd/promtool", 2),),
    # Rules are checked without any cloud's way to find targets; with them it takes ten minutes.
    tags="remove_all_sd",
)
PROMETHEUS_OPERATOR = Part(
    name="prometheus-operator",
    module="github.com/prometheus-operator/prometheus-operator",
    programs=(),
    assets={
        "monitoring-crds": tuple(
            f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml"
            for kind in ("podmonitors", "prometheusrules", "servicemonitors")
        )
    },
)
GATEWAY_API = Part(
    name="gateway-api",
    module="sigs.k8s.io/gateway-api",
    programs=(),
    assets={"gateway-crds": ("config/crd/standard/*_httproutes.yaml",)},
)
# Compose's own reader of Compose files: it prints what it has understood.
COMPOSE = Part(
    name="compose",
    module="github.com/compose-spec/compose-go/v2",
    programs=(Program("compose-config", "github.com/compose-spec/compose-go/v2/cmd", 0.2),),
)
ACTIONLINT = Part(
    name="actionlint",
    module="github.com/rhysd/actionlint",
    programs=(Program("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", 0.3),),
)
TOOLS = (
    HELM,
    KUBECONFORM,
    PROMTOOL,
    PROMETHEUS_OPERATOR,
    GATEWAY_API,
    COMPOSE,
    ACTIONLINT,
)
"""Built when a test first asks for them: `ensure_built([HELM]).program("helm")`."""
EVERYTHING = (*PARTS, *TOOLS)
