"""Manifests that the scenarios share. Pods run at once on the fake node, or never elsewhere."""

from testbed.cluster import Object
from testbed.install import NODE

IMAGE = "argoproj/rollouts-demo"
CONTAINER = "demo"


def rollout(name: str, strategy: Object, *, replicas: int = 2, **spec: object) -> Object:
    """A Rollout of the demo image; ``spec`` adds fields or replaces them."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, "blue"),
            "strategy": strategy,
            **spec,
        },
    }


def template(app: str, tag: str) -> Object:
    """A pod template whose pods run."""
    return {"metadata": {"labels": {"app": app}}, "spec": pod_spec(tag)}


def pod_spec(tag: str, *, stuck: bool = False) -> Object:
    """A pod's spec; ``stuck``: on no node, so that the pod stays Pending for ever.

    As a merge patch it changes one into the other.
    """
    return {
        "nodeName": None if stuck else NODE,
        "containers": [{"name": CONTAINER, "image": f"{IMAGE}:{tag}"}],
    }


def canary(*steps: Object, **fields: object) -> Object:
    """A canary strategy."""
    return {"canary": {"steps": list(steps), **fields} if steps else dict(fields)}


def weight(percent: int) -> Object:
    """A setWeight step."""
    return {"setWeight": percent}


def pause(seconds: int | None = None) -> Object:
    """A pause step, without end when ``seconds`` is None."""
    return {"pause": {} if seconds is None else {"duration": f"{seconds}s"}}


def service(name: str, app: str) -> Object:
    """A Service whose selector the controller completes."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80}]},
    }


def ingress(name: str, stable: str) -> Object:
    """An nginx Ingress to a stable Service: all that traffic routing by nginx needs."""
    backend = {"service": {"name": stable, "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": {"kubernetes.io/ingress.class": "nginx"}},
        "spec": {"rules": [{"host": f"{name}.example", "http": {"paths": paths}}]},
    }


def analysis_template(name: str, metric: Object) -> Object:
    """An AnalysisTemplate of one metric."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name},
        "spec": {"metrics": [metric]},
    }


def web_metric(url: str, *, interval: int, count: int | None) -> Object:
    """A metric that asks ``url``: 0.9 and more passes, below 0.5 fails, between is inconclusive.

    ``interval`` in seconds; without ``count`` it measures until the run is ended.
    """
    metric: Object = {
        "name": "success-rate",
        "interval": f"{interval}s",
        "successCondition": "result >= 0.9",
        "failureCondition": "result < 0.5",
        "provider": {"web": {"url": url, "jsonPath": "{$.value}"}},
    }
    return metric if count is None else {**metric, "count": count}
