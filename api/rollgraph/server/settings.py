"""What an operator can set: one tree of values, handed down from the command line, never global.

`sources` fills it from flags, environment and a file; `reference` prints it as documentation.
"""

import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

from rollgraph.core.claims import Profile
from rollgraph.core.identity import IdentityMode
from rollgraph.core.rbac.text import MatchMode

# Two underscores between group and key: in a pod beside a Service called `rollgraph-http`,
# Kubernetes itself sets ROLLGRAPH_HTTP_PORT=tcp://10.0.0.1:8000.
ENV_PREFIX = "ROLLGRAPH_"
ENV_SEPARATOR = "__"


class LogLevel(StrEnum):
    """The least important messages that are still written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a message is written."""

    CONSOLE = "console"
    JSON = "json"


class AuthMode(StrEnum):
    """Who may ask."""

    NONE = "none"
    OIDC = "oidc"


def _split(separator: str) -> BeforeValidator:
    """Reads a list from one text, as it stands in an environment variable."""

    def split(value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part for item in value.split(separator) if (part := item.strip()))

    return BeforeValidator(split)


# A shell expands `~` in a flag, but nobody does in a file.
File = Annotated[Path, AfterValidator(Path.expanduser)]
# As kubectl reads $KUBECONFIG.
Files = Annotated[tuple[File, ...], _split(os.pathsep)]
Names = Annotated[tuple[str, ...], _split(",")]


def _setting(default: object, description: str, *, flag: str, value: str, **limits: Any) -> Any:
    """A field that knows its flag and what to call its value in a help text."""
    return Field(
        default,
        description=description,
        json_schema_extra={"flag": flag, "value": value},
        **limits,
    )


class Group(BaseModel):
    """Settings of one topic."""

    # Defaults are checked too: a wrong one is our bug, and shows in the first test.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Http(Group):
    """Where Rollgraph listens, and how it stops."""

    host: str = _setting(
        "127.0.0.1",
        "The address, or the name of it, to listen on. With `--auth none` it must be of loopback: "
        "whoever reaches it may ask anything.",
        flag="--host",
        value="HOST",
        min_length=1,
    )
    port: int = _setting(
        8000,
        "The TCP port to listen on; 0 takes any free one and says which.",
        flag="--port",
        value="PORT",
        ge=0,
        le=65535,
    )
    shutdown_grace: float = _setting(
        10.0,
        "Seconds that running requests get to finish after SIGTERM. Kubernetes kills a pod after "
        "30 by default; a query takes milliseconds.",
        flag="--shutdown-grace",
        value="SECONDS",
        ge=0,
        le=3600,
    )
    ready_within: float = _setting(
        30.0,
        "Seconds after which `/readyz` says ready although a cluster has neither been read nor "
        "given a reason why not. Its answers are marked stale; the other clusters need not wait.",
        flag="--ready-within",
        value="SECONDS",
        ge=0,
        le=3600,
    )
    url: str = _setting(
        "",
        "The URL at which people reach Rollgraph, such as `https://rollgraph.example.com`, without "
        "a path. A browser's login needs it to come back, and to tell its own page from others. "
        "Without it a browser can log in on loopback only.",
        flag="--url",
        value="URL",
        pattern=r"^$|^https?://[^/?#@\s]+$",
    )
    graphiql: bool = _setting(
        True,
        "Whether a browser that visits `/graphql` gets GraphiQL, with which people write queries "
        "and read the schema. Without it: a page of a few lines. It is served from here alone.",
        flag="--graphiql",
        value="",
    )


