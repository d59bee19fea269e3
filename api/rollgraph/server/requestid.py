"""A name for each request, in its answer, its log lines and its masked errors."""

import re
import secrets

from starlette.datastructures import Headers
from starlette.types import Scope

HEADER = "X-Request-Id"

# A proxy's id is taken if nobody could hide anything in it: a log line must stay a line.
_SANE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_KEY = "rollgraph.request_id"


def name_request(scope: Scope) -> str:
    """Gives a request its id: the one it came with, else a new one."""
    given = Headers(scope=scope).get(HEADER, "")
    # 80 bits: no two alike in the life of a log.
    scope[_KEY] = given if _SANE.fullmatch(given) else secrets.token_hex(10)
    return request_id(scope)


def request_id(scope: Scope) -> str:
    """The id of a request that has been named; "" before."""
    return str(scope.get(_KEY, ""))
