"""The command lines of a spoke's programs."""

from collections.abc import Sequence
from pathlib import Path

from testbed.ports import LOOPBACK

CONTROLLERS = (
    "deployment-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
)
# The defaults (20 to 50 requests/s) make scale tests wait for client-side rate limits.
QPS, BURST = 200, 400
# Argo Rollouts has no flag for its listening address and would use 0.0.0.0. It only logs that an
# impossible port failed, and goes on without the listener.
NO_PORT = -1


def apiserver(name: str, port: int, etcd_url: str, folder: Path) -> list[str]:
    """kube-apiserver; ``folder`` has ``tokens.csv`` and ``audit-policy.yaml``.

    It makes its own authority and certificate in ``folder/certs`` if they are missing. The key of
    its serving certificate also signs ServiceAccount tokens: it is made before it is read, so no
    other tool has to make one.
    """
    certs = folder / "certs"
    key = certs / "apiserver.key"
    return [
        f"--etcd-servers={etcd_url}",
        f"--etcd-prefix=/{name}",
        f"--secure-port={port}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--cert-dir={certs}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        f"--service-account-issuer=https://{name}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--audit-policy-file={folder / 'audit-policy.yaml'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.0.0.0/16",
        # Nothing makes a ServiceAccount per namespace here, and pods would be refused.
        "--disable-admission-plugins=ServiceAccount",
        "--endpoint-reconciler-type=none",
    ]


def controller_manager(kubeconfig: Path) -> list[str]:
    """kube-controller-manager with the few controllers that rollouts and their tests need."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--kube-api-qps={QPS}",
        f"--kube-api-burst={BURST}",
    ]


def kwok(kubeconfig: Path, port: int, stages: Sequence[Path]) -> list[str]:
    """kwok: ``stages`` are the files that say how pods and nodes go on."""
    return [
        f"--kubeconfig={kubeconfig}",
        "--manage-all-nodes",
        "--node-lease-duration-seconds=0",
        f"--server-address={LOOPBACK}:{port}",
        *(f"--config={path}" for path in stages),
    ]


def rollouts_controller(kubeconfig: Path) -> list[str]:
    """The Argo Rollouts controller."""
    return [
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        f"--healthzPort={NO_PORT}",
        f"--metricsPort={NO_PORT}",
        f"--qps={QPS}",
        f"--burst={BURST}",
    ]
