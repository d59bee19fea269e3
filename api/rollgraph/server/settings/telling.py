"""Settings of what is written down."""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from rollgraph.server.settings.forms import File, Group, setting


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


class Log(Group):
    """What is written to standard error."""

    level: LogLevel = setting(
        LogLevel.INFO,
        "The least important messages to write: `debug`, `info`, `warning` or `error`.",
        flag="--log-level",
        value="LEVEL",
    )
    format: LogFormat = setting(
        LogFormat.CONSOLE,
        "`console` for people, `json` for a log collector: one object a line.",
        flag="--log-format",
        value="FORMAT",
    )


class Metrics(Group):
    """What is counted, for Prometheus; see [observability](../observability.md)."""

    port: int | None = setting(
        None,
        "A TCP port that has `/metrics` and nothing else; 0 takes any free one and says which. "
        "Without it `/metrics` is on `http.port`, unless people log in there: it asks nobody who "
        "they are, and no Ingress leads to a port of its own.",
        flag="--metrics-port",
        value="PORT",
        ge=0,
        le=65535,
    )


class Audit(Group):
    """What is remembered of who did what; [audit](../audit.md) tells the rest."""

    file: Annotated[File | None, BeforeValidator(lambda value: value or None)] = setting(
        "",
        "A file to append the audit's lines to, as JSON; whoever rotates it moves it away. Without "
        "it they go to standard error with the other messages, whatever `log.level` is.",
        flag="--audit-file",
        value="PATH",
    )
    rows: int = setting(
        10_000,
        "Rows that can be asked for with `auditEvents`; half of them are for what changed "
        "something. A row takes some 2 KiB of memory. The lines in the log tell all.",
        flag="--audit-rows",
        value="ROWS",
        ge=2,
        le=1_000_000,
    )
    events: bool = setting(
        True,
        "Whether an action is told to its rollout as a Kubernetes Event, with who did it and why: "
        "`kubectl describe rollout` shows it. Needs the right to create events on the cluster.",
        flag="--audit-events",
        value="",
    )
