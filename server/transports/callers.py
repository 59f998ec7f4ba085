"""The service of the application, and the caller of a request or handshake, as the access gate has identified it."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.service import Caller, Service
from server.access.connected_caller import ConnectedCaller

__all__ = ["asked_by", "caller_of", "connected", "service_of"]


def service_of(connection: HTTPConnection) -> Service:
    """Return the service of the application that serves this connection."""
    service: Service = connection.app.state.service
    return service


def caller_of(connection: HTTPConnection) -> Caller:
    """Return the caller that the access gate has found for this connection."""
    caller: Caller = connection.state.caller
    return caller


def asked_by(connection: HTTPConnection) -> tuple[Service, Caller]:
    """Return the service and the caller of this connection."""
    return service_of(connection), caller_of(connection)


def connected(connection: HTTPConnection, lifetime: ConnectionLifetime) -> ConnectedCaller:
    """Return the caller of this WebSocket, which may send a new token until `lifetime` ends."""
    return ConnectedCaller(caller_of(connection), service_of(connection), connection.app.state.access, lifetime)
