"""Regular expressions of policies are those of RE2, which is Go's."""

import time

import pytest

from rollgraph.adapters.re2 import Regexes
from rollgraph.core.rbac.patterns import BadPatternError

WHOLE = Regexes(anchored=True)
ANYWHERE = Regexes(anchored=False)


def test_anchored_ones_match_whole_texts_and_others_any_part() -> None:
    assert ANYWHERE.any(["shop/app"])("myshop/app-2")
    assert not WHOLE.any(["shop/app"])("myshop/app-2")
    assert WHOLE.any(["a|ab"])("ab")
    assert WHOLE.any([".*"])("a\nb")


def test_the_end_is_the_end_and_no_line_break_before_it() -> None:
    assert not ANYWHERE.any(["^shop$"])("shop\n")


@pytest.mark.parametrize("pattern", ["*", "(", "(?=a)", r"(a)\1", "a" * 5000, "(a{900}){900}"])
def test_what_re2_does_not_read_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        WHOLE.check(pattern)


def test_several_match_what_each_matches() -> None:
    matches = WHOLE.any(["a|b", "(?i)c", "d.*", r"\Qe)|(f", r"g\Qh\E"])
    assert [
        text for text in ("a", "b", "c", "C", "A", "dx", "e)|(f", "gh") if not matches(text)
    ] == ["A"]
    assert not WHOLE.any([])("")


def test_together_they_may_be_larger_than_re2_takes_at_once() -> None:
    large = [f"(x{number}[a-z]{{200}}){{4}}" for number in range(400)]
    matches = WHOLE.any(large)
    text = ("x399" + "q" * 200) * 4
    assert matches(text)
    assert not matches(text + "q")


def test_no_regular_expression_takes_long() -> None:
    matches = WHOLE.any(["(a+)+b", "(a|aa)*c", "(.*)*d"])
    began = time.perf_counter()
    assert not matches("a" * 600)
    # Well below a millisecond on a quiet machine; Python's own would take years.
    assert time.perf_counter() - began < 2


def test_only_the_plainest_are_known_to_be_everything() -> None:
    assert WHOLE.everything(".*", 2)
    assert ANYWHERE.everything("", 2)
    assert not WHOLE.everything("", 2)
    assert not WHOLE.everything(".+", 2)
