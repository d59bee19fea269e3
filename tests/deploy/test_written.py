"""What a program writes in deploy/ is in the repository as it would write it now."""

from pathlib import Path

import pytest

from deploy.charts import ROOT
from deploy.written import BASE, everything


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    """What it would write now, by places."""
    return dict(everything())


@pytest.mark.parametrize("part", ["values.schema.json", "README.md", "kustomize"])
def test_what_scripts_charts_writes_is_up_to_date(texts: dict[Path, str], part: str) -> None:
    here = {path: text for path, text in texts.items() if part in str(path.relative_to(ROOT))}

    late = [str(path.relative_to(ROOT)) for path, text in here.items() if _read(path) != text]

    assert here
    assert late == [], "run scripts/charts"


def test_the_base_of_kustomize_has_no_file_that_the_chart_does_not_make(
    texts: dict[Path, str],
) -> None:
    assert set(BASE.iterdir()) == {path for path in texts if path.parent == BASE}


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
