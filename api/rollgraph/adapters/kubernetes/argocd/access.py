"""The ways to the hub and to the clusters that Argo CD knows, as entries of a kubeconfig are."""

import base64
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import anyio.to_thread
import msgspec

from rollgraph.adapters.kubernetes.execplugin import EnvVar, ExecConfig
from rollgraph.adapters.kubernetes.kubeconfig import (
    Cluster,
    Entry,
    User,
    entries,
    read_kubeconfig,
)
from rollgraph.adapters.kubernetes.listwatch import KubernetesListWatch
from rollgraph.adapters.kubernetes.opening import Opening
from rollgraph.adapters.kubernetes.patcher import KubernetesPatcher
from rollgraph.core.argocd.clusters import AwsAuth, ClusterConfig, Registration
from rollgraph.core.errors import ConfigError

# Where a kubelet puts what a pod may be in its own cluster.
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# The program of Argo CD's own image that fetches tokens of clouds.
AWS_COMMAND = "argocd-k8s-auth"
AWS_API_VERSION = "client.authentication.k8s.io/v1beta1"

FindEntry = Callable[[], Entry]


def pod_entry(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Entry:
    """The cluster that this process runs in; `ConfigError` if it runs in none."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise ConfigError(
            "this process does not run in a pod, so it has to be told the context of Argo CD's"
            " cluster: --argocd-context"
        )
    address = f"[{host}]" if ":" in host else host
    return Entry(
        name="pod",
        file=folder,
        cluster=Cluster(f"https://{address}:{port}", certificate_authority="ca.crt"),
        user=User(token_file="token"),
        cluster_folder=folder,
        user_folder=folder,
        place=f"{folder}",
    )


def context_entry(paths: tuple[Path, ...], context: str) -> Entry:
    """A context of some kubeconfig files, as they are now; `ConfigError` if there is none."""
    there = [path for path in paths if path.exists()] or paths[:1]
    for entry in entries({path: read_kubeconfig(path) for path in there}):
        if entry.name == context:
            return entry
    raise ConfigError(f"{', '.join(map(str, paths))}: expected a context {context!r}")


class HubOpening:
    """Opens the hub's API server, by what its files say at that moment.

    Args:
        find: Reads the hub's entry; raises `ConfigError`.
        exec_allow: The credential plugins that may be run.
        user: Who to be in place of whom the entry says.
    """

    def __init__(
        self, find: FindEntry, exec_allow: Collection[str], user: User | None = None
    ) -> None:
        self._find = find
        self._exec_allow = exec_allow
        self._user = user

    async def __call__(self) -> KubernetesListWatch:
        """Opens it to be watched; raises as `Opening` does."""
        return await (await self._opening())()

    async def patcher(self) -> KubernetesPatcher:
        """Opens it to be changed; raises as `Opening` does."""
        return await (await self._opening()).patcher()

    async def _opening(self) -> Opening:
        entry = await anyio.to_thread.run_sync(self._find)
        if self._user is not None:
            entry = msgspec.structs.replace(entry, user=self._user)
        return Opening(entry, self._exec_allow)


class Refusing:
    """Opens nothing: a cluster that is described wrongly.

    Args:
        problem: What is wrong, for a person.
    """

    def __init__(self, problem: str) -> None:
        self._problem = problem

    async def __call__(self) -> KubernetesListWatch:
        """Raises `ConfigError`."""
        raise ConfigError(self._problem)

    async def patcher(self) -> KubernetesPatcher:
        """Raises `ConfigError`, too."""
        raise ConfigError(self._problem)


def secret_entry(known: Registration, place: str) -> Entry:
    """A cluster as its Secret describes it."""
    config, tls, nowhere = known.config, known.config.tls_client_config, Path()
    return Entry(
        name=known.spoke,
        file=nowhere,
        cluster=Cluster(
            server=_plain(known.server),
            certificate_authority_data=_base64(tls.ca_data),
            insecure_skip_tls_verify=tls.insecure,
            tls_server_name=tls.server_name,
            proxy_url=config.proxy_url,
            disable_compression=config.disable_compression,
        ),
        user=_user(config),
        cluster_folder=nowhere,
        user_folder=nowhere,
        place=place,
    )


def in_cluster_user(config: ClusterConfig) -> User | None:
    """Who to be in the hub itself, if a Secret says so; the way there is not its to say."""
    if config.bearer_token or config.username or config.password:
        return User(token=config.bearer_token, username=config.username, password=config.password)
    return None


def _user(config: ClusterConfig) -> User:
    """Who to be; of several ways the one that Argo CD takes."""
    tls, program = config.tls_client_config, _program(config)
    plain = ClusterConfig() if program is not None else config
    return User(
        client_certificate_data=_base64(tls.cert_data),
        client_key_data=_base64(tls.key_data),
        token=plain.bearer_token,
        username=plain.username,
        password=plain.password,
        exec=program,
    )


def _program(config: ClusterConfig) -> ExecConfig | None:
    """The program that gives credentials, if one does."""
    if config.aws_auth_config is not None:
        return _aws(config.aws_auth_config)
    provider = config.exec_provider_config
    if provider is None:
        return None
    env = [EnvVar(name, value) for name, value in sorted((provider.env or {}).items())]
    return ExecConfig(provider.command, provider.api_version, provider.args, env)


def _aws(auth: AwsAuth) -> ExecConfig:
    args = ["aws", "--cluster-name", auth.cluster_name]
    args += ["--role-arn", auth.role_arn] if auth.role_arn else []
    args += ["--profile", auth.profile] if auth.profile else []
    return ExecConfig(AWS_COMMAND, AWS_API_VERSION, args)


def _plain(server: str) -> str:
    """Without a query: some tell two Secrets of a server apart by one, which no server is sent."""
    try:
        return urlunsplit(urlsplit(server)._replace(query="", fragment=""))
    except ValueError:
        return server  # opening says what is wrong with it


def _base64(data: bytes | None) -> str:
    return base64.b64encode(data or b"").decode("ascii")
