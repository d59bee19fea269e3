"""What a caller may do, as they can ask themselves: SelfSubjectAccessReview."""

from typing import Any

import msgspec

from rollgraph.simulation import problems
from rollgraph.simulation.manifests import Manifest

PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_READING = ("get", "list", "watch")


def answer(body: bytes, *, writer: bool) -> Manifest:
    """The review with its answer: who may write may do all but be somebody else; others read."""
    try:
        review: Any = msgspec.json.decode(body)
        verb = review["spec"]["resourceAttributes"]["verb"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise problems.bad_request(f"no SelfSubjectAccessReview: {error!r}") from error
    # Headers that impersonate are not understood here.
    allowed = verb != "impersonate" and (writer or verb in _READING)
    return {**review, "metadata": {}, "status": {"allowed": allowed}}
