"""What the audit tells of a patch, and what strangers' texts become."""

from typing import Any

import pytest

from rollgraph.core.actions.plan import Patch, PatchType, Resource
from rollgraph.core.audit import Result, told
from rollgraph.core.refs import ObjectKey
from rollgraph.core.texts import one_line, shortened

KEY = ObjectKey("shop", "checkout")


def test_a_patch_is_told_by_its_fields() -> None:
    body = {"status": {"abort": True, "pauseConditions": None}}
    patch = Patch(Resource.ROLLOUT, KEY, body, subresource="status")
    assert told(patch) == (
        "rollouts.argoproj.io/status shop/checkout: status.abort, status.pauseConditions"
    )


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        ({"spec": {"template": {"spec": {"containers": [{"env": "hunter2"}]}}}}, PatchType.MERGE),
        (
            [
                {"op": "replace", "path": "/spec/template/spec", "value": {"env": "hunter2"}},
                {"op": "remove", "path": "/spec/template/metadata"},
            ],
            PatchType.JSON,
        ),
    ],
)
def test_what_a_field_is_set_to_is_not_told(body: Any, type_: PatchType) -> None:
    patch = Patch(Resource.ROLLOUT, KEY, body, type=type_)
    assert told(patch) == "rollouts.argoproj.io shop/checkout: spec.template"


def test_a_patch_of_many_fields_is_still_a_line() -> None:
    patch = Patch(Resource.DEPLOYMENT, KEY, {"spec": {f"f{n}": n for n in range(500)}})
    assert told(patch).endswith("spec.f18, spec.f19, ...")


def test_a_tried_result_may_have_changed_something() -> None:
    tried = {result for result in Result if result.tried}
    assert tried == {Result.APPLIED, Result.FAILED, Result.UNKNOWN}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe 3 🚀, as asked", "Größe 3 🚀, as asked"),
        ("a\nlevel=info event=forged\r", "a\\nlevel=info event=forged\\r"),
        ("\x1b[31mred\x9b0m", "\\x1b[31mred\\x9b0m"),
        ("a\u2028b\u0085c", "a\\u2028b\\x85c"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_does_not_print_as_itself_is_written_out(text: str, shown: str) -> None:
    assert one_line(text) == shown
    assert len(one_line(text).splitlines()) == 1


def test_a_text_is_cut_visibly() -> None:
    assert shortened("a" * 10, 10) == "a" * 10
    assert shortened("a" * 11, 10) == "aaaaaaa..."
