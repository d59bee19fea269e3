"""Who is asked about news: everybody who could want them, and few others."""

import pytest

from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import News
from rollgraph.core.feed.topics import MOST, SPOKES, Topic, of_filter, of_news
from rollgraph.core.filtering import RolloutFilter, StringFilter
from rollgraph.core.objects.meta import EPOCH
from rollgraph.core.refs import ObjectKey

NEWS = News("east", ObjectKey("shop", "checkout"), Position("a", 1), EPOCH, None, None)


def eq(text: str) -> StringFilter:
    return StringFilter(eq=text)


@pytest.mark.parametrize(
    ("filter", "topics"),
    [
        (RolloutFilter(name=eq("a"), namespace=eq("b"), cluster=eq("c")), (("name", "a"),)),
        (RolloutFilter(namespace=eq("b"), cluster=eq("c")), (("namespace", "b"),)),
        (RolloutFilter(and_=(RolloutFilter(cluster=eq("c")),)), (("cluster", "c"),)),
        (
            RolloutFilter(name=StringFilter(in_=("a", "b", "a"))),
            (("name", "a"), ("name", "b")),
        ),
        (RolloutFilter(name=StringFilter(in_=())), ()),
        (RolloutFilter(name=StringFilter(starts_with="a"), cluster=eq("c")), (("cluster", "c"),)),
    ],
)
def test_the_narrowest_that_a_filter_names_is_its_topic(
    filter: RolloutFilter, topics: tuple[Topic, ...]
) -> None:
    assert of_filter(filter) == topics


@pytest.mark.parametrize(
    "filter",
    [
        None,
        RolloutFilter(),
        RolloutFilter(not_=RolloutFilter(name=eq("a"))),
        RolloutFilter(or_=(RolloutFilter(name=eq("a")), RolloutFilter(cluster=eq("c")))),
        RolloutFilter(name=StringFilter(in_=tuple(map(str, range(MOST + 1))))),
    ],
)
def test_a_filter_that_names_none_or_too_many_is_asked_about_everything(
    filter: RolloutFilter | None,
) -> None:
    assert of_filter(filter) is None


def test_news_of_a_rollout_have_the_topics_by_which_it_can_be_asked_for() -> None:
    assert of_news(NEWS) == (("name", "checkout"), ("namespace", "shop"), ("cluster", "east"))


def test_news_of_a_spoke_are_a_topic_of_their_own() -> None:
    assert of_news(News("east", None, Position("a", 1), EPOCH, None, None)) == (SPOKES,)
