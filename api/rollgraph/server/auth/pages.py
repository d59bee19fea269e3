"""What people see when a login did not work."""

from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rollgraph</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 16px/1.5 system-ui, sans-serif; }}
  body {{ max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }}
</style>
<h1>Rollgraph</h1>
<p>The login did not work: {reason}.</p>
<p><a href="/auth/login">Log in again</a></p>
</html>
"""


def failed(reason: str, status: int) -> HTMLResponse:
    """A login that did not work."""
    return HTMLResponse(_PAGE.format(reason=escape(reason)), status)
