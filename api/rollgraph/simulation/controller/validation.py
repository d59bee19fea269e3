"""Specs that the controller refuses (pkg/apis/rollouts/validation)."""

from rollgraph.simulation.controller.facts import Facts
from rollgraph.simulation.controller.passes import Family

_NOT_PLAYED = "Invalid value: %s: not part of the simulation"


def problem(facts: Facts, family: Family) -> str:
    """What is wrong with a spec, in the controller's words; "" if it can be played."""
    reference = facts.spec.get("workloadRef")
    if reference and not facts.spec.get("template"):
        name = reference.get("name")
        return (
            f'spec.workloadRef.name: Invalid value: "{name}": deployments.apps "{name}" not found'
        )
    if not facts.spec.get("template"):
        return "spec.template: Required value: Rollout has missing field '.spec.template'"
    if facts.canary is None and facts.blue_green is None:
        return (
            "spec.strategy.strategy: Required value: Rollout has missing field"
            " '.spec.strategy.canary or .spec.strategy.blueGreen'"
        )
    return _not_played(facts) or _missing_service(facts, family) or _missing_template(facts, family)


def _not_played(facts: Facts) -> str:
    if (facts.canary or {}).get("trafficRouting"):
        return "spec.strategy.canary.trafficRouting: " + _NOT_PLAYED % '"trafficRouting"'
    for index, step in enumerate(facts.steps):
        for name in ("experiment", "plugin"):
            if name in step:
                return f"spec.strategy.canary.steps[{index}].{name}: " + _NOT_PLAYED % f'"{name}"'
    return ""


def _missing_service(facts: Facts, family: Family) -> str:
    strategy = "canary" if facts.canary is not None else "blueGreen"
    names = (
        ("stableService", "canaryService")
        if facts.canary is not None
        else ("activeService", "previewService")
    )
    fields = facts.canary or facts.blue_green or {}
    for name in names:
        service = fields.get(name)
        if service and service not in family.services:
            return (
                f'spec.strategy.{strategy}.{name}: Invalid value: "{service}": '
                f'service "{service}" not found'
            )
    return ""


def _missing_template(facts: Facts, family: Family) -> str:
    for place, name in analysis_templates(facts):
        if name not in family.templates:
            return (
                f"{place}.templates: Invalid value: \"{name}\": AnalysisTemplate '{name}' not found"
            )
    return ""


def analysis_templates(facts: Facts) -> list[tuple[str, str]]:
    """The templates that a rollout names, each with the place that names it."""
    blue_green, canary = facts.blue_green or {}, facts.canary or {}
    places = [
        ("spec.strategy.blueGreen.prePromotionAnalysis", blue_green.get("prePromotionAnalysis")),
        ("spec.strategy.blueGreen.postPromotionAnalysis", blue_green.get("postPromotionAnalysis")),
        ("spec.strategy.canary.analysis", canary.get("analysis")),
    ]
    places += [
        (f"spec.strategy.canary.steps[{index}].analysis", step.get("analysis"))
        for index, step in enumerate(facts.steps)
    ]
    return [
        (place, reference["templateName"])
        for place, analysis in places
        if analysis
        for reference in analysis.get("templates") or ()
    ]
