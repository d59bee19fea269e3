"""From an entry of a kubeconfig to a connection."""

import base64
import binascii
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

from rollgraph.adapters.kubernetes.credentials import (
    Credentials,
    FixedCredentials,
    Headers,
    TokenFile,
    basic,
    bearer,
)
from rollgraph.adapters.kubernetes.execplugin import ExecCredentials, ExecPlugin, ExecStatus
from rollgraph.adapters.kubernetes.kubeconfig import Entry
from rollgraph.adapters.kubernetes.listwatch import KubernetesListWatch
from rollgraph.adapters.kubernetes.patcher import KubernetesPatcher
from rollgraph.adapters.kubernetes.tls import tls_context
from rollgraph.core.errors import ConfigError


class Opening:
    """Opens the API server of one entry: a `ports.OpenListWatch`.

    Args:
        entry: What the kubeconfig says.
        exec_allow: The credential plugins that may be run.
    """

    def __init__(self, entry: Entry, exec_allow: Collection[str]) -> None:
        self._entry = entry
        self._exec_allow = exec_allow

    async def __call__(self) -> KubernetesListWatch:
        """Opens it to be watched, with credentials as they are now.

        Raises `ConfigError` naming the entry and what was expected, or `UnauthenticatedError`.
        """
        with self._placed():
            status, credentials, options = await self._parts()
            return KubernetesListWatch(
                self._entry.cluster.server,
                credentials,
                tls=self._tls(status),
                compressed=not self._entry.cluster.disable_compression,
                **options,
            )

    async def patcher(self) -> KubernetesPatcher:
        """Opens it to be changed: a `ports.OpenPatcher`; raises as for watching."""
        with self._placed():
            status, credentials, options = await self._parts()
            return KubernetesPatcher(
                self._entry.cluster.server,
                credentials,
                tls=self._tls(status),
                anonymous_tls=lambda: self._tls(None),
                **options,
            )

    @contextmanager
    def _placed(self) -> Iterator[None]:
        try:
            yield
        except ConfigError as error:
            raise ConfigError(f"{self._entry.place}: {error}") from error

    async def _parts(self) -> tuple[ExecStatus, Credentials, dict[str, Any]]:
        """Who we are, and how to get there."""
        cluster = self._entry.cluster
        _checked_url(cluster.server, "server", {"http", "https"})
        if cluster.proxy_url:
            _checked_url(cluster.proxy_url, "proxy-url", {"http", "https"})
        plugin = self._plugin()
        status = await plugin.run() if plugin is not None else ExecStatus()
        options = {"server_name": cluster.tls_server_name, "proxy": cluster.proxy_url or None}
        return status, self._credentials(plugin, status), options

    def _tls(self, status: ExecStatus | None) -> SSLContext | None:
        """What to trust, and whose certificate to show: nobody's without a status.

        None for a server without TLS.
        """
        cluster = self._entry.cluster
        if urlsplit(cluster.server).scheme != "https":
            return None
        cert, key = (b"", b"") if status is None else self._certificate(status)
        if bool(cert) is not bool(key):
            raise ConfigError("expected both a client certificate and its key, or neither")
        return tls_context(
            ca=_content(
                "certificate-authority",
                cluster.certificate_authority,
                cluster.certificate_authority_data,
                self._entry.cluster_folder,
            ),
            cert=cert,
            key=key,
            verify=not cluster.insecure_skip_tls_verify,
        )

    def _certificate(self, status: ExecStatus) -> tuple[bytes, bytes]:
        """A plugin's certificate and key, or else those of the kubeconfig."""
        user, folder = self._entry.user, self._entry.user_folder
        cert = status.client_certificate_data.encode() or _content(
            "client-certificate", user.client_certificate, user.client_certificate_data, folder
        )
        key = status.client_key_data.encode() or _content(
            "client-key", user.client_key, user.client_key_data, folder
        )
        return cert, key

    def _plugin(self) -> ExecPlugin | None:
        user, cluster = self._entry.user, self._entry.cluster
        if user.auth_provider is not None:
            raise ConfigError("auth-provider is not supported: expected exec or a token")
        if user.exec is None or user.token_file or user.token or user.username:
            return None
        told = {
            "server": cluster.server,
            "certificate-authority-data": cluster.certificate_authority_data,
            "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
            "tls-server-name": cluster.tls_server_name,
            "proxy-url": cluster.proxy_url,
        }
        return ExecPlugin(
            user.exec,
            allowed=self._exec_allow,
            cluster={name: value for name, value in told.items() if value},
            folder=self._entry.user_folder,
        )

    def _credentials(self, plugin: ExecPlugin | None, status: ExecStatus) -> Credentials:
        """Who we are; of several ways the one that kubectl takes."""
        user = self._entry.user
        found: Credentials
        if user.token_file:
            found = TokenFile(self._entry.user_folder / user.token_file)
        elif user.token:
            found = FixedCredentials(bearer(user.token))
        elif user.username:
            found = FixedCredentials(basic(user.username, user.password))
        elif plugin is not None:
            found = ExecCredentials(plugin, status)
        else:
            found = FixedCredentials()
        return Impersonating(found, self._impersonation()) if user.as_ else found

    def _impersonation(self) -> Headers:
        user = self._entry.user
        groups = [("Impersonate-Group", group) for group in user.as_groups or ()]
        uid = [("Impersonate-Uid", user.as_uid)] if user.as_uid else []
        return [("Impersonate-User", user.as_), *uid, *groups]


class Impersonating:
    """Credentials that act as someone else, usually someone with fewer rights."""

    def __init__(self, own: Credentials, other: Headers) -> None:
        self._own = own
        self._other = other

    async def headers(self) -> Headers:
        """Who we are, and as whom we act."""
        return [*await self._own.headers(), *self._other]


def _content(key: str, path: str, data: str, folder: Path) -> bytes:
    """What a file or the kubeconfig itself holds; of both the latter counts, as for kubectl."""
    if data:
        try:
            return base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            raise ConfigError(f"{key}-data: expected base64") from None
    if not path:
        return b""
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{key} {folder / path}: {error.strerror}") from None


def _checked_url(url: str, key: str, schemes: Collection[str]) -> Any:
    """The parts of an address; it is not repeated in the message, for it may hold a password."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(f"{key}: expected an address like https://host:port")
    return parts
