"""The keys of one issuer, kept: fetched ahead of time, and believed for a day if it is down."""

from collections.abc import Iterator, Mapping
from typing import Any

import anyio
import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from rollgraph.adapters.oidc import fetching, provider
from rollgraph.adapters.oidc.jwt import REGISTRY
from rollgraph.adapters.oidc.provider import Provider
from rollgraph.core.errors import IdentityProviderError, UnauthenticatedViewerError

_log = structlog.get_logger(__name__)

# Seconds that keys are fresh: what the issuer says, but no less and no more. Google says six
# hours, which is long if a key has to go; some say 0.
SHORTEST_LIFE = 5 * 60.0
LONGEST_LIFE = 60 * 60.0
# Of that life, when the next ones are fetched: nobody waits for them.
AHEAD = 0.8
# Seconds that keys are believed while the issuer cannot be asked. Keys change about monthly.
BELIEVED = 24 * 60 * 60.0
# Seconds between two fetches that callers cause: whoever sends made-up key ids causes no more.
BETWEEN = 10.0
# Keys of a set that are read. Providers have two or three.
MOST_KEYS = 50
# Bits. Weaker RSA can be broken; NIST has not allowed it since 2014.
WEAKEST_RSA = 2048


class Held(msgspec.Struct, frozen=True):
    """What is known of an issuer.

    Attributes:
        since: When it was fetched, by the event loop's clock.
        life: Seconds that it is fresh.
    """

    provider: Provider
    keys: tuple[Key, ...]
    since: float
    life: float


class Keys:
    """The keys and the metadata of one issuer. `run` must run for as long as they are used.

    Args:
        issuer: Its URL.
        options: How an HTTP client speaks with it.
    """

    def __init__(self, issuer: str, options: Mapping[str, Any]) -> None:
        self._issuer = issuer
        self._options = options
        self._held: Held | None = None
        self._flight = anyio.Lock()
        self._asked: float | None = None
        self._trouble: IdentityProviderError | None = None

    @property
    def age(self) -> float | None:
        """Seconds since they were fetched; None before the first time."""
        return None if self._held is None else anyio.current_time() - self._held.since

    async def run(self) -> None:
        """Keeps them fresh until cancelled."""
        while True:
            # Not by a difference: time may have passed while it was taken, and less than 0 raises.
            await anyio.sleep_until(self._due())
            await self._ask()

    async def provider(self) -> Provider:
        """The issuer's metadata. Raises `IdentityProviderError` if they cannot be had."""
        return (await self._known()).provider

    async def find(self, kid: str | None, algorithm: str) -> Key:
        """The key that a token names.

        Raises `UnauthenticatedViewerError` if the issuer has no such key, `IdentityProviderError`
        if that cannot be told.
        """
        if key := _chosen((await self._known()).keys, kid, algorithm):
            return key
        # Keys change; but most likely somebody made this name up.
        await self._ask()
        if self._trouble is not None:
            raise self._trouble
        if key := _chosen((await self._known()).keys, kid, algorithm):
            return key
        raise UnauthenticatedViewerError("no key of the issuer is the one that the token names")

    def holds(self, key: Key) -> bool:
        """Whether a key that was found before is still one of the issuer's."""
        held = self._held
        return held is not None and not _too_old(held) and key in held.keys

    def _due(self) -> float:
        """When to fetch next, by the event loop's clock."""
        if self._asked is None:
            return anyio.current_time()
        if self._trouble is not None or self._held is None:
            return self._asked + BETWEEN
        return self._held.since + self._held.life * AHEAD

    async def _known(self) -> Held:
        if self._held is None:
            await self._ask()
        if self._held is None:
            assert self._trouble is not None
            raise self._trouble
        if _too_old(self._held):
            raise IdentityProviderError(
                f"{self._issuer} has not answered for {BELIEVED / 3600:g} hours"
            ) from self._trouble
        return self._held

    async def _ask(self) -> None:
        """Fetches, unless that was just done; who comes meanwhile waits for the same answer."""
        async with self._flight:
            if self._asked is not None and anyio.current_time() < self._asked + BETWEEN:
                return
            try:
                held = await self._fetched()
            except IdentityProviderError as error:
                if self._trouble is None:
                    _log.warning("issuer_unreachable", issuer=self._issuer, reason=str(error))
                self._trouble = error
            else:
                if self._trouble is not None:
                    _log.info("issuer_reachable_again", issuer=self._issuer)
                self._held, self._trouble = held, None
            finally:
                self._asked = anyio.current_time()

    async def _fetched(self) -> Held:
        issuer = self._issuer
        metadata = await fetching.get(self._options, provider.address(issuer), issuer)
        known = provider.read(metadata.content, issuer)
        document = await fetching.get(self._options, known.jwks_uri, issuer)
        keys = tuple(_read(document.content))
        if not keys:
            raise IdentityProviderError(f"{issuer} has no key that could sign a token")
        age = SHORTEST_LIFE if document.max_age is None else document.max_age
        life = min(max(age, SHORTEST_LIFE), LONGEST_LIFE)
        return Held(known, keys, anyio.current_time(), life)


def _too_old(held: Held) -> bool:
    return anyio.current_time() > held.since + BELIEVED


def _read(content: dict[str, Any]) -> Iterator[Key]:
    """The keys of a set that are of use; others are for something else, or not understood."""
    found = content.get("keys")
    for data in found[:MOST_KEYS] if isinstance(found, list) else ():
        if not isinstance(data, dict) or not _signs(data):
            continue
        try:
            yield JWKRegistry.import_key(data)
        except (JoseError, ValueError, TypeError, KeyError):
            continue


def _signs(data: dict[str, Any]) -> bool:
    # Each letter of the modulus is 6 bits.
    weak = data.get("kty") == "RSA" and len(str(data.get("n", ""))) * 6 < WEAKEST_RSA
    return not weak and data.get("kty") != "oct" and data.get("use", "sig") == "sig"


def _chosen(keys: tuple[Key, ...], kid: str | None, algorithm: str) -> Key | None:
    fitting = [key for key in keys if _fits(key, algorithm) and kid in {None, key.kid}]
    # Without a name it must be clear which one is meant.
    return fitting[0] if fitting and (kid is not None or len(fitting) == 1) else None


def _fits(key: Key, algorithm: str) -> bool:
    if key.get("alg", algorithm) != algorithm:
        return False
    try:
        REGISTRY.get_alg(algorithm).check_key(key)
    except JoseError:
        return False
    return True
