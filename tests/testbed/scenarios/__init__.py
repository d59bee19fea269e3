"""Lives of rollouts to compare at every moment, and many rollouts at once.

::

    for scenario in ALL:
        for moment in scenario.play(spoke):
            compare(moment)
"""

from testbed.scenarios import analysis, bluegreen, canary, lifecycle, traffic
from testbed.scenarios.many import Churn, apply_many, many
from testbed.scenarios.stage import Moment, Scenario, Stage

ALL: tuple[Scenario, ...] = (
    *canary.ALL,
    *traffic.ALL,
    *bluegreen.ALL,
    *analysis.ALL,
    *lifecycle.ALL,
)

__all__ = ["ALL", "Churn", "Moment", "Scenario", "Stage", "apply_many", "by_name", "many"]


def by_name(name: str) -> Scenario:
    """The scenario of that name; a ``KeyError`` when there is none."""
    return {s.name: s for s in ALL}[name]
