"""The analysis runs of a rollout: when one begins, and what its end means (rollout/analysis.go)."""

from typing import Any

from rollgraph.simulation.controller import conditions
from rollgraph.simulation.controller.facts import ANALYSIS_HISTORY
from rollgraph.simulation.controller.passes import (
    BLUE_GREEN_PAUSE,
    CANARY_PAUSE,
    INCONCLUSIVE_PAUSE,
    RUN_FIELDS,
    Pass,
    RunRole,
    created,
)
from rollgraph.simulation.controller.persisting import saturated
from rollgraph.simulation.controller.scaling import available, wanted
from rollgraph.simulation.manifests import (
    HASH_LABEL,
    REVISION,
    Manifest,
    annotations_of,
    hash_of,
    labels_of,
    name_of,
    owner,
    status_of,
)

_FAILED = {
    "step": "Step-based analysis phase error/failed",
    "background": "Background analysis phase error/failed",
    "pre": "Blue/green pre-promotion analysis phase error/failed",
    "post": "Blue/green post-promotion analysis phase error/failed",
}
_TYPES = {
    "step": "Step",
    "background": "Background",
    "pre": "PrePromotion",
    "post": "PostPromotion",
}


def reconcile(this: Pass, new: Manifest) -> None:
    """Begins and ends runs, and aborts or pauses the update by what they found."""
    facts = this.facts
    current: dict[RunRole, Manifest] = {}
    if (
        facts.fully_promoted
        or this.aborted
        or facts.promote_full
        or this.fast_rollback
        or not facts.stable_hash
    ):
        _end(this, *this.runs.values())
        # Blue-green remembers its runs, a canary does not.
        current = {role: run for role, run in this.runs.items() if role in ("pre", "post")}
    else:
        roles: tuple[RunRole, ...] = (
            ("step", "background") if facts.canary is not None else ("pre", "post")
        )
        decide: dict[RunRole, Any] = {
            "step": _step,
            "background": _background,
            "pre": _pre,
            "post": _post,
        }
        for role in roles:
            run = decide[role](this, new)
            if run is not None:
                current[role] = run
    _tell(this, current)
    this.note_runs(current)
    names = {name_of(run) for run in current.values()}
    others = [run for run in this.other_runs if name_of(run) not in names]
    _end(this, *others)
    _forget(this, others)


def verified(this: Pass) -> bool:
    """True unless an analysis before the promotion has yet to pass."""
    if not (this.facts.blue_green or {}).get("prePromotionAnalysis"):
        return True
    run = this.runs.get("pre")
    return run is not None and status_of(run).get("phase") == "Successful"


def _step(this: Pass, new: Manifest) -> Manifest | None:
    facts, run = this.facts, this.runs.get("step")
    if facts.pauses or facts.aborted:
        return run
    step, index = facts.step, facts.step_index
    asked = (step or {}).get("analysis")
    stale = run is not None and labels_of(run).get("step-index") != str(index)
    if not asked or not asked.get("templates") or stale:
        _end(this, run)
        return None
    if _needs_new(this, run):
        return _begin(this, new, asked, "step", infix=str(index), index=str(index))
    _conclude(this, run, "step")
    return run


def _background(this: Pass, new: Manifest) -> Manifest | None:
    facts, run = this.facts, this.runs.get("background")
    asked = (facts.canary or {}).get("analysis")
    if not asked or not asked.get("templates"):
        _end(this, run)
        return None
    start = asked.get("startingStep")
    if not facts.current_hash or (start is not None and (facts.step_index or 0) < start):
        return None
    if facts.pause(INCONCLUSIVE_PAUSE) is not None:
        return run
    if _needs_new(this, run):
        return _begin(this, new, asked, "background", infix="")
    _conclude(this, run, "background")
    return run


def _pre(this: Pass, new: Manifest) -> Manifest | None:
    facts, run = this.facts, this.runs.get("pre")
    asked = (facts.blue_green or {}).get("prePromotionAnalysis")
    promoted = facts.active_selector in ("", hash_of(new))
    return _of_blue_green(this, new, asked, run, "pre", skip=promoted or not _previewed(this, new))


def _post(this: Pass, new: Manifest) -> Manifest | None:
    facts, run = this.facts, this.runs.get("post")
    asked = (facts.blue_green or {}).get("postPromotionAnalysis")
    promoted = facts.active_selector == hash_of(new)
    unfilled = run is None and not saturated(this, new)
    return _of_blue_green(this, new, asked, run, "post", skip=not promoted or unfilled)


