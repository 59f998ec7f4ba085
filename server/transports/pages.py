"""The pages for browsers: the page at `/`, the assets, and the documents for GraphiQL's tabs."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from server.routing import SegmentRoute
from server.transports.bodies import answer
from server.transports.web_client_files import WebClient

__all__ = ["STATIC", "page", "page_routes"]

STATIC = Path(__file__).parent.parent / "static"
#: No other site may show our pages in a frame, where it could steal clicks (docs/operating.md, "Pages"). A browser
#: reads this rule only from a header, not from `<meta>`.
_NO_FRAME = "frame-ancestors 'none'; base-uri 'none'"
_OWN = f"default-src 'none'; {_NO_FRAME}; script-src 'self'; connect-src 'self'"
#: Page → its Content-Security-Policy.
POLICIES = {
    STATIC / "index.html": f"{_OWN}; style-src 'self'; img-src 'self'; form-action 'self'",
    # GraphiQL's editor writes styles into the page, and its style sheet contains its fonts.
    STATIC / "graphiql" / "index.html": (
        f"{_OWN}; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; form-action 'none'"
    ),
}
#: Policy for an asset that a browser opens as a page.
ASSET_POLICY = f"default-src 'self'; {_NO_FRAME}; style-src 'self' 'unsafe-inline'; form-action 'none'"


def page_routes(web_client: Path | None = None) -> list[BaseRoute]:
    """Return the routes. A web client takes every address without a route; our own page is then at `/boardcast`."""
    return [
        SegmentRoute("/" if web_client is None else "/boardcast", home, methods=["GET"]),
        SegmentRoute("/static/operations.json", operations, methods=["GET"]),
        Mount("/static", _Assets(directory=STATIC), name="static"),
        *([] if web_client is None else [Mount("/", WebClient(web_client), name="web client")]),
    ]


def page(path: Path, **headers: str) -> Response:
    """Return a file of `STATIC` as a page, with its Content-Security-Policy."""
    return FileResponse(path, headers={"Content-Security-Policy": POLICIES.get(path, ASSET_POLICY), **headers})


async def home(request: Request) -> Response:
    """Answer browsers with the page, and other clients with a line of text, as the original did."""
    if "text/html" in request.headers.get("accept", ""):
        return page(STATIC / "index.html")
    return PlainTextResponse("Boardcast is running")


async def operations(request: Request) -> Response:
    """Return the documents of `graphql/operations/`, which GraphiQL shows as tabs."""
    documents = sorted(_operations_folder().glob("*.graphql"))
    return answer([{"name": path.name, "query": path.read_text(encoding="utf-8")} for path in documents])


class _Assets(StaticFiles):
    def file_response(self, full_path: str | PathLike[str], *arguments: Any, **named: Any) -> Response:
        """Return a file with its Content-Security-Policy."""
        response = super().file_response(full_path, *arguments, **named)
        response.headers["Content-Security-Policy"] = POLICIES.get(Path(full_path), ASSET_POLICY)
        return response


def _operations_folder() -> Path:
    # A wheel has the documents next to the assets; a checkout has them in its top folder.
    packed = STATIC / "graphql" / "operations"
    return packed if packed.is_dir() else STATIC.parent.parent / "graphql" / "operations"
