"""What a browser gets: the page at `/`, the assets, and the documents for GraphiQL's tabs."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from server.transports.bodies import answer

__all__ = ["STATIC", "page_routes"]

STATIC = Path(__file__).parent.parent / "static"


def page_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        Route("/", home, methods=["GET"]),
        Route("/static/operations.json", operations, methods=["GET"]),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]


async def home(request: Request) -> Response:
    """The page for browsers; a plain line for everybody else, as the original had."""
    if "text/html" in request.headers.get("accept", ""):
        return FileResponse(STATIC / "index.html")
    return PlainTextResponse("Boardcast is running")


async def operations(request: Request) -> Response:
    """The documents of `graphql/operations/`, as GraphiQL's tabs."""
    documents = sorted(_operations_folder().glob("*.graphql"))
    return answer([{"name": path.name, "query": path.read_text(encoding="utf-8")} for path in documents])


def _operations_folder() -> Path:
    # A wheel carries the documents beside the assets; a checkout has them at its top.
    packed = STATIC / "graphql" / "operations"
    return packed if packed.is_dir() else STATIC.parent.parent / "graphql" / "operations"
