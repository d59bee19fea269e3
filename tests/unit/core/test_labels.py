"""Label selectors mean what they mean to Kubernetes.

The verdicts are those of `labels.Parse` of k8s.io/apimachinery v0.34.4.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.core.errors import BadFilterError
from rollgraph.core.labels import MAX_SELECTOR, selector

LABELS = {
    "app": "web",
    "tier": "",
    "weight": "30",
    "in": "notin",
    "example.com/team": "shop",
    "version": "v2",
}

SELECTED = """
|  \t|app|!legacy|! legacy|app=web|app==web|app = web|app!=job|legacy!=x|tier=|tier|tier==
tier in ()|tier in (,)|tier in (,a)|app in (web,job)|app in(web)|app notin (job)|legacy notin (a)
app in ( web , job )|app in (a,,web)|app in (a,,,web)|tier in (a,,b)|app in (web,)|in in (notin)
in=notin|in|in notin (in)|weight>29|weight<31|weight>007|app=web,tier,!legacy
app=web, version in (v1,v2),weight>10|example.com/team=shop|example.com/team
"""
LEFT_OUT = """
!app|legacy|app=job|app!=web|legacy=x|legacy=|tier!=|app notin (web)|legacy in (a)|notin|!in
weight>30|weight < 30|app>1|legacy>1|legacy<1|weight>9223372036854775807|app=web,tier=x
"""
REFUSED = """
weight>9223372036854775808|weight>|weight>web|weight>-1|weight>+1|weight>1_0|a/b/c|/app|app/
Example.com/team|exa_mple.com/team|app.|-app|app=wöb|äpp|app=we b|app web|app in|app in web
app in (web|app in web)|app in (web job)|app in (,,)|app in (a,,)|app in (web,job))|app in ((web))
app IN (web)|app,|app,,tier|,app|,|!|!!app|!app=web|app!|app=!web|app===web|app!==web|app=>1|app<>1
app=(web)|()|app=web;tier|app=web\xa0|app in (!web)|app in (=)
"""


def listed(table: str) -> list[str]:
    return table.strip("\n").replace("\n", "|").split("|")


@pytest.mark.parametrize("text", listed(SELECTED))
def test_a_selector_selects(text: str) -> None:
    assert selector(text)(LABELS) is True


@pytest.mark.parametrize("text", listed(LEFT_OUT))
def test_a_selector_leaves_out(text: str) -> None:
    assert selector(text)(LABELS) is False


@pytest.mark.parametrize("text", listed(REFUSED))
def test_what_kubernetes_refuses_is_refused(text: str) -> None:
    with pytest.raises(BadFilterError, match=r"^label selector, column \d+: "):
        selector(text)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a" * 63, True),
        ("a" * 64, False),
        ("b" * 253 + "/k", True),
        ("b" * 254 + "/k", False),
        ("app=" + "v" * 63, True),
        ("app=" + "v" * 64, False),
    ],
)
def test_keys_and_values_are_as_long_as_kubernetes_allows(text: str, good: bool) -> None:
    if good:
        assert selector(text)(LABELS) is False
    else:
        with pytest.raises(BadFilterError):
            selector(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app in web", "label selector, column 8: found 'web' where '(' is expected"),
        ("app=web,", "label selector, column 9: it ends where a label's key or '!' is expected"),
        ("app=web tier", "label selector, column 9: found 'tier' where ',' or the end is expected"),
        (
            "tier>high",
            "label selector, column 6: found 'high' where a whole number of at most 64 bits is"
            " expected",
        ),
        (
            "app is web",
            "label selector, column 5: found 'is' where 'in', 'notin', '=', '==', '!=', '>', '<',"
            " ',' or the end is expected",
        ),
        ("app\0", "label selector, column 4: a NUL byte is not allowed"),
        (
            "a" * 5000,
            "the label selector has 5000 characters; at most 4096 are allowed",
        ),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(BadFilterError) as caught:
        selector(text)
    assert str(caught.value) == message


def test_a_label_that_is_no_number_is_neither_greater_nor_less() -> None:
    for value in ("", "web", "1_0", "9223372036854775808", "٣"):
        assert not selector("weight>0")({"weight": value})
        assert not selector("weight<100")({"weight": value})


def test_the_longest_selector_is_read_and_applied() -> None:
    text = "app," * (MAX_SELECTOR // 4 - 1) + "app"
    assert selector(text)(LABELS)


@given(st.text(alphabet="ain!=<>(), \t.-/1ö\0", max_size=20))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        test = selector(text)
    except BadFilterError:
        return
    assert test(LABELS) in (True, False)
