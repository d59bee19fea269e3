"""As much of an Argo CD as Rollgraph reads: its kinds and objects, on a spoke that is the hub."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import yaml

from testbed.cluster import RBAC, Object
from testbed.spoke import Spoke
from testbed.users import Access, write_kubeconfig

NAMESPACE = "argocd"
ACCOUNT = "rollgraph"
DOCS = Path(__file__).parents[2] / "docs" / "argocd.md"


class ArgoCd:
    """Argo CD's namespace on a hub, and the documented right to read it.

    Args:
        hub: The spoke that it is put on.
    """

    def __init__(self, hub: Spoke) -> None:
        self._hub = hub
        self._admin = hub.cluster()

    def install(self) -> None:
        """Makes the kinds, the namespace, and a service account with the Role of the docs."""
        for kind, plural in (("Application", "applications"), ("AppProject", "appprojects")):
            self._admin.apply(_crd(kind, plural))
            self._admin.wait_for(
                "CustomResourceDefinition",
                f"{plural}.argoproj.io",
                lambda found: any(
                    c["type"] == "Established" and c["status"] == "True"
                    for c in found.get("status", {}).get("conditions") or []
                ),
                what="Established",
            )
        self._hub.namespace(NAMESPACE)
        self._admin.apply(documented_role())
        self._admin.apply(_binding("RoleBinding", "Role", "rollgraph", namespace=NAMESPACE))
        reader = "rollgraph-reader"
        self._admin.apply(_binding("ClusterRoleBinding", "ClusterRole", reader))

    def kubeconfig(self, path: Path) -> Path:
        """A kubeconfig with the one context `hub`, of that service account."""
        token = self._hub.service_account_token(ACCOUNT, NAMESPACE)
        return write_kubeconfig(path, {"hub": Access(self._hub.url, self._hub.ca, ACCOUNT, token)})

    def cluster(
        self,
        secret: str,
        config: dict[str, Any] | str,
        *,
        labels: dict[str, str] | None = None,
        annotations: dict[str, str] | None = None,
        **content: str,
    ) -> None:
        """A cluster's Secret."""
        text = config if isinstance(config, str) else json.dumps(config)
        self.put(
            "Secret",
            secret,
            labels={"argocd.argoproj.io/secret-type": "cluster", **(labels or {})},
            annotations=annotations or {},
            data={key: _base64(value) for key, value in {**content, "config": text}.items()},
        )

    def config_map(self, name: str, data: dict[str, str]) -> None:
        """A ConfigMap, in place of the one before."""
        self.put("ConfigMap", name, data=data)

    def application(self, name: str, project: str, destination: Object, *rollouts: str) -> None:
        """An Application that manages rollouts, each as `namespace/name`."""
        resources = [
            {
                "group": "argoproj.io",
                "version": "v1alpha1",
                "kind": "Rollout",
                "namespace": rollout.split("/")[0],
                "name": rollout.split("/")[1],
            }
            for rollout in rollouts
        ]
        self.put(
            "Application",
            name,
            spec={"project": project, "destination": destination},
            status={"resources": resources},
        )

    def project(self, name: str, **spec: Any) -> None:
        """An AppProject."""
        self.put("AppProject", name, spec=spec)

    def put(self, kind: str, name: str, **parts: Any) -> None:
        """Any object of the namespace; what it had before is gone."""
        metadata = {"name": name, "namespace": NAMESPACE}
        for key in ("labels", "annotations"):
            metadata |= {key: parts.pop(key)} if key in parts else {}
        core = kind in {"Secret", "ConfigMap"}
        version = "v1" if core else "argoproj.io/v1alpha1"
        self._admin.apply({"apiVersion": version, "kind": kind, "metadata": metadata, **parts})

    def delete(self, kind: str, name: str) -> None:
        """Deletes an object of the namespace."""
        self._admin.delete(kind, name, NAMESPACE)


def by_token(spoke: Spoke, user: str = "reader") -> dict[str, Any]:
    """A Secret's `config` for a spoke that is trusted by its CA."""
    access = spoke.access(user)
    return {"bearerToken": access.token, "tlsClientConfig": {"caData": _base64(access.ca)}}


def documented_role() -> Object:
    """The Role that docs/argocd.md says is enough."""
    [text] = re.findall(r"^```yaml\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    role: Object = yaml.safe_load(text)
    return role


def _binding(kind: str, role_kind: str, role: str, **metadata: str) -> Object:
    return {
        "apiVersion": RBAC,
        "kind": kind,
        "metadata": {"name": f"argocd-{ACCOUNT}", **metadata},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }


def _crd(kind: str, plural: str) -> Object:
    """A kind that takes anything, as far as Rollgraph cares."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.argoproj.io"},
        "spec": {
            "group": "argoproj.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": "v1alpha1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
