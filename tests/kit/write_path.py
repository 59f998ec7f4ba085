"""How the servers of the tests send: written to their connections at once, as by default, or all of it by ASGI.

Some tests run both ways; with this variable set to `off`, all of them do it by ASGI.
"""

from __future__ import annotations

import os

__all__ = ["VARIABLE", "WAYS", "are_writes_direct"]

#: Name of the environment variable that turns direct writes off for the whole suite.
VARIABLE = "BOARDCAST_TEST_DIRECT_WRITES"
#: What tests that run both ways are named → `Settings.direct_writes`.
WAYS = {"directly": True, "by ASGI": False}


def are_writes_direct() -> bool:
    """Tell which way servers send for which a test does not say.

    Raises:
        ValueError: the variable is neither `on` nor `off`.
    """
    word = os.environ.get(VARIABLE, "on")
    if word not in ("on", "off"):
        raise ValueError(f"{VARIABLE} must be on or off, not {word!r}")
    return word == "on"
