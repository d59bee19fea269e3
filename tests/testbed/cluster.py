"""A small synchronous Kubernetes client: what tests need to drive a spoke and to look at it."""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from testbed.deadline import wait_until
from testbed.errors import ApiError

Object = dict[str, Any]
"""A Kubernetes object as JSON gives it."""

FIELD_MANAGER = "testbed"
REQUEST_SECONDS = 30.0
WAIT_SECONDS = 60.0  # a step takes 1-3 s on an idle machine
STATUS_CHARACTERS = 2_000  # of an object's status in an error message


@dataclass(frozen=True)
class Resource:
    """Where objects of a kind live in the API."""

    api_version: str
    plural: str
    namespaced: bool = True


ARGO = "argoproj.io/v1alpha1"
RBAC = "rbac.authorization.k8s.io/v1"
RESOURCES: Mapping[str, Resource] = {
    "AnalysisRun": Resource(ARGO, "analysisruns"),
    "AnalysisTemplate": Resource(ARGO, "analysistemplates"),
    "AppProject": Resource(ARGO, "appprojects"),
    "Application": Resource(ARGO, "applications"),
    "ClusterAnalysisTemplate": Resource(ARGO, "clusteranalysistemplates", namespaced=False),
    "ClusterRole": Resource(RBAC, "clusterroles", namespaced=False),
    "ClusterRoleBinding": Resource(RBAC, "clusterrolebindings", namespaced=False),
    "ConfigMap": Resource("v1", "configmaps"),
    "CustomResourceDefinition": Resource(
        "apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False
    ),
    "Deployment": Resource("apps/v1", "deployments"),
    "Event": Resource("v1", "events"),
    "Experiment": Resource(ARGO, "experiments"),
    "Ingress": Resource("networking.k8s.io/v1", "ingresses"),
    "Job": Resource("batch/v1", "jobs"),
    "Namespace": Resource("v1", "namespaces", namespaced=False),
    "Node": Resource("v1", "nodes", namespaced=False),
    "Pod": Resource("v1", "pods"),
    "PodTemplate": Resource("v1", "podtemplates"),
    "ReplicaSet": Resource("apps/v1", "replicasets"),
    "Role": Resource(RBAC, "roles"),
    "RoleBinding": Resource(RBAC, "rolebindings"),
    "Rollout": Resource(ARGO, "rollouts"),
    "Secret": Resource("v1", "secrets"),
    "Service": Resource("v1", "services"),
    "ServiceAccount": Resource("v1", "serviceaccounts"),
}


