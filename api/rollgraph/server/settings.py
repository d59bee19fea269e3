"""What an operator can set: one tree of values, handed down from the command line, never global.

`sources` fills it from flags, environment and a file; `reference` prints it as documentation.
"""

import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

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
        "Seconds that an operation may take. A query takes milliseconds; what takes longer waits "
        "for something that will not come.",
        flag="--limit-timeout",
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


class Auth(Group):
    """Who may ask."""

    mode: AuthMode = _setting(
        AuthMode.NONE,
        "How callers log in. `none`: not at all, so Rollgraph listens on loopback only and refuses "
        "what a page of another site makes a browser send. There is no other mode yet.",
        flag="--auth",
        value="MODE",
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


class Settings(Group):
    """All settings."""

    http: Http = Http()
    spokes: Spokes = Spokes()
    limits: Limits = Limits()
    auth: Auth = Auth()
    log: Log = Log()


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
