"""No question that fits the schema makes the gateway fail: schemathesis makes them up."""

from typing import Any

import pytest
import schemathesis
from graphql.language import ast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollgraph.schema.errors import INTERNAL
from rollgraph.schema.ids import global_id

# What a federation's router sends in place of an object: `{__typename, id}`.
REFERENCES = st.builds(
    lambda type_name, id: ast.ObjectValueNode(
        fields=tuple(
            ast.ObjectFieldNode(
                name=ast.NameNode(value=name), value=ast.StringValueNode(value=value)
            )
            for name, value in (("__typename", type_name), ("id", id))
        )
    ),
    st.sampled_from(["Rollout", "Cluster", "Nothing"]),
    st.sampled_from(
        ["", "!", global_id("Cluster", "prod-eu"), global_id("Rollout", "a", "b", "c")]
    ),
)
schemathesis.graphql.scalar("_Any", REFERENCES)

# Questions, over all fields of `Query`: half a minute.
EXAMPLES = 300
# Mutations, over all fields of `Mutation`. The gateway of these tests has samples and no cluster:
# whatever is made up, there is nothing that it could be done to.
ACTIONS = 150


@pytest.fixture(scope="module")
def questions(gateway: str) -> Any:
    """The schema, as the gateway tells it when asked."""
    return schemathesis.graphql.from_url(gateway)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_every_question_has_an_answer(questions: Any, data: st.DataObject) -> None:
    answered(questions, "Query", data)


@settings(
    max_examples=ACTIONS,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_every_action_has_an_answer(questions: Any, data: st.DataObject) -> None:
    answered(questions, "Mutation", data)


def answered(questions: Any, root: str, data: st.DataObject) -> None:
    """Asks something that fits the schema; fails unless the answer is one, or says why not."""
    name = data.draw(st.sampled_from(sorted(questions[root])))
    response = data.draw(questions[root][name].as_strategy()).call()
    assert response.status_code < 500
    body = response.json()
    codes = {error["extensions"]["code"] for error in body.get("errors", ())}
    assert INTERNAL not in codes
    assert "data" in body or codes
