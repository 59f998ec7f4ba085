"""JSON in and JSON out over HTTP."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from realtime.errors import quoted
from server.problem import Problem

__all__ = ["answer", "json_body", "json_object"]


async def json_body(request: Request) -> Any:
    """Return the body as JSON.

    A body of another media type counts as an empty object, as in the original: a foreign page can send those
    without asking, and gets nothing done by it.

    Raises:
        Problem: 400, it is no JSON; 413, it is too large (`limits.BodyLimit`).
    """
    body = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "Malformed JSON in request body") from error


async def json_object(request: Request) -> dict[str, Any]:
    """Return the body, which must be an object.

    Raises:
        Problem: 400, it is something else.
    """
    body = await json_body(request)
    if not isinstance(body, dict):
        raise Problem(400, f"expected a JSON object, got {quoted(body)}")
    return body


def answer(body: Any, status: int = 200) -> Response:
    """Return `body` (plain values, or bytes that are JSON already) as the answer."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(content, status, media_type="application/json")
