"""JSON bodies of HTTP requests and answers."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from realtime.errors import quoted
from server.problem import Problem
from server.protocol.json_text import load_json

__all__ = ["answer", "json_body", "json_object", "refuse_encoded"]


async def json_body(request: Request) -> Any:
    """Return the body as JSON.

    A body of another media type counts as an empty object, as in the original. A page of another origin can send such
    a body without a preflight; so it has no effect.

    Raises:
        Problem: 400, the body is no JSON; 413, it is too large (`limits.BodyLimit`); 415, it is compressed.
    """
    refuse_encoded(request)
    body = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        return {}
    try:
        return load_json(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "Malformed JSON in request body") from error


def refuse_encoded(request: Request) -> None:
    """Refuse a compressed body, because a small one can expand to a very large one.

    Raises:
        Problem: 415, with `Accept-Encoding` (RFC 9110, 12.5.3).
    """
    lines = ",".join(request.headers.getlist("content-encoding"))
    codings = [coding.strip().lower() for coding in lines.split(",")]
    if any(coding not in ("", "identity") for coding in codings):
        expected = f"Content-Encoding: expected none, for compressed bodies are not read; got {lines!r:.80}"
        raise Problem(415, expected, headers={"Accept-Encoding": "identity"})


async def json_object(request: Request) -> dict[str, Any]:
    """Return the body, which must be an object.

    Raises:
        Problem: 400, the body is no object.
    """
    body = await json_body(request)
    if not isinstance(body, dict):
        raise Problem(400, f"expected a JSON object, got {quoted(body)}")
    return body


def answer(body: Any, status: int = 200) -> Response:
    """Return `body` (plain values, or bytes that are already JSON) as the answer."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(content, status, media_type="application/json")
