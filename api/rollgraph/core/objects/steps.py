"""The bodies of canary steps, by kind; `core.steps` reads them one by one.

Only what a step cannot be without is required: the rest may be absent, as in Go.
"""

from typing import Any

from rollgraph.core.objects.meta import Read


class PauseBody(Read, frozen=True):
    """Of `pause`: seconds, or text; absent for a pause until someone promotes."""

    duration: int | str | None = None


class SetCanaryScaleBody(Read, frozen=True):
    """Of `setCanaryScale`."""

    weight: int | None = None
    replicas: int | None = None
    match_traffic_weight: bool | None = None


class ExperimentTemplateBody(Read, frozen=True):
    """One template of `experiment`."""

    name: str = ""


class ExperimentBody(Read, frozen=True):
    """Of `experiment`."""

    templates: list[ExperimentTemplateBody] | None = None


class SetHeaderRouteBody(Read, frozen=True):
    """Of `setHeaderRoute`."""

    name: str
    match: list[Any] | None = None


class SetMirrorRouteBody(Read, frozen=True):
    """Of `setMirrorRoute`."""

    name: str
    percentage: int | None = None
    match: list[Any] | None = None


class PluginBody(Read, frozen=True):
    """Of `plugin`; `config` is the plugin's own affair."""

    name: str
    config: Any = None
