"""Who has to be asked whether they want news.

Asking each of a thousand readers, a thousand times a second, takes more than all else that is done
for them. Most of them ask for rollouts by a name, a namespace or a cluster: those are asked about
no others. It says no more than that: whoever is asked may still not want the news.
"""

from typing import TypeAlias

from rollgraph.core.feed.news import News
from rollgraph.core.filtering import RolloutFilter, StringFilter

# What a topic is about, and which of those.
Topic: TypeAlias = tuple[str, str]

SPOKES: Topic = ("spoke", "")
# Topics of one reader; who has more is asked about everything.
MOST = 100


def of_news(news: News) -> tuple[Topic, ...]:
    """The topics of news."""
    subject = news.subject
    if subject is None:
        return (SPOKES,)
    return (
        ("name", subject.name),
        ("namespace", subject.namespace),
        ("cluster", news.cluster),
    )


def of_filter(filter: RolloutFilter | None) -> tuple[Topic, ...] | None:
    """Topics of which all rollouts that can pass have one; None if the filter does not say.

    Looks at the filter itself and at the parts of its `and_`, as `filtering.only_cluster` does.
    """
    if filter is None:
        return None
    parts = (filter, *(filter.and_ or ()))
    found = (
        *(_topics("name", part.name) for part in parts),
        *(_topics("namespace", part.namespace) for part in parts),
        *(_topics("cluster", part.cluster) for part in parts),
    )
    return next((topics for topics in found if topics is not None), None)


def _topics(about: str, text: StringFilter | None) -> tuple[Topic, ...] | None:
    if text is None:
        return None
    if text.eq is not None:
        return ((about, text.eq),)
    if text.in_ is None or len(text.in_) > MOST:
        return None
    return tuple((about, each) for each in dict.fromkeys(text.in_))
