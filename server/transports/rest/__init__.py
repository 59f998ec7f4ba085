"""REST (docs/rest.md): the calls of board clients, under `/api/v1` and the older `/api`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from server.transports.rest.attempts import attempt_routes
from server.transports.rest.boards import board_routes
from server.transports.rest.projects import project_routes
from server.transports.rest.status import status_routes
from server.transports.rest.web_client import web_client_routes

__all__ = ["rest_routes"]


def rest_routes() -> list[BaseRoute]:
    """Return all routes, without the prefix."""
    return [*status_routes(), *project_routes(), *board_routes(), *attempt_routes(), *web_client_routes()]
