"""Secrets that are kept where others may look: encrypted, and not to be changed unnoticed."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from rollgraph.core.errors import ConfigError

BYTES = 32
MAKE = "openssl rand -base64 32"
_ALGORITHMS = ["dir", "A256GCM"]


class JweSealing:
    """A `ports.Sealing` by JWE (RFC 7516), with AES-256 in Galois counter mode.

    Args:
        keys: Of 32 bytes each, one at least. The first one seals, each may unseal.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        # Named by their hash, so that what is sealed says by which; nobody learns a key from that.
        named = [OctKey.import_key(key, {"kid": sha256(key).hexdigest()[:16]}) for key in keys]
        self._first = named[0]
        self._all = KeySet(list(named))

    def seal(self, plain: bytes) -> bytes:
        """See `ports.Sealing`."""
        header = {"alg": "dir", "enc": "A256GCM", "kid": self._first.kid}
        return jwe.encrypt_compact(header, plain, self._first, algorithms=_ALGORITHMS).encode()

    def unseal(self, sealed: bytes) -> bytes | None:
        """See `ports.Sealing`."""
        try:
            found = jwe.decrypt_compact(sealed, self._all, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            return None
        return found.plaintext


def keys_of(text: str) -> list[bytes]:
    """The keys in a text, one a line, each 32 bytes in Base64.

    Raises `ConfigError`, which repeats nothing of them.
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    try:
        keys = [b64decode(line, validate=True) for line in lines]
    except (binascii.Error, ValueError):
        keys = []
    if not keys or any(len(key) != BYTES for key in keys):
        raise ConfigError(
            f"expected a key of {BYTES} bytes in Base64 on each line, as `{MAKE}` makes one"
        )
    return keys
