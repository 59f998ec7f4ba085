"""The fixtures of the core's tests, and how many examples hypothesis tries."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.kit.nodes import board, node, store

__all__ = ["EXAMPLES_VARIABLE", "board", "node", "store"]

#: Name of the environment variable that says how many examples a property is tried with.
EXAMPLES_VARIABLE = "BOARDCAST_TEST_EXAMPLES"

# No deadline of hypothesis' own: the first example pays for imports, and every wait has one anyway.
settings.register_profile("boardcast", max_examples=int(os.environ.get(EXAMPLES_VARIABLE, "25")), deadline=None)
settings.load_profile("boardcast")
