"""What a rollout is told of what was done to it."""

import msgspec
import pytest

from factories import NOON
from rollgraph.core.announcements import announcement, message, reason
from rollgraph.core.audit import AuditEntry, AuditRow, Result
from rollgraph.core.objects.event import KubeEvent
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb
from rollgraph.core.viewer import Viewer

ID = "019ab7e1-0000-7abc-8def-0123456789ab"
PROMOTED = AuditEntry(
    viewer=Viewer("alice@example.com"),
    verb=Verb.PROMOTE,
    result=Result.APPLIED,
    ref=RolloutRef("prod-eu", "shop", "checkout"),
    uid="0b2f",
    reason="metrics look good",
    message="ends the pause of step 2/6",
    version_after="4712",
)


def test_an_applied_action_is_an_event_that_our_own_reader_understands() -> None:
    told = announcement(AuditRow(ID, NOON, PROMOTED))
    assert told is not None
    event = msgspec.convert(told, KubeEvent)
    assert event.reason == "RollgraphPromote"
    assert event.message == (
        "alice@example.com promoted: ends the pause of step 2/6 (reason: metrics look good)"
    )
    assert event.type == "Normal"
    assert event.reporter == "rollgraph"
    assert event.first_seen == event.last_seen == NOON
    assert event.involved_object.kind == "Rollout"
    assert (event.involved_object.name, event.involved_object.uid) == ("checkout", "0b2f")
    assert told["involvedObject"]["resourceVersion"] == "4712"
    assert told["metadata"] == {
        "namespace": "shop",
        "name": "checkout.019ab7e100007abc8def0123456789ab",
    }


@pytest.mark.parametrize("result", [result for result in Result if result is not Result.APPLIED])
def test_what_changed_nothing_is_no_event(result: Result) -> None:
    entry = msgspec.structs.replace(PROMOTED, result=result, version_after="")
    assert announcement(AuditRow(ID, NOON, entry)) is None


def test_what_broke_halfway_is_a_warning() -> None:
    entry = msgspec.structs.replace(
        PROMOTED, result=Result.FAILED, message="the second patch was refused"
    )
    told = announcement(AuditRow(ID, NOON, entry))
    assert told is not None
    assert told["type"] == "Warning"
    assert told["message"].startswith("alice@example.com promoted in part only: the second patch")


def test_a_login_is_no_event() -> None:
    entry = AuditEntry(viewer=Viewer("alice"), verb="login", result=Result.APPLIED)
    assert announcement(AuditRow(ID, NOON, entry)) is None


def test_a_message_is_one_line_of_bounded_length_with_a_reason_that_ends() -> None:
    entry = msgspec.structs.replace(
        PROMOTED,
        viewer=Viewer("mallory\nroot promoted"),
        reason="\x1b[2J" * 200,
        message="m" * 2000,
    )
    text = message(entry)
    assert len(text) <= 1024
    assert text.isprintable()
    assert text.startswith("mallory\\nroot promoted promoted: mmm")
    assert text.endswith(")")
    assert "(reason: \\x1b[2J" in text


def test_a_name_fits_however_long_the_rollouts_is() -> None:
    ref = RolloutRef("c", "n", "a" * 219 + "." + "b" * 33)
    told = announcement(AuditRow(ID, NOON, msgspec.structs.replace(PROMOTED, ref=ref)))
    assert told is not None
    name = told["metadata"]["name"]
    assert len(name) <= 253
    assert ".." not in name


def test_every_action_has_a_word_of_its_own() -> None:
    actions = set(Verb) - {Verb.GET, Verb.WATCH}
    words = {message(msgspec.structs.replace(PROMOTED, verb=verb)) for verb in actions}
    assert len(words) == len(actions)
    assert reason(Verb.JUMP_TO_STEP) == "RollgraphJumpToStep"
