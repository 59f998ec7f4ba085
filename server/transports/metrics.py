"""`GET /metrics`: the counters, in the text format that the client accepts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from server.transports.callers import asked_by

__all__ = ["metrics"]


async def metrics(request: Request) -> Response:
    """Answer in the format of Prometheus, or in OpenMetrics if `Accept` prefers it.

    Raises:
        Forbidden: the caller has no grant `admin` on all boards.
    """
    service, caller = asked_by(request)
    service.check_metrics(caller)
    registry: CollectorRegistry = request.app.state.metrics
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"Content-Type": content_type, "Cache-Control": "no-store"})
