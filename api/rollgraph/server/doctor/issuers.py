"""What is wrong with those who vouch for people."""

from rollgraph.adapters.oidc.keys import Keys
from rollgraph.core.diagnosis import Finding, Verdict
from rollgraph.core.errors import IdentityProviderError
from rollgraph.server.auth import agreements, wiring
from rollgraph.server.settings import Settings

_FIX = "set it to what the provider says of itself, and see that it can be reached from here"


async def examine(settings: Settings) -> list[Finding]:
    """What was found about each issuer; raises `ConfigError` as a server does."""
    options = wiring.speaking(settings)
    found = []
    for path, provider in agreements.providers(settings):
        subject = f"{path}.issuer {provider.issuer}"
        try:
            told = await Keys(provider.issuer, options[provider.issuer]).provider()
        except IdentityProviderError as error:
            found.append(Finding(subject, Verdict.BAD, str(error), _FIX))
            continue
        found.append(Finding(subject, Verdict.GOOD, "says who it is, and has keys"))
        if provider.cli_client_id and not told.device_authorization_endpoint:
            found.append(
                Finding(
                    subject,
                    Verdict.BAD,
                    "has no device flow, so nobody can log in with the command line",
                    f"allow it there, or take {path}.cli_client_id away",
                )
            )
    return found
