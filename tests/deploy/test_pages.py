"""Whoever follows the pages about installing gets what they say, as far as Helm is concerned."""

import re
import shlex
from pathlib import Path

import pytest

from deploy.charts import CHARTS, ROOT, helm

PAGE = ROOT / "docs" / "install-helm.md"
PAGES = [PAGE, *sorted(CHARTS.glob("*/README.md"))]
COMMANDS = [
    (page, line)
    for page in PAGES
    for block in re.findall(
        r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    for line in block.splitlines()
    if line.startswith("helm ")
]


@pytest.fixture
def values(tmp_path: Path) -> Path:
    """A folder with the values that the page shows, under the names that they have there."""
    shown = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    for name, text in shown:
        (tmp_path / name).write_text(text, "utf-8")
    assert len(shown) == 3
    (tmp_path / "my-values.yaml").write_text((tmp_path / "many.yaml").read_text("utf-8"), "utf-8")
    return tmp_path


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[line for _, line in COMMANDS])
def test_what_is_to_be_installed_can_be(page: Path, command: str, values: Path) -> None:
    words = shlex.split(command.replace("--kube-context prod-eu ", ""))[1:]
    words = [
        str(values / word) if word.endswith("values.yaml") or (values / word).is_file() else word
        for word in words
    ]
    words[words.index("install")] = "template"

    assert "kind: " in helm(*[word for word in words if word != "--create-namespace"])


def test_there_are_commands_to_test() -> None:
    assert {page for page, _ in COMMANDS} == set(PAGES)
    assert len(COMMANDS) >= 6
