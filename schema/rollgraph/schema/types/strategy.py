"""How a rollout moves to a new template: canary or blue-green."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import strawberry

from rollgraph.core.objects import rollout as objects
from rollgraph.core.verbs import Scope
from rollgraph.core.view import RolloutView
from rollgraph.schema.described import enum, resolved
from rollgraph.schema.guard import guarded
from rollgraph.schema.types.analysis import AnalysisRun, analysis_run


class TrafficRouterKind(StrEnum):
    """What routes a canary's traffic; the value is its key in the spec."""

    ISTIO = "istio"
    NGINX = "nginx"
    ALB = "alb"
    TRAEFIK = "traefik"
    APISIX = "apisix"
    AMBASSADOR = "ambassador"
    SMI = "smi"
    APP_MESH = "appMesh"
    PLUGIN = "plugins"


enum(
    TrafficRouterKind,
    "TrafficRouterKind",
    "What routes a canary's traffic.",
    {
        "ISTIO": "Istio VirtualServices.",
        "NGINX": "NGINX Ingresses.",
        "ALB": "AWS load balancers.",
        "TRAEFIK": "Traefik services.",
        "APISIX": "Apache APISIX routes.",
        "AMBASSADOR": "Ambassador mappings.",
        "SMI": "SMI traffic splits.",
        "APP_MESH": "AWS App Mesh.",
        "PLUGIN": "A plugin, such as Gateway API.",
    },
)


# Keys of spec.strategy.canary.trafficRouting that are no router.
_SETTINGS = frozenset({"managedRoutes", "maxTrafficWeight"})


@strawberry.type(description="What routes a canary's traffic.")
class TrafficRouter:
    """What routes a canary's traffic."""

    kind: TrafficRouterKind = strawberry.field(description="Its kind.")
    names: list[str] = strawberry.field(
        description="The routes, Ingresses, services or plugins that it works on."
    )


@strawberry.type(description="An analysis that a strategy asks for.")
class AnalysisRef:
    """An analysis that a strategy asks for."""

    templates: list[str] = strawberry.field(description="The templates that it runs.")
    cluster_scope: bool = strawberry.field(
        description="Whether any of them is a ClusterAnalysisTemplate."
    )
    run: strawberry.Private[AnalysisRun | None]

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def current_run(self) -> AnalysisRun | None:
        """Its newest run in the present update."""
        return self.run


@strawberry.type(description="Moves to a new template step by step.")
class CanaryStrategy:
    """Moves to a new template step by step."""

    view: strawberry.Private[RolloutView]
    spec: strawberry.Private[objects.CanaryStrategy]

    @resolved
    def canary_service(self) -> str | None:
        """The Service that leads to the canary."""
        return self.spec.canary_service or None

    @resolved
    def stable_service(self) -> str | None:
        """The Service that leads to the stable pods."""
        return self.spec.stable_service or None

    @resolved
    def traffic_routers(self) -> list[TrafficRouter]:
        """What routes the traffic; empty: the share of pods decides."""
        routing = self.spec.traffic_routing or {}
        return [_router(key, routing[key]) for key in sorted(routing.keys() - _SETTINGS)]

    @resolved
    def max_surge(self) -> str | None:
        """Pods above the wanted number, as a number or in percent."""
        return None if self.spec.max_surge is None else str(self.spec.max_surge)

    @resolved
    def max_unavailable(self) -> str | None:
        """Pods below the wanted number, as a number or in percent."""
        return None if self.spec.max_unavailable is None else str(self.spec.max_unavailable)

    @resolved
    def dynamic_stable_scale(self) -> bool:
        """Whether the stable pods shrink as the canary grows."""
        return self.spec.dynamic_stable_scale

    @resolved
    def ping_pong(self) -> bool:
        """Whether two Services swap their parts at each update."""
        return self.spec.ping_pong is not None

    @resolved
    def background_analysis(self) -> AnalysisRef | None:
        """The analysis that watches the canary all along."""
        status = self.view.rollout.status.canary.current_background_analysis_run_status
        return analysis_ref(self.view, self.spec.analysis, status)


