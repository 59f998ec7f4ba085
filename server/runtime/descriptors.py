"""Descriptors: as many as the system lets the process have, for each connection is one."""

from __future__ import annotations

import resource
from contextlib import suppress

__all__ = ["connection_room", "raise_descriptor_limit"]

#: Descriptors that are not for connections: the database, the listening socket, logs, and clients that are refused.
RESERVED = 128


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard one; shells and service managers often leave it at 1,024.

    The database opens all it needs at the start, and holds on to it, so that connections cannot use that up.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems have a lower limit of their own
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_room(max_connections: int) -> int:
    """Return for how many connections there are descriptors, `max_connections` at most.

    A server that has none left can neither accept nor refuse.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return max_connections
    # With less than twice the reserve, half of what there is.
    return max(1, min(max_connections, max(soft - RESERVED, soft // 2)))
