"""The service of the application, and the caller of a request or handshake, as the access gate has identified it."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from realtime.service import Caller, Service

__all__ = ["asked_by", "caller_of", "service_of"]


def service_of(connection: HTTPConnection) -> Service:
    """Return the application's service."""
    service: Service = connection.app.state.service
    return service


def caller_of(connection: HTTPConnection) -> Caller:
    """Return the caller."""
    caller: Caller = connection.state.caller
    return caller


def asked_by(connection: HTTPConnection) -> tuple[Service, Caller]:
    """Return both."""
    return service_of(connection), caller_of(connection)
