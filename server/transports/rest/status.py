"""The server: calls for those who watch the process.

`healthz`, `readyz` and `version` need no token.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.errors import BrokerUnavailable, StoreUnavailable
from server.routing import resource
from server.transports.bodies import answer
from server.transports.callers import service_of
from server.transports.rest.answers import HealthJson, VersionJson
from server.transports.rest.calls import rest_call

__all__ = ["boardcast_version", "status_routes"]


def status_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        resource("/healthz", get=healthz),
        resource("/readyz", get=readyz),
        resource("/version", get=get_version),
    ]


def boardcast_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("boardcast")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"


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
