"""The grammar of image references, that of github.com/distribution/reference.

Kubernetes takes any text for an image; a mistake shows up only when a pod cannot pull it, and the
update hangs. So references are read before they are sent.
"""

import re

_ALNUM = r"[a-z0-9]+"
_SEPARATOR = r"(?:[._]|__|-+)"
_COMPONENT = rf"{_ALNUM}(?:{_SEPARATOR}{_ALNUM})*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_TAG = r"[\w][\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?",
    re.ASCII,
)
# Characters of a path, as registries have it; and of all, far more than any part may have: no text
# is worth more of our time.
_LONGEST_PATH = 255
_LONGEST = 1_024
# The digests that registries know, and their characters.
_ALGORITHMS = {"sha256": 64, "sha384": 96, "sha512": 128}


def complaint(image: str) -> str:
    """What is wrong with an image reference, for a person; "" if nothing is.

    It has to name a version: a tag, a digest or both.
    """
    if len(image) > _LONGEST:
        return f"an image reference has {_LONGEST} characters at most, not {len(image)}"
    found = _REFERENCE.fullmatch(image)
    if found is None:
        return (
            f"{image!r} is no image reference: expected host/path:tag or host/path@digest, with"
            " lower case letters in the path"
        )
    if len(found["path"]) > _LONGEST_PATH:
        return f"the path of an image has {_LONGEST_PATH} characters at most"
    if found["digest"]:
        return _digest(found["digest"])
    if found["tag"] is None:
        return f"{image!r} names no version: add a tag ({image}:1.2.3) or a digest"
    return ""


def _digest(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    length = _ALGORITHMS.get(algorithm)
    if length is None:
        return f"unknown digest {algorithm}: expected one of {', '.join(_ALGORITHMS)}"
    if len(value) != length or value != value.lower():
        return f"a {algorithm} digest has {length} characters from 0-9 and a-f, not {value!r}"
    return ""
