"""Listening sockets: one for a single process, or one for each of the workers that share a port."""

from __future__ import annotations

import socket

__all__ = ["BACKLOG", "CannotListen", "address_of", "bind", "bind_shared", "listen"]

#: Connections that may wait until the server accepts them.
BACKLOG = 2048


class CannotListen(Exception):
    """The port is in use, or the host is no address of this machine."""


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free port.

    Raises:
        OSError: the port is in use, or the host is no address of this machine.
    """
    listening = socket.create_server((host.strip("[]"), port), family=_family(host), backlog=BACKLOG)
    # Named as TCP: asyncio switches Nagle's algorithm off only for such sockets, and answers would be late.
    return socket.socket(listening.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach())


def bind_shared(host: str, port: int) -> socket.socket:
    """Return a socket that does not listen yet, and shares its port with all others that this function returns.

    The system gives each new connection to one of those that listen, by a hash of the two addresses (SO_REUSEPORT).

    Raises:
        OSError: a socket of `bind` has the port, or the host is no address of this machine.
    """
    made = socket.socket(_family(host), socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host.strip("[]"), port))
    except OSError:
        made.close()
        raise
    return made


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return the socket of `bind`, or of `bind_shared` if nobody has its port yet.

    Raises:
        CannotListen: the port is in use, or the host is no address of this machine.
    """
    try:
        listening = bind(host, port)
        if not shared:
            return listening
        # Two servers with workers could share a port by mistake. The socket of `bind` can share it with nobody.
        with listening:
            port = listening.getsockname()[1]
        return bind_shared(host, port)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def address_of(host: str, listening: socket.socket) -> str:
    """Return the URL of the server at a socket that is bound to `host`."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
