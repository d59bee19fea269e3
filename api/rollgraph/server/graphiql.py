"""GraphiQL: the page that people get at /graphql, and its files. Nothing comes from elsewhere.

The sources are in `api/graphiql`; `hatch_build.py` bundles them into `static/graphiql` beside this
module.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from rollgraph.server.page import NOT_BUILT

FOLDER = Path(__file__).parent / "static" / "graphiql"
PREFIX = "/static/graphiql"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}

# Scripts only from our own files, and requests only to us. Styles may be inline: the editor makes
# three style sheets as it starts, and `style=` in the HTML of each line, hundreds a screen; it has
# no nonce for either (microsoft/monaco-editor#271). Fonts and icons are data in the style sheet.
_PAGE = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "connect-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self' data:",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}

# A name holds a hash of its content.
_FILE = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class Graphiql:
    """The bundle.

    Attributes:
        page: What a browser gets at /graphql.
        files: What that page loads, compressed with gzip, by name.
    """

    page: bytes
    files: Mapping[str, Path]

    def visit(self) -> Response:
        """The page."""
        return HTMLResponse(self.page, headers=_PAGE)

    def route(self) -> Route:
        """Where the files are."""
        return Route(f"{PREFIX}/{{name}}", self.file)

    async def file(self, request: Request[Any]) -> Response:
        """One of the files, compressed unless the caller cannot read that."""
        path = self.files.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404, "no such file; the page that asks for it may be out of date")
        media_type = _TYPES[Path(path.stem).suffix]
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers = {**_FILE, "Content-Encoding": "gzip"}
            return FileResponse(path, headers=headers, media_type=media_type)
        # Every browser reads gzip. Someone with curl may wait for these few milliseconds.
        content = gzip.decompress(path.read_bytes())
        return Response(content, headers=_FILE, media_type=media_type)


def not_built() -> Response:
    """The page instead, when there is no bundle."""
    return HTMLResponse(NOT_BUILT)


def load(folder: Path = FOLDER) -> Graphiql | None:
    """The bundle; None if it was not built, as can be in a source tree without a way to npm."""
    try:
        page = (folder / "index.html").read_bytes()
    except FileNotFoundError:
        return None
    return Graphiql(page, {path.stem: path for path in folder.glob("*.gz")})
