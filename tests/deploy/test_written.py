"""What a program writes in deploy/ is in the repository as it would write it now."""

from pathlib import Path

import pytest

from deploy.charts import ROOT
from deploy.written import BASE, everything


@pytest.mark.parametrize("part", ["values.schema.json", "README.md", "kustomize"])
def test_what_scripts_charts_writes_is_up_to_date(part: str) -> None:
    texts = {path: text for path, text in everything() if part in str(path.relative_to(ROOT))}

    late = [str(path.relative_to(ROOT)) for path, text in texts.items() if _read(path) != text]

    assert texts
    assert late == [], "run scripts/charts"


def test_the_base_of_kustomize_has_no_file_that_the_chart_does_not_make() -> None:
    made = {path for path, _ in everything() if path.parent == BASE}

    assert set(BASE.iterdir()) == made


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
