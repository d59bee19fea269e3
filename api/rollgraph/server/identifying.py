"""Who asks by HTTP, or why that cannot be told, as a status."""

from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request

from rollgraph.access.caller import Caller
from rollgraph.core.errors import BrokerError, IdentityProviderError, UnauthenticatedViewerError
from rollgraph.server.streams.serving import Identify

_log = structlog.get_logger(__name__)


async def caller_of(request: Request[Any], identify: Identify) -> Caller:
    """The caller of a request.

    Raises starlette's `HTTPException`: 401 for somebody who has not shown who they are, 503 while
    nobody can be told.
    """
    try:
        return await identify(request)
    except UnauthenticatedViewerError as error:
        # RFC 6750: what is wrong with a token is only said to who has sent one.
        shown = "authorization" in request.headers
        if shown:
            _log.warning("token_refused", reason=str(error))
        challenge = 'Bearer error="invalid_token"' if shown else "Bearer"
        raise HTTPException(401, str(error), {"WWW-Authenticate": challenge}) from error
    except (IdentityProviderError, BrokerError) as error:
        _log.warning("caller_not_known", reason=str(error))
        raise HTTPException(503, str(error)) from error