class Spokes(Group):
    """Which clusters are watched, and how far they are believed."""

    kubeconfig: Files = _setting(
        (),
        "Kubeconfig files, merged as kubectl does; or one directory of files, each of which stands "
        "for itself. Without any: those of `$KUBECONFIG`, else `~/.kube/config`. Read again when "
        "they change.",
        flag="--kubeconfig",
        value="PATH",
    )
    contexts: Names = _setting(
        (),
        "The contexts to watch, each a cluster; without any, all.",
        flag="--context",
        value="NAME",
    )
    namespaces: Names = _setting(
        (),
        "The namespaces to watch in each cluster whose context does not name its own; without any, "
        "all. For credentials that may not list the whole cluster.",
        flag="--namespace",
        value="NAME",
    )
    exec_allow: Names = _setting(
        (),
        "Commands that a kubeconfig may run to get credentials, as bare names or absolute paths. "
        "None by default: whoever can write a kubeconfig could otherwise run anything here.",
        flag="--exec-allow",
        value="COMMAND",
    )
    stale_after: float = _setting(
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

    namespace: str = _setting(
        "",
        "The namespace in which Argo CD runs. The clusters that it knows are watched then, in "
        "place of those of a kubeconfig, and what it allows its people counts here, too. Without "
        "it, there is no Argo CD.",
        flag="--argocd-namespace",
        value="NAMESPACE",
    )
    context: str = _setting(
        "",
        "The context, of the kubeconfig, of the cluster in which Argo CD runs. Without it: the "
        "cluster in which Rollgraph itself runs, as its pod's service account.",
        flag="--argocd-context",
        value="NAME",
    )
    application_namespaces: Names = _setting(
        (),
        "Further namespaces with Applications, as Argo CD's own `application.namespaces` has them; "
        "`*` for all. An AppProject must take Applications from there, too.",
        flag="--argocd-application-namespace",
        value="NAMESPACE",
    )


class Acting(Group):
    """As whom actions are carried out on clusters; [identity](../identity.md) tells the rest."""

    identity: IdentityMode = _setting(
        IdentityMode.IMPERSONATE,
        "As whom an action is carried out on a cluster. `impersonate`: with Rollgraph's own "
        "credentials in the caller's name, so that the cluster's RBAC and audit know who it was; "
        "where the cluster does not allow that, as `serviceAccount`, with a warning. "
        "`serviceAccount`: with its own credentials; only Rollgraph's policy and audit know "
        "who it was. `passthrough`: with the caller's own token, where clusters trust the same "
        "issuer. A context's extension may say otherwise for its cluster.",
        flag="--identity",
        value="MODE",
    )
    user_prefix: str = _setting(
        "",
        "Stands before the name of each user who is impersonated, such as `oidc:` where clusters "
        "know their people so. Names that begin with `system:` then are never impersonated.",
        flag="--impersonate-user-prefix",
        value="PREFIX",
    )
    group_prefix: str = _setting(
        "",
        "Stands before the name of each group of whoever is impersonated. Groups that begin with "
        "`system:` then are left out.",
        flag="--impersonate-group-prefix",
        value="PREFIX",
    )


class Limits(Group):
    """What one request may ask for. Everything about it is in [limits](limits.md)."""

    body: int = _setting(
        256,
        "KiB that the body of a request may have. The largest queries of portals have some 20.",
        flag="--limit-body",
        value="KIB",
        ge=1,
        le=16 * 1024,
    )
    timeout: float = _setting(
        10.0,
        "Seconds that a query may take. It takes milliseconds; what takes longer waits for "
        "something that will not come.",
        flag="--limit-timeout",
        value="SECONDS",
        gt=0,
        le=3600,
    )
    action_timeout: float = _setting(
        30.0,
        "Seconds that a mutation may take, all its actions together. Each waits for a cluster, and "
        "a little for its controller; what has not been done by then is not begun, and said so.",
        flag="--limit-action-timeout",
        value="SECONDS",
        gt=0,
        le=3600,
    )
    tokens: int = _setting(
        2000,
        "Tokens that a document may have: names, numbers, strings, comments, punctuation marks. "
        "Parsing that many takes 8 ms; the usual introspection query has 200.",
        flag="--limit-tokens",
        value="TOKENS",
        ge=1,
        le=100_000,
    )
    depth: int = _setting(
        12,
        "Fields that may lie within each other; `edges` is no level of its own. From a cluster "
        "down to the fields of a pod it is 8.",
        flag="--limit-depth",
        value="FIELDS",
        ge=1,
        le=100,
    )
    aliases: int = _setting(
        30,
        "Fields that may have another name. Dashboards that ask for some things in one request "
        "have ten; who guesses ids or keeps us busy has hundreds.",
        flag="--limit-aliases",
        value="FIELDS",
        ge=0,
        le=10_000,
    )
    root_fields: int = _setting(
        20,
        "Fields that an operation itself may have. Each can be as large as a request of its own.",
        flag="--limit-root-fields",
        value="FIELDS",
        ge=1,
        le=1000,
    )
    directives: int = _setting(
        50,
        "Directives that an operation may have, such as `@include`: the validation of each costs "
        "more than that of a field.",
        flag="--limit-directives",
        value="DIRECTIVES",
        ge=0,
        le=10_000,
    )
    cost: int = _setting(
        5000,
        "Objects that an answer may have, and work that counts like them: the cost. Over 10,000 "
        "rollouts, 5,000 are 50 to 500 ms of the one core that answers everybody.",
        flag="--limit-cost",
        value="OBJECTS",
        ge=1,
        le=10_000_000,
    )
    introspection: bool = _setting(
        True,
        "Whether the schema may be asked for itself, as tools, GraphiQL and a federation's router "
        "do. It is public all the same; without, errors do not suggest names either.",
        flag="--introspection",
        value="",
    )


class Streams(Group):
    """Subscriptions, and whatever else is asked over a WebSocket or a stream of events."""

    init_timeout: float = _setting(
        10.0,
        "Seconds that a WebSocket may stay without `connection_init`, which says who asks. Clients "
        "send it at once; whoever does not may only want to take places.",
        flag="--stream-init-timeout",
        value="SECONDS",
        gt=0,
        le=600,
    )
    heartbeat: float = _setting(
        15.0,
        "Seconds after which something is sent although nothing has happened. Proxies and load "
        "balancers end a connection that has been quiet for 30 to 60.",
        flag="--stream-heartbeat",
        value="SECONDS",
        gt=0,
        le=600,
    )
    patience: float = _setting(
        20.0,
        "Seconds that a client may take nothing of what is sent to it, or not answer a ping. Then "
        "its connection ends; it comes back with its last cursor when it can.",
        flag="--stream-patience",
        value="SECONDS",
        gt=0,
        le=600,
    )
    per_connection: int = _setting(
        100,
        "Streams that may go on at a time on one WebSocket. A page has some ten; without a "
        "bound, one connection could take all places.",
        flag="--streams-per-connection",
        value="STREAMS",
        ge=1,
        le=10_000,
    )
    per_viewer: int = _setting(
        1000,
        "Streams that may go on at a time in one viewer's name. A portal may ask in its own "
        "name for all of its people; a person has some ten.",
        flag="--streams-per-viewer",
        value="STREAMS",
        ge=1,
        le=1_000_000,
    )
    most: int = _setting(
        10_000,
        "Streams, and WebSockets, that may go on at a time altogether. Each takes some 50 KiB "
        "of memory, and more while its client is slow.",
        flag="--streams",
        value="STREAMS",
        ge=1,
        le=1_000_000,
    )


class Oidc(Group):
    """The OpenID Connect provider that vouches for callers; [login](../login.md) tells how."""

    issuer: str = _setting(
        "",
        "The provider's issuer URL, to the letter as its tokens have it in `iss`. It must be "
        "HTTPS, except on loopback.",
        flag="--oidc-issuer",
        value="URL",
    )
    profile: Profile = _setting(
        Profile.GENERIC,
        "Which tokens are accepted. `oidc-generic`: ID tokens and JWT access tokens as most "
        "providers make them. `rfc9068`: only access tokens with that standard's type and claims.",
        flag="--oidc-profile",
        value="PROFILE",
    )
    audiences: Names = _setting(
        (),
        "Whom a token must be meant for (`aud`): one of these. Without any, the client ids below; "
        "`rfc9068` needs one, for its tokens are meant for an API and not for a client.",
        flag="--oidc-audience",
        value="AUDIENCE",
    )
    required_claims: Names = _setting(
        (),
        "Claims that a token must have besides, as `claim=value`, such as `hd=example.com`.",
        flag="--oidc-required-claim",
        value="CLAIM=VALUE",
    )
    username_claim: str = _setting(
        "sub",
        "The claim that is the user's name in policies and in the audit. `sub` never changes and "
        "is never given to another; `email` is only taken if the provider has verified it.",
        flag="--oidc-username-claim",
        value="CLAIM",
        min_length=1,
    )
    username_prefix: str = _setting(
        "",
        "What is put before the user's name, such as `oidc:`. Two issuers need two prefixes.",
        flag="--oidc-username-prefix",
        value="PREFIX",
    )
    groups_claims: Names = _setting(
        ("groups",),
        "The claims that have the user's groups, each as a list or as one text. Dots lead into "
        "objects: `realm_access.roles`.",
        flag="--oidc-groups-claim",
        value="CLAIM",
    )
    groups_prefix: str = _setting(
        "",
        "What is put before each group's name.",
        flag="--oidc-groups-prefix",
        value="PREFIX",
    )
    scopes_claim: str = _setting(
        "scope",
        "The claim that has the token's scopes; `scp` at Entra ID and Okta. See "
        "[scopes](../login.md#scopes).",
        flag="--oidc-scopes-claim",
        value="CLAIM",
        min_length=1,
    )
    client_id: str = _setting(
        "",
        "The client as which people log in with a browser; without it, none can. Its redirect URI "
        "is `/auth/callback` of `http.url`, where it comes back after a logout is `/graphql`.",
        flag="--oidc-client-id",
        value="ID",
    )
    client_secret_file: File | None = _setting(
        None,
        "A file that has the secret of that client, read at the start. Without it the client is a "
        "public one: PKCE alone protects its codes.",
        flag="--oidc-client-secret-file",
        value="FILE",
    )
    cli_client_id: str = _setting(
        "",
        "The public client as which the command line logs in, by the device flow.",
        flag="--oidc-cli-client-id",
        value="ID",
    )
    scopes: Names = _setting(
        ("openid", "profile", "email"),
        "What a login asks the provider for. Many have groups under a scope of their own, and a "
        "login that lasts (a refresh token) under `offline_access`.",
        flag="--oidc-scope",
        value="SCOPE",
    )
    resource: str = _setting(
        "",
        "The resource indicator (RFC 8707) that a login asks an access token for, where the "
        "provider wants one to make a JWT.",
        flag="--oidc-resource",
        value="URI",
    )
    ca_file: File | None = _setting(
        None,
        "Certificates, in PEM, of authorities that the provider's may be signed by, besides the "
        "system's.",
        flag="--oidc-ca-file",
        value="FILE",
    )
    ca: str = _setting(
        "",
        "Such certificates as text, where a file is not at hand.",
        flag="--oidc-ca",
        value="PEM",
    )


def _issuers(value: object) -> object:
    """Reads issuers that are written as YAML (or JSON) in flags or a variable."""
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, dict):
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(_parsed(item) if isinstance(item, str) else item for item in value)
    return value


