"""`POST /api/v1/events`: domain events from outside (docs/ingest.md)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from realtime.errors import InvalidInput, KeyReused
from realtime.kanban.incoming import Incoming, parse_incoming
from server.concurrency.worker_thread import computed
from server.problem import Problem
from server.transports.bodies import answer, json_body
from server.transports.callers import asked_by

__all__ = ["ingest"]

#: More bytes or events than these are parsed in a thread: a state of 2,500 cards, or 1,000 invalid events, takes 80 ms
#: (measured).
LONG_BYTES, MANY_EVENTS = 64 * 1024, 100


async def ingest(request: Request) -> Response:
    """Store and publish one event or a list of events, all or none."""
    service, caller = asked_by(request)
    body = await json_body(request)
    try:
        accepted = await service.events.ingest(caller, await _parsed(body, len(await request.body())))
    except (InvalidInput, KeyReused) as refused:
        raise Problem(422, "The events do not fit; nothing was stored", errors=refused.fields) from refused
    entries = [{"name": one.name, "cursor": one.cursor, "duplicate": one.duplicate} for one in accepted]
    return answer({"accepted": entries}, 202)


async def _parsed(body: Any, size: int) -> list[Incoming]:
    if size > LONG_BYTES or (isinstance(body, list) and len(body) > MANY_EVENTS):
        return await computed(lambda: parse_incoming(body))
    return parse_incoming(body)
