"""What an operator can set: one tree of values, handed down from the command line, never global.

`sources` fills it from flags, environment and a file; `reference` prints it as documentation.
"""

from collections.abc import Iterator

import msgspec
from pydantic.fields import FieldInfo

from rollgraph.server.settings.forms import Group
from rollgraph.server.settings.people import Acting, Auth, AuthMode, Oidc, Policy
from rollgraph.server.settings.serving import Documents, Http, Limits, Only, Rates, Streams
from rollgraph.server.settings.telling import Audit, Log, LogFormat, LogLevel, Metrics
from rollgraph.server.settings.watching import ArgoCd, Redis, Spokes, Workers

__all__ = [
    "ENV_PREFIX",
    "ENV_SEPARATOR",
    "Acting",
    "ArgoCd",
    "Audit",
    "Auth",
    "AuthMode",
    "Documents",
    "Group",
    "Http",
    "Limits",
    "Log",
    "LogFormat",
    "LogLevel",
    "Metrics",
    "Oidc",
    "Only",
    "Policy",
    "Rates",
    "Redis",
    "Setting",
    "Settings",
    "Spokes",
    "Streams",
    "Workers",
    "every",
    "groups",
]

# Two underscores between group and key: in a pod beside a Service called `rollgraph-http`,
# Kubernetes itself sets ROLLGRAPH_HTTP_PORT=tcp://10.0.0.1:8000.
ENV_PREFIX = "ROLLGRAPH_"
ENV_SEPARATOR = "__"


class Settings(Group):
    """All settings."""

    http: Http = Http()
    spokes: Spokes = Spokes()
    argocd: ArgoCd = ArgoCd()
    acting: Acting = Acting()
    limits: Limits = Limits()
    rates: Rates = Rates()
    documents: Documents = Documents()
    streams: Streams = Streams()
    auth: Auth = Auth()
    oidc: Oidc = Oidc()
    policy: Policy = Policy()
    redis: Redis = Redis()
    workers: Workers = Workers()
    log: Log = Log()
    metrics: Metrics = Metrics()
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
