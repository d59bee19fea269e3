"""Which media types a request sends and takes: GraphQL over HTTP's two, and JSON.

With `application/json`, the older way, an answer has status 200 whatever it says. With
`application/graphql-response+json` its status tells whether the request made sense, so that
proxies and clients need not look into it; clients that know it ask for it.
"""

from collections.abc import Iterator
from email.message import Message
from typing import NamedTuple

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed"


class _Range(NamedTuple):
    """A part of an `Accept` header: from `*/*` to one media type."""

    type: str
    quality: float

    @property
    def specificity(self) -> int:
        """0 for `*/*`, 1 for `application/*`, 2 for one type."""
        return 2 - self.type.count("*")

    def covers(self, media_type: str) -> bool:
        """Whether it speaks of a media type."""
        return self.type in {media_type, f"{media_type.partition('/')[0]}/*", "*/*"}


class _Verdict(NamedTuple):
    """How much a caller likes a media type."""

    quality: float
    named: bool


def answer_type(accept: str) -> str | None:
    """The media type of the answer, None if the caller takes neither.

    Without a preference it is `application/json`: whoever takes anything, or says nothing, may be
    older than the other. Whoever names both alike knows both, and gets the newer one.
    """
    ranges = list(_ranges(accept)) or [_Range("*/*", 1.0)]
    newer, older = _liking(ranges, GRAPHQL), _liking(ranges, JSON)
    if not newer.quality and not older.quality:
        return None
    if newer.quality == older.quality:
        return GRAPHQL if newer.named else JSON
    return GRAPHQL if newer.quality > older.quality else JSON


def stream_types(accept: str) -> Iterator[str]:
    """The media types of streams that a caller names, in its order.

    Those of `multipart/mixed` only with Apollo's protocol of subscriptions: others use the same
    media type for something else.
    """
    for part in accept.split(","):
        header = _header(part)
        # Without a subtype email.message says text/plain.
        media_type = header.get_content_type()
        specification = str(header.get_param("subscriptionspec", ""))
        if not _quality(str(header.get_param("q", "1"))):
            continue
        if media_type == EVENTS or (
            media_type == MULTIPART and specification.strip("'").startswith("1.0")
        ):
            yield media_type


def is_json(content_type: str) -> bool:
    """True for `application/json` in UTF-8, which is the charset of JSON without any."""
    header = _header(content_type)
    charset = header.get_param("charset", "utf-8")
    return header.get_content_type() == JSON and str(charset).lower() in {"utf-8", "utf8"}


def _liking(ranges: list[_Range], media_type: str) -> _Verdict:
    """What the most specific range says that speaks of a media type (RFC 9110, 12.5.1)."""
    about = [part for part in ranges if part.covers(media_type)]
    if not about:
        return _Verdict(0.0, named=False)
    best = max(about, key=lambda part: part.specificity)
    return _Verdict(best.quality, named=best.specificity == 2)


def _ranges(accept: str) -> Iterator[_Range]:
    for part in accept.split(","):
        if part.strip():
            header = _header(part)
            media_type = part.partition(";")[0].strip().lower()
            yield _Range(media_type, _quality(str(header.get_param("q", "1"))))


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


def _header(value: str) -> Message:
    header = Message()
    header["content-type"] = value.replace("\r", " ").replace("\n", " ")
    return header
