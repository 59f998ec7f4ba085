"""Descriptors: as many as the system lets the process have, for each connection is one."""

from __future__ import annotations

import resource
from contextlib import suppress

__all__ = ["raise_descriptor_limit"]


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard one; shells and service managers often leave it at 1,024.

    The database opens all it needs at the start, and holds on to it, so that connections cannot use that up.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems have a lower limit of their own
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