def _parsed(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError("a mapping in YAML or JSON") from error


class Auth(Group):
    """Who may ask."""

    mode: AuthMode = _setting(
        AuthMode.NONE,
        "How callers log in. `none`: not at all, so Rollgraph listens on loopback only and refuses "
        "what a page of another site makes a browser send. `oidc`: with an OpenID Connect provider "
        "(see [oidc](#oidc)) or as a Kubernetes service account.",
        flag="--auth",
        value="MODE",
    )
    issuers: Annotated[tuple[Oidc, ...], BeforeValidator(_issuers)] = _setting(
        (),
        "More providers, each with the keys of [oidc](#oidc): a list of mappings in the file; in a "
        "flag one mapping, in the variable the list, as YAML or JSON.",
        flag="--issuer",
        value="MAPPING",
    )
    session_idle: float = _setting(
        3600.0,
        "Seconds without a question after which a browser's login ends.",
        flag="--session-idle",
        value="SECONDS",
        ge=60,
        le=7 * 24 * 3600,
    )
    session_lifetime: float = _setting(
        12 * 3600.0,
        "Seconds after which a browser's login ends in any case: a working day. It ends earlier "
        "when the provider's token does and cannot be renewed.",
        flag="--session-lifetime",
        value="SECONDS",
        ge=60,
        le=30 * 24 * 3600,
    )
    service_accounts: str = _setting(
        "",
        "The cluster whose Kubernetes service accounts may ask, with tokens that its API server "
        "reviews: a spoke's name. None by default.",
        flag="--service-accounts",
        value="CLUSTER",
    )
    service_account_audiences: Names = _setting(
        ("rollgraph",),
        "Whom a service account's token must be meant for: one of these. Tokens for the API server "
        "itself are not taken, for whoever has one here could use it there.",
        flag="--service-account-audience",
        value="AUDIENCE",
        min_length=1,
    )


class Policy(Group):
    """Who may see and do what: [RBAC](../rbac.md) tells how that is written."""

    files: Files = _setting(
        (),
        "Files of the policy, read one after the other. Without any, nobody may do anything; with "
        "`--auth none` everybody may, and no policy is read. Read again when they change; while "
        "they are broken, the last good policy holds.",
        flag="--policy",
        value="PATH",
    )
    default_role: str = _setting(
        "",
        "A role that everybody has who is logged in, such as `role:readonly`. None by default: who "
        "is given nothing sees nothing.",
        flag="--policy-default-role",
        value="ROLE",
    )
    match_mode: MatchMode = _setting(
        MatchMode.GLOB,
        "What the patterns of the policy are: `glob`, or `regex` for regular expressions of RE2, "
        "which match whole texts.",
        flag="--policy-match-mode",
        value="MODE",
    )


class Redis(Group):
    """Where several processes meet; [operations](../operations.md) tells what they keep there."""

    url: str = _setting(
        "",
        "The Redis that workers and gateways share, of version 7 or later: `redis://HOST:PORT`, or "
        "`rediss://HOST:PORT` for TLS; with `USER@` before and `/NUMBER` of the database behind, "
        "if need be. Without it, `rollgraph serve` keeps all in its own memory. Never logged.",
        flag="--redis",
        value="URL",
    )
    password_file: File | None = _setting(
        None,
        "A file that has the password, read at the start: who lists processes sees the flags.",
        flag="--redis-password-file",
        value="FILE",
    )
    ca_file: File | None = _setting(
        None,
        "Certificates, in PEM, of authorities that the Redis's may be signed by, instead of the "
        "system's.",
        flag="--redis-ca-file",
        value="FILE",
    )
    prefix: str = _setting(
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

    name: str = _setting(
        "",
        "The worker's name, for pins and in the log; without one, the host's. After a restart it "
        "may be the same.",
        flag="--worker-name",
        value="NAME",
        pattern=r"^[^\s=,]*$",
    )
    pins: Annotated[tuple[str, ...], _split(","), AfterValidator(_pairs)] = _setting(
        (),
        "Clusters that a certain worker is to watch as long as it lives. All workers need the same "
        "pins.",
        flag="--pin",
        value="CLUSTER=WORKER",
    )


class Log(Group):
    """What is written to standard error."""

    level: LogLevel = _setting(
        LogLevel.INFO,
        "The least important messages to write: `debug`, `info`, `warning` or `error`.",
        flag="--log-level",
        value="LEVEL",
    )
    format: LogFormat = _setting(
        LogFormat.CONSOLE,
        "`console` for people, `json` for a log collector: one object a line.",
        flag="--log-format",
        value="FORMAT",
    )


class Audit(Group):
    """What is remembered of who did what; [audit](../audit.md) tells the rest."""

    file: Annotated[File | None, BeforeValidator(lambda value: value or None)] = _setting(
        "",
        "A file to append the audit's lines to, as JSON; whoever rotates it moves it away. Without "
        "it they go to standard error with the other messages, whatever `log.level` is.",
        flag="--audit-file",
        value="PATH",
    )
    rows: int = _setting(
        10_000,
        "Rows that can be asked for with `auditEvents`; half of them are for what changed "
        "something. A row takes some 2 KiB of memory. The lines in the log tell all.",
        flag="--audit-rows",
        value="ROWS",
        ge=2,
        le=1_000_000,
    )
    events: bool = _setting(
        True,
        "Whether an action is told to its rollout as a Kubernetes Event, with who did it and why: "
        "`kubectl describe rollout` shows it. Needs the right to create events on the cluster.",
        flag="--audit-events",
        value="",
    )


class Settings(Group):
    """All settings."""

    http: Http = Http()
    spokes: Spokes = Spokes()
    argocd: ArgoCd = ArgoCd()
    acting: Acting = Acting()
    limits: Limits = Limits()
    streams: Streams = Streams()
    auth: Auth = Auth()
    oidc: Oidc = Oidc()
    policy: Policy = Policy()
    redis: Redis = Redis()
    workers: Workers = Workers()
    log: Log = Log()
    audit: Audit = Audit()


class Setting(msgspec.Struct, frozen=True):
    """One setting's names in the three places where it can be set.

    Attributes:
        group: The key of its group in a file.
        key: Its key in the group.
        field: How it is read.
    """

    group: str
    key: str
    field: FieldInfo

    @property
    def path(self) -> str:
        """Its name in a file, such as `http.port`."""
        return f"{self.group}.{self.key}"

    @property
    def env(self) -> str:
        """Its environment variable."""
        return f"{ENV_PREFIX}{self.group}{ENV_SEPARATOR}{self.key}".upper()

    @property
    def flag(self) -> str:
        """Its flag of `rollgraph serve`."""
        return self._extra("flag")

    @property
    def value(self) -> str:
        """What its value is called in a help text."""
        return self._extra("value")

    @property
    def default(self) -> str:
        """Its default as one would write it; "" for an empty list."""
        value = self.field.default
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)

    @property
    def switch(self) -> bool:
        """True if it is on or off: its flag has no value, but an opposite."""
        return isinstance(self.field.default, bool)

    @property
    def opposite(self) -> str:
        """The flag that turns a switch off."""
        return f"--no-{self.flag.removeprefix('--')}"

    @property
    def many(self) -> bool:
        """True if the flag may be given several times."""
        return isinstance(self.field.default, tuple)

    def _extra(self, name: str) -> str:
        extra = self.field.json_schema_extra
        assert isinstance(extra, dict), f"{self.path} is not made by _setting"
        return str(extra[name])


def groups() -> dict[str, type[Group]]:
    """The groups by their keys, in order."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
    }


def every() -> Iterator[Setting]:
    """Each setting, in order."""
    for name, group in groups().items():
        for key, field in group.model_fields.items():
            yield Setting(name, key, field)
