"""One deadline for every wait of the tests, in units that a slow machine can stretch.

Production code has limits of its own; nothing here is for it. pytest-timeout stays behind this as the last resort.
"""

from __future__ import annotations

import os
from types import TracebackType

import anyio

__all__ = ["FACTOR_VARIABLE", "deadline", "seconds"]

#: Name of the environment variable that stretches every deadline, for example `4` on a loaded machine.
FACTOR_VARIABLE = "BOARDCAST_TEST_TIMEOUT_FACTOR"

#: One unit: far more than any step takes on an idle machine, short enough to wait for when a step hangs.
UNIT_SECONDS = 1.0


def seconds(units: float = 1.0) -> float:
    """Return `units` in seconds, stretched by the environment.

    For clients that take a timeout as a figure; elsewhere `deadline` says more when it strikes.

    Raises:
        ValueError: the variable holds something else than a number above zero.
    """
    text = os.environ.get(FACTOR_VARIABLE, "1")
    factor = float(text)
    if not factor > 0:  # catches nan as well
        raise ValueError(f"{FACTOR_VARIABLE} must be a number above zero, not {text!r}")
    return units * UNIT_SECONDS * factor


class deadline:  # noqa: N801 - reads as a statement: `async with deadline(2):`
    """Fail what happens inside when it takes longer than `units`.

    A class and not a generator, because a cancel scope must not sit around a `yield`. Use one object once.

    Raises:
        TimeoutError: the time was over; says how long that was.
    """

    def __init__(self, units: float = 1.0) -> None:
        self._seconds = seconds(units)
        self._scope = anyio.CancelScope()

    async def __aenter__(self) -> None:
        self._scope.deadline = anyio.current_time() + self._seconds
        self._scope.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scope.__exit__(kind, error, traceback)
        # The scope swallows nothing but its own cancellation, and then something is raised: so None is true.
        if self._scope.cancelled_caught:
            raise TimeoutError(f"not done within {self._seconds:g} s; {FACTOR_VARIABLE} stretches this") from error
