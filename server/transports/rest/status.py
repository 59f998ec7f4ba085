"""The server: calls for those who watch the process.

`healthz`, `readyz` and `version` need no token. `nodes` needs the grant `admin` on all boards.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.errors import BrokerUnavailable, StoreUnavailable
from realtime.service import SeenNode
from server.routing import resource
from server.runtime.version import boardcast_version
from server.transports.bodies import answer
from server.transports.callers import asked_by, service_of
from server.transports.rest.answers import HealthJson, NodeJson, OpenStreamsJson, VersionJson
from server.transports.rest.calls import rest_call

__all__ = ["status_routes"]

#: Streams in an answer.
MAX_STREAMS = 500


def status_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        resource("/healthz", get=healthz),
        resource("/readyz", get=readyz),
        resource("/version", get=get_version),
        resource("/nodes", get=list_nodes),
        resource("/streams", get=open_streams),
    ]


@rest_call()
async def healthz(request: Request) -> HealthJson:
    """Answer as long as the process lives."""
    return {"ok": True}


@rest_call()
async def readyz(request: Request) -> HealthJson | Response:
    """Answer whether the database and the broker answer.

    If one does not, the answer is 503 with `ok` false and a `reason`. It is no problem document.
    """
    try:
        await service_of(request).check_store()
        await service_of(request).check_broker()
    except StoreUnavailable as away:
        return answer({"ok": False, "reason": f"store: {away}"}, 503)
    except BrokerUnavailable as away:
        return answer({"ok": False, "reason": f"broker: {away}"}, 503)
    return {"ok": True}


@rest_call()
async def get_version(request: Request) -> VersionJson:
    """Read the version of the server."""
    current = boardcast_version()
    return {
        "currentVersion": current,
        "latestVersion": current,
        "updateAvailable": False,
        "checkedAt": iso(service_of(request).clock()),
    }


@rest_call()
async def list_nodes(request: Request) -> list[NodeJson]:
    """List the servers (nodes) of the installation, by name, with their figures.

    Each server writes its row every 5 s, and removes it when it stops. `isSilent` is true 15 s after the last row: the
    server was killed, is paused, or does not reach the database. An hour later it is no longer listed.
    `isLeader` is true on the server that removes old events. `headsBehind` counts the boards that are behind the log at
    the moment, and `brokerProblem` says why hints do not reach the others.
    """
    service, caller = asked_by(request)
    return [_node_json(seen) for seen in await service.nodes.all(caller)]


def _node_json(seen: SeenNode) -> NodeJson:
    node, figures = seen.node, seen.figures
    return {
        "name": node.name,
        "version": node.version,
        "address": node.address,
        "startedAt": iso(node.started_at),
        "lastSeenAt": iso(node.seen_at),
        "isSilent": seen.is_silent,
        "isLeader": figures.is_leader and not seen.is_silent,
        "readers": figures.readers,
        "eventsStored": figures.events_stored,
        "headsBehind": figures.heads_behind,
        "repairs": figures.repairs,
        "hintsLost": figures.hints_lost,
        "hintRetries": figures.hint_retries,
        "poolWaits": figures.pool_waits,
        "brokerProblem": figures.broker_problem or None,
    }


@rest_call()
async def open_streams(request: Request) -> OpenStreamsJson:
    """List the streams that are open on this process, those that are furthest behind first.

    It needs the grant `admin` on all boards. A stream that waits for nothing has `behind` and `queued` 0.
    """
    service, caller = asked_by(request)
    total, found = service.streams.open(caller, MAX_STREAMS)
    return {
        "total": total,
        "streams": [
            {
                "exit": one.exit,
                "boardId": one.board_id,
                "detail": one.detail,
                "cursor": one.cursor,
                "behind": one.behind,
                "queued": one.queued,
                "lastGap": one.last_gap,
            }
            for one in found
        ],
    }
