"""The pages for browsers (`/`, `/dashboard`, `/inspector`), the assets, and the documents for GraphiQL's tabs."""

from __future__ import annotations

import re
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount

from server.routing import SegmentRoute
from server.transports.bodies import answer
from server.transports.files.packed_files import FOR_EVER, PackedFiles, file_answer, unless_known
from server.transports.files.web_client_files import WebClient

__all__ = ["STATIC", "page", "page_routes"]

STATIC = Path(__file__).parents[2] / "static"
#: The name of a file by a hash of its content.
_HASHED = re.compile(r"[0-9a-f]{16}\.\w+")
#: No other site may show our pages in a frame, where it could steal clicks (docs/operating.md, "Pages"). A browser
#: reads this rule only from a header, not from `<meta>`.
_NO_FRAME = "frame-ancestors 'none'; base-uri 'none'"
_OWN = f"default-src 'none'; {_NO_FRAME}; script-src 'self'; connect-src 'self'"
#: Page → its Content-Security-Policy.
POLICIES = {
    STATIC / "index.html": f"{_OWN}; style-src 'self'; img-src 'self'; form-action 'self'",
    STATIC / "docs" / "index.html": f"{_OWN}; style-src 'self'; img-src 'self'; form-action 'none'",
    # GraphiQL's editor writes styles into the page.
    STATIC / "graphiql" / "index.html": (
        f"{_OWN}; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; form-action 'none'"
    ),
}
#: Policy for an asset that a browser opens as a page.
ASSET_POLICY = f"default-src 'self'; {_NO_FRAME}; style-src 'self' 'unsafe-inline'; form-action 'none'"


def page_routes(web_client: Path | None = None) -> list[BaseRoute]:
    """Return the routes. A web client takes every address without one; our own pages are then below `/boardcast`."""
    own = "" if web_client is None else "/boardcast"
    return [
        SegmentRoute(own or "/", home, methods=["GET"]),
        SegmentRoute(f"{own}/docs", docs, methods=["GET"]),
        SegmentRoute(f"{own}/dashboard", other_page, methods=["GET"]),
        SegmentRoute(f"{own}/inspector", other_page, methods=["GET"]),
        SegmentRoute("/static/operations.json", operations, methods=["GET"]),
        Mount("/static", _Assets(directory=STATIC), name="static"),
        *([] if web_client is None else [Mount("/", WebClient(web_client), name="web client")]),
    ]


async def page(request: Request, path: Path, **headers: str) -> Response:
    """Return a file of `STATIC` as a page, with its Content-Security-Policy."""
    headers["Content-Security-Policy"] = POLICIES.get(path, ASSET_POLICY)
    response = file_answer(request.scope, path, await to_thread.run_sync(path.stat), headers)
    return unless_known(request, response)


async def home(request: Request) -> Response:
    """Answer browsers with the page, and other clients with a line of text, as the original did."""
    if "text/html" in request.headers.get("accept", ""):
        return await page(request, STATIC / "index.html")
    return PlainTextResponse("Boardcast is running")


async def other_page(request: Request) -> Response:
    """Return the same page, which shows the dashboard or the inspector at this address."""
    return await page(request, STATIC / "index.html")


async def docs(request: Request) -> Response:
    """Return the page that shows the descriptions of REST and of the raw streams."""
    return await page(request, STATIC / "docs" / "index.html")


async def operations(request: Request) -> Response:
    """Return the documents of `graphql/operations/`, which GraphiQL shows as tabs."""
    documents = sorted(_operations_folder().glob("*.graphql"))
    return answer([{"name": path.name, "query": path.read_text(encoding="utf-8")} for path in documents])


class _Assets(PackedFiles):
    def headers_of(self, path: Path) -> dict[str, str]:
        """Return the policy of a file; a file that is named by a hash never changes."""
        kept = {"Cache-Control": FOR_EVER} if _HASHED.fullmatch(path.name) else {}
        return {"Content-Security-Policy": POLICIES.get(path, ASSET_POLICY), **kept}


def _operations_folder() -> Path:
    # A wheel has the documents next to the assets; a checkout has them in its top folder.
    packed = STATIC / "graphql" / "operations"
    return packed if packed.is_dir() else STATIC.parent.parent / "graphql" / "operations"
