"""The clusters that Argo CD knows, as its Secrets describe them."""

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from rollgraph.core.argocd.objects import ClusterSecret

# How Argo CD calls the cluster that it runs in, with or without a Secret for it.
IN_CLUSTER_SERVER = "https://kubernetes.default.svc"
IN_CLUSTER_NAME = "in-cluster"


class TlsConfig(msgspec.Struct, frozen=True, rename="camel"):
    """What to trust and which certificate to show. The data are PEM, in base64 on the wire."""

    insecure: bool = False
    server_name: str = ""
    ca_data: bytes | None = None
    cert_data: bytes | None = None
    key_data: bytes | None = None

    def __repr__(self) -> str:
        return "TlsConfig(...)"


class AwsAuth(msgspec.Struct, frozen=True, rename="camel"):
    """A cluster of AWS, for which a program fetches tokens."""

    cluster_name: str = ""
    role_arn: str = msgspec.field(default="", name="roleARN")
    profile: str = ""


class ExecProvider(msgspec.Struct, frozen=True, rename="camel"):
    """A program that fetches credentials."""

    command: str = ""
    args: list[str] | None = None
    env: dict[str, str] | None = None
    api_version: str = ""

    def __repr__(self) -> str:
        return f"ExecProvider({self.command!r}, ...)"


class ClusterConfig(msgspec.Struct, frozen=True, rename="camel"):
    """How to reach a cluster: the key `config` of its Secret. No part of it is ever a text."""

    username: str = ""
    password: str = ""
    bearer_token: str = ""
    tls_client_config: TlsConfig = TlsConfig()
    aws_auth_config: AwsAuth | None = None
    exec_provider_config: ExecProvider | None = None
    disable_compression: bool = False
    proxy_url: str = ""

    def __repr__(self) -> str:
        return "ClusterConfig(...)"


class Registration(msgspec.Struct, frozen=True):
    """A cluster as Argo CD knows it.

    Attributes:
        spoke: Its name in the fleet.
        server: Its address, as applications name it; one without `/` at the end.
        name: Its name, as applications name it.
        secret: The name of its Secret; "" for the cluster that needs none.
        problem: Why it cannot be watched, for a person; "" if it can.
    """

    spoke: str
    server: str
    name: str
    secret: str = ""
    config: ClusterConfig = ClusterConfig()
    namespaces: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    problem: str = ""

    @property
    def in_cluster(self) -> bool:
        """True for the hub itself."""
        return self.server == IN_CLUSTER_SERVER


def registrations(
    secrets: Iterable[ClusterSecret], *, in_cluster: bool = True
) -> list[Registration]:
    """All clusters, the oldest first.

    Of two Secrets for the same server the older one counts, and a name that is taken stays with
    whoever had it: otherwise a new Secret could take a cluster's place in policies. The younger is
    shown with its problem.

    Args:
        secrets: Those of Argo CD's namespace.
        in_cluster: Whether the hub itself is one of the clusters, as `cluster.inClusterEnabled` of
            argocd-cm says.
    """
    seen = _Seen()
    found = []
    for secret in sorted(secrets, key=lambda secret: (secret.created, secret.name)):
        known = registration(secret)
        if secret.skipped or (known.in_cluster and not in_cluster):
            in_cluster = in_cluster and not known.in_cluster
            continue
        found.append(seen.checked(known))
    if in_cluster and IN_CLUSTER_SERVER not in seen.servers:
        implicit = Registration(IN_CLUSTER_NAME, IN_CLUSTER_SERVER, IN_CLUSTER_NAME)
        found.append(seen.checked(implicit))
    return found


class _Seen:
    """The servers and names that are taken, each with who has it."""

    def __init__(self) -> None:
        self.servers: dict[str, str] = {}
        self._spokes: dict[str, str] = {}

    def checked(self, known: Registration) -> Registration:
        """A cluster, with its problem if another one has its place."""
        who = f"Secret {known.secret}" if known.secret else "the cluster of Argo CD itself"
        other = self.servers.setdefault(known.server, who) if known.server else who
        if other != who:
            known = _refused(
                known,
                f"server: {other}, which is older, is for the same one: delete one of the two",
            )
        holder = self._spokes.setdefault(known.spoke, who)
        if holder != who:
            renamed = f"{known.spoke}.{known.secret or 'hub'}"
            self._spokes[renamed] = who
            known = _refused(
                msgspec.structs.replace(known, spoke=renamed),
                f"name: {holder}, which is older, has the same one: give each cluster its own",
            )
        return known


def registration(secret: ClusterSecret) -> Registration:
    """What one Secret says, taken by itself."""
    server = _text(secret, "server").rstrip("/")
    name = _text(secret, "name")
    config, problem = ClusterConfig(), "" if server else "server: expected the cluster's address"
    try:
        if secret.data.get("config"):
            config = msgspec.json.decode(secret.data["config"], type=ClusterConfig)
    except msgspec.ValidationError as error:
        problem = f"config: {error}"  # types and places, no values
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = "config: expected JSON"  # the reader's own words might quote it
    return Registration(
        spoke=_spoke_name(name, server) or secret.name,
        server=server,
        name=name,
        secret=secret.name,
        config=config,
        namespaces=_names(_text(secret, "namespaces")),
        labels=secret.labels,
        problem=problem,
    )


def _refused(known: Registration, problem: str) -> Registration:
    return known if known.problem else msgspec.structs.replace(known, problem=problem)


def _text(secret: ClusterSecret, key: str) -> str:
    return secret.data.get(key, b"").decode("utf-8", "replace").strip()


def _spoke_name(name: str, server: str) -> str:
    """A name without `/`, which parts `cluster/namespace/name` in policies.

    `argocd cluster add` names a cluster by its context; who makes Secrets by hand often leaves the
    name out, or repeats the address.
    """
    plain = server if not name or "://" in name else name
    if "://" in plain:
        try:
            parts = urlsplit(plain)
        except ValueError:
            return ""
        plain = f"{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
    return plain.replace("/", ":")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part for item in text.split(",") if (part := item.strip()))
