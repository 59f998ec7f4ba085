"""The fixtures of the core's tests, and the number of hypothesis examples."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.kit.nodes import board, node, service, store

__all__ = ["EXAMPLES_VARIABLE", "board", "node", "service", "store"]

#: Name of the environment variable with the number of examples per property.
EXAMPLES_VARIABLE = "BOARDCAST_TEST_EXAMPLES"

# Hypothesis has no deadline here: the first example includes imports, and every wait has its own deadline.
settings.register_profile("boardcast", max_examples=int(os.environ.get(EXAMPLES_VARIABLE, "25")), deadline=None)
settings.load_profile("boardcast")