class Cluster:
    """One user's view of one API server. Kinds are named as in manifests: ``Rollout``, ``Pod``.

    Namespaces default to ``default``. Every method raises ``ApiError`` when the API server says
    no, and ``httpx2.TransportError`` when it does not answer.
    """

    def __init__(self, url: str, token: str, ca: str) -> None:
        """``ca``: the PEM text of the certificate authority that the server is verified by."""
        self.url = url
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cadata=ca),
            timeout=REQUEST_SECONDS,
            trust_env=False,  # a proxy of the environment has no business on loopback
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        """One object."""
        return self.request("GET", path_of(kind, namespace, name))

    def find(self, kind: str, name: str, namespace: str = "default") -> Object | None:
        """One object, or None when there is none of that name."""
        try:
            return self.get(kind, name, namespace)
        except ApiError as e:
            if e.status == 404:
                return None
            raise

    def list(self, kind: str, namespace: str | None = "default", labels: str = "") -> list[Object]:
        """All objects of a namespace, or of all namespaces when it is None; ``labels`` selects."""
        params = {"labelSelector": labels} if labels else None
        items: list[Object] = self.request("GET", path_of(kind, namespace), params=params)["items"]
        return items

    def create(self, manifest: Object) -> Object:
        """Create what must not exist yet."""
        metadata = manifest["metadata"]
        path = path_of(manifest["kind"], metadata.get("namespace", "default"))
        return self.request("POST", path, body=manifest)

    def apply(self, manifest: Object) -> Object:
        """Server-side apply, forced: create it or make it so."""
        metadata = manifest["metadata"]
        path = path_of(manifest["kind"], metadata.get("namespace", "default"), metadata["name"])
        return self.request(
            "PATCH",
            path,
            body=manifest,
            params={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type="application/apply-patch+yaml",  # JSON is YAML
        )

    def patch(
        self, kind: str, name: str, patch: Object, namespace: str = "default", *, sub: str = ""
    ) -> Object:
        """JSON merge patch of the object, or of its subresource ``sub`` (``status``, ``scale``)."""
        path = path_of(kind, namespace, name) + (f"/{sub}" if sub else "")
        return self.request("PATCH", path, body=patch, content_type="application/merge-patch+json")

    def delete(self, kind: str, name: str, namespace: str = "default") -> None:
        """Delete it with what it owns; fine when it is gone already."""
        try:
            self.request(
                "DELETE",
                path_of(kind, namespace, name),
                params={"propagationPolicy": "Background"},
            )
        except ApiError as e:
            if e.status != 404:
                raise

    def wait_for(
        self,
        kind: str,
        name: str,
        condition: Callable[[Object], bool],
        namespace: str = "default",
        *,
        seconds: float = WAIT_SECONDS,
        what: str = "the condition",
    ) -> Object:
        """Poll the object until ``condition`` holds, and return it as it then was.

        Raises:
            NotReachedError: after ``seconds``, with the object's last status.
        """
        seen: list[Object] = []

        def check() -> str | None:
            found = self.find(kind, name, namespace)
            if found is None:
                return "it does not exist"
            seen[:] = [found]
            return None if condition(found) else _status(found)

        wait_until(check, seconds=seconds, what=f"{what} of {kind} {namespace}/{name}")
        return seen[0]

    def wait_gone(
        self, kind: str, name: str, namespace: str = "default", *, seconds: float = WAIT_SECONDS
    ) -> None:
        """Poll until the object does not exist.

        Raises:
            NotReachedError: after ``seconds``.
        """
        wait_until(
            lambda: "it still exists" if self.find(kind, name, namespace) else None,
            seconds=seconds,
            what=f"end of {kind} {namespace}/{name}",
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Object | bytes | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Any request whose answer is a JSON object; bytes are sent as they are."""
        response = self._http.request(
            method,
            path,
            content=json.dumps(body) if isinstance(body, dict) else body,
            params=params,
            headers={} if body is None else {"Content-Type": content_type},
        )
        if response.is_error:
            raise _api_error(f"{method} {self.url}{path}", response)
        answer: Object = response.json()
        return answer

    def ready(self) -> str | None:
        """A readiness check: None once ``/readyz`` says ok."""
        try:
            response = self._http.get("/readyz", timeout=2)
        except httpx2.TransportError as e:
            return f"{self.url}/readyz does not answer: {e!r}"
        return None if response.is_success else f"{self.url}/readyz says {response.text.strip()}"


def path_of(kind: str, namespace: str | None = "default", name: str = "") -> str:
    """The API path of a kind's collection, or of one object; the kind is one of ``RESOURCES``."""
    resource = RESOURCES[kind]
    root = "api" if resource.api_version == "v1" else "apis"
    scope = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    tail = f"/{name}" if name else ""
    return f"/{root}/{resource.api_version}{scope}/{resource.plural}{tail}"


def _api_error(what: str, response: httpx2.Response) -> ApiError:
    try:
        status = response.json()
    except ValueError:
        return ApiError(what, response.status_code, "NotJSON", response.text[:STATUS_CHARACTERS])
    return ApiError(what, response.status_code, status.get("reason", ""), status.get("message", ""))


def _status(found: Object) -> str:
    return f"status {json.dumps(found.get('status', {}))[:STATUS_CHARACTERS]}"
