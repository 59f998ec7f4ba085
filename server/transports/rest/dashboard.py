"""Dashboard and agents: calls that read what the dashboard shows."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute

from realtime.dashboard.time_range import QUERY_PARAMETERS, InvalidTimeRange, time_range_from_query
from server.problem import Problem
from server.routing import resource
from server.transports.callers import asked_by
from server.transports.query import Parameter, first_values
from server.transports.rest.answers import AgentsJson, OverviewJson
from server.transports.rest.calls import rest_call

__all__ = ["dashboard_routes"]

_RANGE = tuple(Parameter(name, meaning) for name, meaning in QUERY_PARAMETERS.items())


def dashboard_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [resource("/dashboard", get=dashboard), resource("/agents", get=agents)]


@rest_call(query=_RANGE)
async def dashboard(request: Request) -> OverviewJson:
    """Read the overview of a time range.

    `from` and `to` win over `timeRangePreset`, which wins over `range`. One of `from` and `to` without the other is
    400, and so is a day that does not exist.
    """
    service, caller = asked_by(request)
    try:
        time_range = time_range_from_query(first_values(request.query_params))
    except InvalidTimeRange as refused:
        raise Problem(400, refused.message, errors=refused.fields) from refused
    return (await service.dashboard.overview(caller, time_range)).to_wire()


@rest_call()
async def agents(request: Request) -> AgentsJson:
    """List the agents and profiles that [events](ingest.md#effects) have named."""
    service, caller = asked_by(request)
    known, profiles = await service.dashboard.agents(caller)
    return {
        "agents": [{"key": agent.key, "label": agent.label or agent.key, "capabilities": {}} for agent in known],
        "profiles": [{"id": one.id, "agent": one.agent, "label": one.label} for one in profiles],
    }
