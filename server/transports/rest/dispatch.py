"""One address with all its methods, so that a wrong method is answered with the whole `Allow` (RFC 9110 §15.5.6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from server.routing import SegmentRoute

__all__ = ["Handler", "resource"]

Handler = Callable[[Request], Awaitable[Response]]


def resource(path: str, **handlers: Handler) -> SegmentRoute:
    """Return the route of `path`; `handlers` by lower-case method, HEAD is answered by that of GET.

    Ids in the path may hold any character, percent-encoded, `/` among them (docs/rest.md, "Requests").
    """

    async def dispatch(request: Request) -> Response:
        method = "get" if request.method == "HEAD" else request.method.lower()
        return await handlers[method](request)

    return SegmentRoute(path, dispatch, methods=[method.upper() for method in handlers])
