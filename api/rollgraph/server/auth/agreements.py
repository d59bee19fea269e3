"""The issuers that are trusted, from the settings, and what is wrong with them."""

from collections.abc import Iterator

from rollgraph.core.claims import Issuer, Profile
from rollgraph.core.errors import ConfigError
from rollgraph.server.settings import AuthMode, Oidc, Settings


def providers(settings: Settings) -> list[tuple[str, Oidc]]:
    """Each provider, with where it is set.

    Raises `ConfigError` if there is nobody who could vouch for a caller, or if two could be
    mistaken for each other.
    """
    if settings.auth.mode is AuthMode.NONE:
        return []
    found = [("oidc", settings.oidc)] if settings.oidc.issuer else []
    found += [(f"auth.issuers.{place}", item) for place, item in enumerate(settings.auth.issuers)]
    if not found and not settings.auth.service_accounts:
        raise ConfigError(
            "auth.mode (--auth): oidc needs somebody who vouches for callers: expected oidc.issuer "
            "(--oidc-issuer), auth.issuers or auth.service_accounts (--service-accounts)"
        )
    if problems := list(_problems(found)):
        raise ConfigError("\n".join(problems))
    return found


def issuer(provider: Oidc) -> Issuer:
    """What is agreed with a provider."""
    return Issuer(
        url=provider.issuer,
        audiences=audiences(provider),
        profile=provider.profile,
        required_claims=dict(_pair(text) for text in provider.required_claims),
        username_claim=provider.username_claim,
        username_prefix=provider.username_prefix,
        groups_claims=provider.groups_claims,
        groups_prefix=provider.groups_prefix,
        scopes_claim=provider.scopes_claim,
    )


def audiences(provider: Oidc) -> tuple[str, ...]:
    """Whom its tokens must be meant for."""
    if provider.audiences or provider.profile is Profile.RFC9068:
        return provider.audiences
    return tuple(filter(None, dict.fromkeys((provider.client_id, provider.cli_client_id))))


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _problems(found: list[tuple[str, Oidc]]) -> Iterator[str]:
    first: dict[tuple[str, str], str] = {}
    for path, provider in found:
        if not provider.issuer:
            yield f"{path}.issuer: expected the provider's URL; got none"
            continue
        if not audiences(provider):
            ids = "" if provider.profile is Profile.RFC9068 else ", client_id or cli_client_id"
            yield (
                f"{path}: expected audiences{ids}: without any, tokens that {provider.issuer} made "
                "for others would be good here"
            )
        for text in provider.required_claims:
            if not all(_pair(text)):
                yield f"{path}.required_claims: expected claim=value; got {text!r}"
        for key, value, reason in _distinct(provider):
            if (other := first.setdefault((key, value), path)) != path:
                yield f"{path}.{key}: expected another than that of {other}; got {value!r}{reason}"


def _distinct(provider: Oidc) -> Iterator[tuple[str, str, str]]:
    """What no two providers may have alike, and why."""
    mistaken = ": else those of one provider could be taken for those of the other"
    yield "issuer", provider.issuer, ""
    yield "username_prefix", provider.username_prefix, mistaken
    if provider.groups_claims:
        hint = ", or no groups_claims where a provider has no groups"
        yield "groups_prefix", provider.groups_prefix, mistaken + hint
