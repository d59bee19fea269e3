"""Settings of which clusters are watched, and by whom."""

from typing import Annotated

from pydantic import AfterValidator

from rollgraph.server.settings.forms import File, Files, Group, Names, _split, setting


class Spokes(Group):
    """Which clusters are watched, and how far they are believed."""

    kubeconfig: Files = setting(
        (),
        "Kubeconfig files, merged as kubectl does; or one directory of files, each of which stands "
        "for itself. Without any: those of `$KUBECONFIG`, else `~/.kube/config`. Read again when "
        "they change.",
        flag="--kubeconfig",
        value="PATH",
    )
    contexts: Names = setting(
        (),
        "The contexts to watch, each a cluster; without any, all.",
        flag="--context",
        value="NAME",
    )
    namespaces: Names = setting(
        (),
        "The namespaces to watch in each cluster whose context does not name its own; without any, "
        "all. For credentials that may not list the whole cluster.",
        flag="--namespace",
        value="NAME",
    )
    exec_allow: Names = setting(
        (),
        "Commands that a kubeconfig may run to get credentials, as bare names or absolute paths. "
        "None by default: whoever can write a kubeconfig could otherwise run anything here.",
        flag="--exec-allow",
        value="COMMAND",
    )
    stale_after: float = setting(
        10.0,
        "Seconds without a sign of life after which a cluster's rollouts are marked stale. Not "
        "less than 10: a silent API server is asked every 5 seconds and gets 4 to answer.",
        flag="--stale-after",
        value="SECONDS",
        ge=10,
        le=3600,
    )


class ArgoCd(Group):
    """An Argo CD whose clusters and permissions are taken over: see [Argo CD](../argocd.md)."""

    namespace: str = setting(
        "",
        "The namespace in which Argo CD runs. The clusters that it knows are watched then, in "
        "place of those of a kubeconfig, and what it allows its people counts here, too. Without "
        "it, there is no Argo CD.",
        flag="--argocd-namespace",
        value="NAMESPACE",
    )
    context: str = setting(
        "",
        "The context, of the kubeconfig, of the cluster in which Argo CD runs. Without it: the "
        "cluster in which Rollgraph itself runs, as its pod's service account.",
        flag="--argocd-context",
        value="NAME",
    )
    application_namespaces: Names = setting(
        (),
        "Further namespaces with Applications, as Argo CD's own `application.namespaces` has them; "
        "`*` for all. An AppProject must take Applications from there, too.",
        flag="--argocd-application-namespace",
        value="NAMESPACE",
    )


class Redis(Group):
    """Where several processes meet; [operations](../operations.md) tells what they keep there."""

    url: str = setting(
        "",
        "The Redis that workers and gateways share, of version 7 or later: `redis://HOST:PORT`, or "
        "`rediss://HOST:PORT` for TLS; with `USER@` before and `/NUMBER` of the database behind, "
        "if need be. For a Redis Cluster: `redis+cluster://HOST:PORT,HOST:PORT` with some of its "
        "servers, or `rediss+cluster://`. Without it, `rollgraph serve` keeps all in its own "
        "memory. Never logged.",
        flag="--redis",
        value="URL",
    )
    password_file: File | None = setting(
        None,
        "A file that has the password, read at the start: who lists processes sees the flags.",
        flag="--redis-password-file",
        value="FILE",
    )
    ca_file: File | None = setting(
        None,
        "Certificates, in PEM, of authorities that the Redis's may be signed by, instead of the "
        "system's.",
        flag="--redis-ca-file",
        value="FILE",
    )
    cert_file: File | None = setting(
        None,
        "The certificate, in PEM, to show to a Redis that asks for one. Read, like the other two, "
        "for each connection: whoever renews it need not start anything again.",
        flag="--redis-cert-file",
        value="FILE",
    )
    key_file: File | None = setting(
        None,
        "The key of that certificate, if it is not in the same file.",
        flag="--redis-key-file",
        value="FILE",
    )
    prefix: str = setting(
        "rollgraph",
        "What every key and channel begins with. Two installations in one Redis need two.",
        flag="--redis-prefix",
        value="PREFIX",
        pattern=r"^[A-Za-z0-9_.:-]+$",
    )


def _pairs(value: tuple[str, ...]) -> tuple[str, ...]:
    for pair in value:
        cluster, _, worker = pair.partition("=")
        if not (cluster and worker):
            raise ValueError("pairs such as prod-eu=worker-0")
    return value


class Workers(Group):
    """How workers share the clusters, where there are several."""

    name: str = setting(
        "",
        "The worker's name, for pins and in the log; without one, the host's. After a restart it "
        "may be the same.",
        flag="--worker-name",
        value="NAME",
        pattern=r"^[^\s=,]*$",
    )
    pins: Annotated[tuple[str, ...], _split(","), AfterValidator(_pairs)] = setting(
        (),
        "Clusters that a certain worker is to watch as long as it lives. All workers need the same "
        "pins.",
        flag="--pin",
        value="CLUSTER=WORKER",
    )
