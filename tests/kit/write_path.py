"""How the servers of the tests send: with direct writes to their connections, as by default, or through ASGI.

Some tests run both ways. With this variable set to `off`, all of them use ASGI.
"""

from __future__ import annotations

import os

__all__ = ["VARIABLE", "WAYS", "are_writes_direct"]

#: Name of the environment variable that turns direct writes off for the whole suite.
VARIABLE = "BOARDCAST_TEST_DIRECT_WRITES"
#: Names of the two ways in tests that run both → `Settings.direct_writes`.
WAYS = {"directly": True, "by ASGI": False}


def are_writes_direct() -> bool:
    """Return whether servers write directly in tests that do not choose.

    Raises:
        ValueError: the variable is neither `on` nor `off`.
    """
    word = os.environ.get(VARIABLE, "on")
    if word not in ("on", "off"):
        raise ValueError(f"{VARIABLE} must be on or off, not {word!r}")
    return word == "on"
