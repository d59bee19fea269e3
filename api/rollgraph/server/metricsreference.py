"""The metrics as documentation: `docs/reference/metrics.md` is this, printed."""

from collections.abc import Iterator

from rollgraph.adapters.prometheus import families
from rollgraph.adapters.prometheus.families import Family, Part

_HEAD = """# Metrics

<!-- Printed by `rollgraph config reference --metrics`; a test compares. -->

What `/metrics` tells; [observability](../observability.md) says where that is, and which alerts and
dashboards are made of it. Times are in seconds. A cluster's name is a label; a rollout's never is,
nor anything that a caller writes. Beside these there are `process_*` and `python_gc_*`, as
Prometheus's client for Python has them.
"""

_TITLES = {
    Part.EVERY: ("Of every process", "`rollgraph serve`, `rollgraph gateway`, `rollgraph worker`."),
    Part.WATCHES: ("Of what watches", "`rollgraph serve` and `rollgraph worker`."),
    Part.ANSWERS: ("Of what answers", "`rollgraph serve` and `rollgraph gateway`."),
}


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for part, (title, where) in _TITLES.items():
        parts.append(f"\n## {title}\n\n{where}\n")
        parts += ["\n".join(_lines(each)) for each in families.EVERY if each.part is part]
    return "".join(parts)


def _lines(family: Family) -> Iterator[str]:
    yield f"\n### {family.name}\n"
    yield f"{family.help}\n"
    yield f"- type: {family.form}"
    labels = ", ".join(f"`{label}`" for label in family.labels) or "none"
    yield f"- labels: {labels}"
    if family.buckets:
        yield f"- buckets: {', '.join(f'{bound:g}' for bound in family.buckets)}"
    yield ""
