"""Health, version, agents and the dashboard."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.dashboard.time_range import InvalidTimeRange, time_range_from_query
from realtime.errors import StoreUnavailable
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import answer
from server.transports.callers import asked_by, service_of
from server.transports.query import first_values

__all__ = ["boardcast_version", "status_routes"]


def status_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        resource("/healthz", get=healthz),
        resource("/readyz", get=readyz),
        resource("/version", get=get_version),
        resource("/agents", get=agents),
        resource("/dashboard", get=dashboard),
    ]


def boardcast_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("boardcast")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"


async def healthz(request: Request) -> Response:
    """Answer 200 while the process runs."""
    return answer({"ok": True})


async def readyz(request: Request) -> Response:
    """Answer 200 if the store answers, else 503 with the reason."""
    try:
        await service_of(request).check_store()
    except StoreUnavailable as away:
        return answer({"ok": False, "reason": f"store: {away}"}, 503)
    return answer({"ok": True})


async def get_version(request: Request) -> Response:
    """The version. The server does not check for newer ones; the keys are those of the original."""
    current = boardcast_version()
    return answer(
        {
            "currentVersion": current,
            "latestVersion": current,
            "updateAvailable": False,
            "checkedAt": iso(service_of(request).clock()),
        }
    )


async def agents(request: Request) -> Response:
    """Registered agents and their profiles."""
    service, caller = asked_by(request)
    known, profiles = await service.dashboard.agents(caller)
    return answer(
        {
            "agents": [{"key": agent.key, "label": agent.label or agent.key, "capabilities": {}} for agent in known],
            "profiles": [{"id": one.id, "agent": one.agent, "label": one.label} for one in profiles],
        }
    )


async def dashboard(request: Request) -> Response:
    """The overview, for the range in the query or the default range."""
    service, caller = asked_by(request)
    try:
        time_range = time_range_from_query(first_values(request.query_params))
    except InvalidTimeRange as refused:
        raise Problem(400, refused.message, errors=refused.fields) from refused
    return answer((await service.dashboard.overview(caller, time_range)).to_json())
