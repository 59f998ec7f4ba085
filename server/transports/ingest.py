"""`POST /api/v1/events`: domain events from outside (docs/ingest.md)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from realtime.errors import InvalidInput
from realtime.kanban.incoming import parse_incoming
from realtime.node import Node
from server.problem import Problem
from server.transports.bodies import answer, json_body

__all__ = ["ingest"]


async def ingest(request: Request) -> Response:
    """Store and publish one event or a list of them, all or none."""
    node: Node = request.app.state.node
    body = await json_body(request)
    try:
        accepted = await node.bus.ingest(parse_incoming(body))
    except InvalidInput as refused:
        raise Problem(422, "The events do not fit; nothing was stored", errors=refused.fields) from refused
    entries = [{"name": one.name, "cursor": one.cursor, "duplicate": one.duplicate} for one in accepted]
    return answer({"accepted": entries}, 202)
