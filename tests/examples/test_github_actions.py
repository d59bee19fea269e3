"""The workflow gives commands that Rollgraph takes."""

import re
import shlex

import yaml

from examples.conftest import EXAMPLES
from rollgraph.server import cli

WORKFLOW = EXAMPLES / "github-actions" / "release.yml"


def test_its_command_can_be_given() -> None:
    content = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    script = content["jobs"]["release"]["steps"][-1]["run"]
    (command,) = re.findall(r"^uvx (rollgraph .*)$", script, re.MULTILINE)
    given = cli.parser().parse_args(shlex.split(command)[1:])
    assert given.until == "healthy"
    assert given.rollouts == ["prod-*/shop/checkout"]


def test_it_proves_who_it_is_with_no_secret() -> None:
    text = WORKFLOW.read_text("utf-8")
    assert "id-token: write" in text
    assert "secrets." not in text
