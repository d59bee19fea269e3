"""No `Mirror` skips or repeats a rollout while someone turns pages, whatever changes meanwhile."""

import pytest

from contract import walks
from contract.mirrors import FACTORIES


@pytest.mark.parametrize("kind", FACTORIES)
def test_no_walk_skips_or_repeats(kind: str) -> None:
    walks.run(FACTORIES[kind])
