"""Open file descriptors: raises the limit of the process, because each connection needs one."""

from __future__ import annotations

import resource
from contextlib import suppress

__all__ = ["connection_room", "raise_descriptor_limit"]

#: Descriptors reserved for the database, the listening socket, logs, and clients that are refused.
RESERVED = 128


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard limit; shells and service managers often leave it at 1,024.

    The database opens its files at the start and keeps them open, so connections cannot take their descriptors.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems have a lower limit of their own
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_room(max_connections: int) -> int:
    """Return the number of connections for which there are descriptors, at most `max_connections`.

    A server without a free descriptor can neither accept nor refuse a connection.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return max_connections
    # With fewer than twice the reserve, use half of the limit.
    return max(1, min(max_connections, max(soft - RESERVED, soft // 2)))
