"""What people see on the way in and out, where it is not the provider's page."""

import base64
import hashlib
from html import escape

from starlette.responses import HTMLResponse

from rollgraph.core.session import Farewell

_STYLE = """:root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rollgraph</title>
<style>
  {style}
</style>
<h1>Rollgraph</h1>
{body}
</html>
"""

_SUBMIT = "document.forms[0].submit();"
_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()
# The form goes to the provider, which may lead on to others: so there is no form-action.
_POLICY = (
    f"default-src 'none'; script-src 'sha256-{_HASH}'; style-src 'unsafe-inline'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def failed(reason: str, status: int) -> HTMLResponse:
    """A login that did not work."""
    body = (
        f"<p>The login did not work: {escape(reason)}.</p>\n"
        '<p><a href="/auth/login">Log in again</a></p>'
    )
    return HTMLResponse(_PAGE.format(style=_STYLE, body=body), status)


def farewell(way: Farewell) -> HTMLResponse:
    """Leads on to the provider's logout, by POST: an ID token in a URL would stay in histories."""
    fields = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in way.fields.items()
    )
    body = (
        f'<form method="post" action="{escape(way.url)}">\n{fields}\n'
        "<p>You are logged out of Rollgraph. <button>Log out of the provider, too</button></p>\n"
        f"</form>\n<script>{_SUBMIT}</script>"
    )
    return HTMLResponse(
        _PAGE.format(style=_STYLE, body=body), headers={"Content-Security-Policy": _POLICY}
    )
