"""What is offered is what can be done: over all recorded moments of real control planes."""

from typing import Any

import pytest

from lives import view_of
from planned import NOW, live
from rollgraph.core.actions.availability import availability
from rollgraph.core.actions.plan import Plan, Reason
from rollgraph.core.actions.planning import plan
from rollgraph.core.verbs import Verb
from situations import ALONE, CHANGES, MOMENTS, actions, changed


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_is_offered_has_a_plan_and_nothing_else_has(
    moment: str, change: dict[str, Any]
) -> None:
    name, documents = changed(moment, change)
    offered = availability(view_of(documents, name))
    possible = actions(documents)

    for verb, refusal in offered.items():
        answers = [plan(a, live(a, documents, name), NOW) for a in possible.get(verb, ())]
        doing = [answer for answer in answers if isinstance(answer, Plan) and answer.patches]
        assert bool(doing) is (refusal is None), (verb, refusal, answers)
        if refusal is None or verb not in ALONE:
            continue
        (answer,) = answers
        nothing = refusal.reason is Reason.NOTHING_TO_DO
        assert answer == (Plan((), refusal.message) if nothing else refusal)


def test_every_verb_that_changes_something_is_answered() -> None:
    name, documents = MOMENTS["family canary-at-20-percent"]

    offered = availability(view_of(documents, name))

    assert set(offered) == set(Verb) - {Verb.GET, Verb.WATCH}


@pytest.mark.parametrize(
    ("moment", "possible"),
    [
        ("guestbook--first-revision-healthy", {Verb.PAUSE}),
        (
            "guestbook--paused-at-20",
            {
                Verb.PROMOTE,
                Verb.PROMOTE_FULL,
                Verb.SKIP_STEP,
                Verb.JUMP_TO_STEP,
                Verb.ABORT,
                Verb.PAUSE,
                Verb.UNDO,
            },
        ),
        ("aborted--aborted", {Verb.PROMOTE_FULL, Verb.RETRY, Verb.PAUSE, Verb.UNDO}),
        (
            "blue-green--paused-with-a-preview",
            {Verb.PROMOTE, Verb.PROMOTE_FULL, Verb.ABORT, Verb.PAUSE, Verb.UNDO},
        ),
        ("manually-paused--paused-while-idle", {Verb.PROMOTE, Verb.PROMOTE_FULL, Verb.RESUME}),
        ("invalid--its-services-do-not-exist", {Verb.PAUSE}),
    ],
)
def test_what_is_offered_at_a_moment(moment: str, possible: set[Verb]) -> None:
    name, documents = MOMENTS[moment]

    offered = availability(view_of(documents, name))

    always = {Verb.RESTART, Verb.SET_IMAGE}
    assert {verb for verb, refusal in offered.items() if refusal is None} == possible | always
