"""What an identity provider says of itself: OpenID Connect Discovery 1.0, RFC 8414."""

from typing import Any

import msgspec

from rollgraph.adapters.oidc import fetching
from rollgraph.core.errors import ConfigError, IdentityProviderError


class Provider(msgspec.Struct, frozen=True):
    """A provider's metadata, as far as we need it; "" and False where it says nothing."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    device_authorization_endpoint: str = ""
    end_session_endpoint: str = ""
    userinfo_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False


_ENDPOINTS = (
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "device_authorization_endpoint",
    "end_session_endpoint",
    "userinfo_endpoint",
)


def address(issuer: str) -> str:
    """Where an issuer's metadata is."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read(content: dict[str, Any], issuer: str) -> Provider:
    """Reads metadata that an issuer's address gave.

    Raises `IdentityProviderError` if it is another issuer's, or would lead out of TLS.
    """
    try:
        provider = msgspec.convert(content, Provider)
    except msgspec.ValidationError as error:
        raise IdentityProviderError(
            f"the metadata of {issuer} is not as agreed: {error}"
        ) from error
    if provider.issuer != issuer:
        # Else one issuer could speak for another: RFC 8414, 3.3.
        raise IdentityProviderError(
            f"the metadata of {issuer} is that of another issuer: its `issuer` must be the same "
            "to the letter, trailing slashes too"
        )
    for name in _ENDPOINTS:
        if url := getattr(provider, name):
            try:
                fetching.check_url(url, name)
            except ConfigError as error:
                raise IdentityProviderError(f"the metadata of {issuer}: {error}") from error
    return provider
