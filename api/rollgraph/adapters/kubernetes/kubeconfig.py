"""Reads kubeconfig files: what clusters there are and how each is reached.

Nothing that a message says comes from a value of the file, only from names and places in it: the
values are secrets.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from rollgraph.adapters.kubernetes.execplugin import ExecConfig
from rollgraph.core.errors import ConfigError
from rollgraph.core.identity import IdentityMode

# With libyaml where there is one: it reads 300 contexts in 0.1 s instead of 1.5 s.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Cluster(msgspec.Struct, frozen=True, rename="kebab"):
    """Where an API server is, and what to trust. Both addresses may hold a password."""

    server: str
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    disable_compression: bool = False

    def __repr__(self) -> str:
        return "Cluster(...)"


class User(msgspec.Struct, frozen=True, rename="kebab"):
    """Who to be. `as_` and the like are impersonation. No part of it is ever a text."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    as_: str = msgspec.field(default="", name="as")
    as_uid: str = ""
    as_groups: list[str] | None = None
    exec: ExecConfig | None = None
    auth_provider: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return "User(...)"


class Context(msgspec.Struct, frozen=True, rename="kebab"):
    """Who to be where. Its namespace is kubectl's default, not a limit, and ignored."""

    cluster: str
    user: str = ""
    extensions: list[dict[str, Any]] | None = None


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may say of a context to us, in its extension named `rollgraph`."""

    labels: dict[str, str] = {}
    namespaces: list[str] = []
    identity: IdentityMode | None = None


class Named(msgspec.Struct, frozen=True):
    """An entry of one of the three lists."""

    name: str
    cluster: Cluster | None = None
    user: User | None = None
    context: Context | None = None


class KubeconfigFile(msgspec.Struct, frozen=True, rename="kebab"):
    """One file."""

    clusters: list[Named] | None = None
    users: list[Named] | None = None
    contexts: list[Named] | None = None
    current_context: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One context with all that it refers to.

    Attributes:
        name: The context's.
        file: The file that has the context.
        cluster_folder: The folder from which paths in `cluster` count.
        user_folder: The folder from which paths in `user` count.
        place: Where it stands, for a complaint about it.
    """

    name: str
    file: Path
    cluster: Cluster
    user: User
    cluster_folder: Path
    user_folder: Path
    place: str
    extension: Extension = Extension()


def read_kubeconfig(path: Path) -> KubeconfigFile:
    """Reads one file; `ConfigError` says what is wrong with it, and where."""
    try:
        raw = yaml.load(path.read_bytes(), Loader=_Loader)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}: expected YAML: {error.problem}{where}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{path}: expected YAML in UTF-8") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected a kubeconfig with clusters, users and contexts")
    return _converted(raw, KubeconfigFile, str(path))


def entries(files: Mapping[Path, KubeconfigFile]) -> list[Entry]:
    """All contexts of some files, merged as kubectl does: of two of a name the first counts."""
    clusters = _first(files, "clusters")
    users = _first(files, "users")
    found = []
    for name, (path, named) in _first(files, "contexts").items():
        place = f"{path}: context {name!r}"
        context = named.context
        if context is None:
            raise ConfigError(f"{place}: expected cluster and user")
        cluster_path, cluster = clusters.get(context.cluster, (path, None))
        if cluster is None or cluster.cluster is None:
            raise ConfigError(f"{place}: expected a cluster named {context.cluster!r}")
        user_path, user = users.get(context.user, (path, None))
        if context.user and (user is None or user.user is None):
            raise ConfigError(f"{place}: expected a user named {context.user!r}")
        found.append(
            Entry(
                name=name,
                file=path,
                cluster=cluster.cluster,
                user=(user.user if user is not None else None) or User(),
                cluster_folder=cluster_path.parent,
                user_folder=user_path.parent,
                place=place,
                extension=_extension(context, place),
            )
        )
    return found


def _first(files: Mapping[Path, KubeconfigFile], which: str) -> dict[str, tuple[Path, Named]]:
    found: dict[str, tuple[Path, Named]] = {}
    for path, file in files.items():
        for named in getattr(file, which) or ():
            found.setdefault(named.name, (path, named))
    return found


def _extension(context: Context, place: str) -> Extension:
    for named in context.extensions or ():
        if named.get("name") == "rollgraph":
            found = named.get("extension")
            return _converted(found, Extension, f"{place}, extension rollgraph")
    return Extension()


_T = TypeVar("_T")


def _converted(raw: Any, type_: type[_T], place: str) -> _T:
    try:
        return msgspec.convert(raw, type_)
    except msgspec.ValidationError as error:
        # "Expected `str`, got `int` - at `$.users[0].user.token`": types and places, no values.
        raise ConfigError(f"{place}: {error}") from None


def paths_in(folder: Path) -> Sequence[Path]:
    """The files of a folder of kubeconfigs, in the order of their names.

    Hidden ones are left out: editors' copies, and the links behind a mounted Secret.
    """
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.is_file())
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}") from None
