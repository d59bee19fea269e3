"""Short names of long texts, as Kubernetes makes them (FNV-1a, rand.SafeEncodeString)."""

from functools import lru_cache

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


# Each pass over a rollout asks for its two.
@lru_cache(maxsize=16_384)
def short_hash(text: bytes) -> str:
    """Up to ten letters and digits that spell no word."""
    digest = 0x811C9DC5
    for byte in text:
        digest = ((digest ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(digest))


def letters(seed: bytes) -> str:
    """A letter or digit for each byte."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in seed)
