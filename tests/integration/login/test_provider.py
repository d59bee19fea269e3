"""What becomes of tokens when the provider changes its keys, is down, or has ended a login."""

from urllib.parse import parse_qsl, urlsplit

import anyio
import httpx2
import pytest

from idp.person import Person
from idp.provider import SECRET, Idp, new_key
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.oidc import fetching
from rollgraph.adapters.oidc.keys import BETWEEN
from rollgraph.adapters.oidc.relyingparty import Client, RelyingParty
from rollgraph.adapters.oidc.verifier import OidcVerifier
from rollgraph.core.claims import Issuer
from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.core.session import Grant

BACK = "http://127.0.0.1:1/auth/callback"
SCOPES = ("openid", "profile", "email", "groups")


class Party:
    """A relying party and its verifier, without a server around them."""

    def __init__(self, idp: Idp) -> None:
        options = fetching.options(idp.issuer, fetching.trust(None))
        issuer = Issuer(idp.issuer, ("rollgraph",))
        self.verifier = OidcVerifier([issuer], lambda _: options, SystemClock())
        client = Client("rollgraph", SECRET, SCOPES)
        self.party = RelyingParty(issuer, client, self.verifier, options)

    async def log_in(self) -> Grant:
        pending = await self.party.begin(BACK)
        back = await anyio.to_thread.run_sync(_log_in, pending.url)
        return await self.party.finish(dict(parse_qsl(urlsplit(back).query)), pending, BACK)


def _log_in(url: str) -> str:
    with httpx2.Client(trust_env=False) as client:
        return Person(client, "alice").follow(url, BACK)


@pytest.fixture
def party(idp: Idp) -> Party:
    return Party(idp)


async def test_a_refresh_token_is_of_use_once_and_a_login_can_end(party: Party) -> None:
    grant = await party.log_in()
    assert grant.viewer.subject == "alice"
    newer = await party.party.renew(grant)
    assert newer.viewer == grant.viewer or newer.viewer.subject == "alice"
    assert newer.refresh_token != grant.refresh_token
    # It came twice: somebody else has it. The provider ends all of the login.
    for spent in (grant, newer):
        with pytest.raises(UnauthenticatedViewerError, match="invalid_grant"):
            await party.party.renew(spent)


async def test_new_keys_are_known_and_old_ones_forgotten(idp: Idp, party: Party) -> None:
    old = (await party.log_in()).id_token
    assert (await party.verifier.verify(old)).subject == "alice"
    idp.stop()
    # The one before is kept, and believed, while the provider is down.
    assert (await party.verifier.verify(old)).subject == "alice"
    idp.key = new_key("second")
    idp.start()
    await anyio.sleep(BETWEEN)  # so seldom may a key id cause a fetch
    new = (await party.log_in()).id_token
    assert (await party.verifier.verify(new)).subject == "alice"
    with pytest.raises(UnauthenticatedViewerError, match="no key of the issuer"):
        await party.verifier.verify(old)