@strawberry.type(description="Moves to a new template at once, after a preview.")
class BlueGreenStrategy:
    """Moves to a new template at once, after a preview."""

    view: strawberry.Private[RolloutView]
    spec: strawberry.Private[objects.BlueGreenStrategy]

    @resolved
    def active_service(self) -> str:
        """The Service that users reach."""
        return self.spec.active_service

    @resolved
    def preview_service(self) -> str | None:
        """The Service that leads to the new version before its promotion."""
        return self.spec.preview_service or None

    @resolved
    def auto_promotion_enabled(self) -> bool:
        """Whether the preview is promoted without anyone asking."""
        return self.spec.auto_promotion_enabled is not False

    @resolved
    def auto_promotion_after(self) -> timedelta | None:
        """How long the preview waits before it is promoted by itself."""
        return _seconds(self.spec.auto_promotion_seconds or None)

    @resolved
    def scale_down_delay(self) -> timedelta | None:
        """How long the old pods stay after the promotion; Argo's default is 30 s."""
        return _seconds(self.spec.scale_down_delay_seconds)

    @resolved
    def preview_replicas(self) -> int | None:
        """Pods of the preview, if they are fewer."""
        return self.spec.preview_replica_count

    @resolved
    def pre_promotion_analysis(self) -> AnalysisRef | None:
        """The analysis that guards the promotion."""
        status = self.view.rollout.status.blue_green.pre_promotion_analysis_run_status
        return analysis_ref(self.view, self.spec.pre_promotion_analysis, status)

    @resolved
    def post_promotion_analysis(self) -> AnalysisRef | None:
        """The analysis that checks the promotion."""
        status = self.view.rollout.status.blue_green.post_promotion_analysis_run_status
        return analysis_ref(self.view, self.spec.post_promotion_analysis, status)


RolloutStrategy = Annotated[
    CanaryStrategy | BlueGreenStrategy,
    strawberry.union(name="RolloutStrategy", description="How a rollout moves to a new template."),
]


def rollout_strategy(view: RolloutView) -> CanaryStrategy | BlueGreenStrategy | None:
    """The GraphQL object of a rollout's strategy; None if the spec names none that is known."""
    strategy = view.rollout.spec.strategy
    if strategy.canary is not None:
        return CanaryStrategy(view=view, spec=strategy.canary)
    if strategy.blue_green is not None:
        return BlueGreenStrategy(view=view, spec=strategy.blue_green)
    return None


def analysis_ref(
    view: RolloutView,
    spec: objects.RolloutAnalysis | None,
    status: objects.AnalysisRunStatus | None,
) -> AnalysisRef | None:
    """The GraphQL object of an analysis that a strategy asks for."""
    if spec is None:
        return None
    name = status.name if status else ""
    run = next((r for r in view.analysis_runs if r.run.metadata.name == name), None)
    return AnalysisRef(
        templates=[template.template_name for template in spec.templates or ()],
        cluster_scope=any(template.cluster_scope for template in spec.templates or ()),
        run=analysis_run(view.ref, run) if run else None,
    )


def _router(key: str, body: object) -> TrafficRouter:
    """A router with the names of what it works on; one of an unknown kind counts as a plugin."""
    try:
        kind = TrafficRouterKind(key)
    except ValueError:
        return TrafficRouter(kind=TrafficRouterKind.PLUGIN, names=[key])
    if kind is TrafficRouterKind.PLUGIN:
        return TrafficRouter(kind=kind, names=sorted(body) if isinstance(body, dict) else [])
    return TrafficRouter(kind=kind, names=_names(body))


# Where each router's spec names what it works on.
_NAME_KEYS = frozenset(
    {
        "name",
        "stableIngress",
        "stableIngresses",
        "additionalStableIngresses",
        "ingress",
        "ingresses",
        "weightedTraefikServiceName",
        "rootService",
        "trafficSplitName",
        "mappings",
    }
)


def _names(body: object) -> list[str]:
    if isinstance(body, list):
        return [
            name for item in body for name in ([item] if isinstance(item, str) else _names(item))
        ]
    if not isinstance(body, dict):
        return []
    found: list[str] = []
    for key, value in body.items():
        if key in _NAME_KEYS and isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict) or (isinstance(value, list) and key != "routes"):
            found.extend(_names(value))
    return list(dict.fromkeys(found))


def _seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)