def _previewed(this: Pass, new: Manifest) -> bool:
    if this.runs.get("pre") is not None:
        return True
    small = (this.facts.blue_green or {}).get("previewReplicaCount")
    if small is None:
        return saturated(this, new)
    return bool(wanted(new) == small == available(new))


def _of_blue_green(
    this: Pass,
    new: Manifest,
    asked: Manifest | None,
    run: Manifest | None,
    role: RunRole,
    *,
    skip: bool,
) -> Manifest | None:
    if not asked or not asked.get("templates"):
        _end(this, run)
        return None
    if skip or this.facts.stable_hash == hash_of(new):
        _end(this, run)
    elif this.facts.pause(INCONCLUSIVE_PAUSE) is None and _needs_new(this, run):
        run = _begin(this, new, asked, role, infix=role)
    _conclude(this, run, role)
    return run


def _needs_new(this: Pass, run: Manifest | None) -> bool:
    facts = this.facts
    if run is None:
        return True
    held = facts.pause(CANARY_PAUSE) or facts.pause(BLUE_GREEN_PAUSE)
    if facts.controller_pause and held is None:
        # A person has gone on after a run that could not decide: it gets another chance.
        return status_of(run).get("phase") == "Inconclusive"
    return facts.status.get("abortedAt") is not None


def _conclude(this: Pass, run: Manifest | None, role: RunRole) -> None:
    status = status_of(run) if run is not None else {}
    if status.get("phase") == "Inconclusive":
        this.add_pauses.append(INCONCLUSIVE_PAUSE)
    elif status.get("phase") in ("Failed", "Error"):
        said = status.get("message")
        this.abort(f"{_FAILED[role]}: {said}" if said else _FAILED[role])


def _begin(
    this: Pass, new: Manifest, asked: Manifest, role: RunRole, *, infix: str, index: str = ""
) -> Manifest:
    facts, rollout = this.facts, this.family.rollout
    revision = annotations_of(rollout)[REVISION]
    parts = [facts.name, hash_of(new), revision, infix]
    name = _free("-".join(filter(None, parts)), {name_of(run) for run in this.family.runs})
    selector = (facts.spec.get("selector") or {}).get("matchLabels") or {}
    labels = {**selector, HASH_LABEL: hash_of(new), "rollout-type": _TYPES[role]}
    if index:
        labels["step-index"] = index
    templates = [this.family.templates[ref["templateName"]] for ref in asked["templates"]]
    run = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": name,
            "namespace": facts.meta["namespace"],
            "labels": labels,
            "annotations": {REVISION: revision},
            "ownerReferences": [owner(rollout)],
        },
        "spec": {
            "metrics": [metric for item in templates for metric in item["spec"]["metrics"]],
            **({"args": asked["args"]} if asked.get("args") else {}),
        },
    }
    this.create(run)
    return run


def _free(name: str, taken: set[str]) -> str:
    """A name that no run has: with .1, .2 and so on (CreateWithCollisionCounter)."""
    number, free = 0, name
    while free in taken:
        number += 1
        free = f"{name}.{number}"
    return free


def _end(this: Pass, *runs: Manifest | None) -> None:
    for run in runs:
        if run is None or conditions.finished(status_of(run).get("phase")):
            continue
        if not run["spec"].get("terminate"):
            this.write({**run, "spec": {**run["spec"], "terminate": True}})


def _forget(this: Pass, others: list[Manifest]) -> None:
    """Keeps the last few runs that passed and the last few that did not."""
    hashes = {hash_of(rs) for rs in this.every}
    kept = {"Successful": 0, "": 0}
    for run in sorted(others, key=created, reverse=True):
        phase = status_of(run).get("phase")
        kind = "Successful" if phase == "Successful" else ""
        if hash_of(run) not in hashes or kept[kind] >= ANALYSIS_HISTORY:
            if conditions.finished(phase):
                this.delete(run)
        elif conditions.finished(phase):
            kept[kind] += 1


def _tell(this: Pass, current: dict[RunRole, Manifest]) -> None:
    for role, run in current.items():
        group, key = RUN_FIELDS[role]
        noted = (this.facts.status.get(group) or {}).get(key) or {}
        before, phase = noted.get("status"), status_of(run).get("phase")
        if phase and noted.get("name") in (None, name_of(run)) and before != phase:
            this.tell(
                f"AnalysisRun{phase}",
                f"{_TYPES[role]} Analysis Run '{name_of(run)}' Status New: '{phase}'"
                f" Previous: '{before or 'NoPreviousStatus'}'",
                warning=phase in ("Failed", "Error"),
            )
