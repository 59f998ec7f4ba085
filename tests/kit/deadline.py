"""The deadline of every wait in the tests, in units that can be stretched on a slow machine.

Production code has its own limits. pytest-timeout is only the last resort.
"""

from __future__ import annotations

import os
from types import TracebackType

import anyio

__all__ = ["FACTOR_VARIABLE", "deadline", "seconds"]

#: Name of the environment variable that multiplies every deadline, for example by `4` on a loaded machine.
FACTOR_VARIABLE = "BOARDCAST_TEST_TIMEOUT_FACTOR"

#: One unit: much longer than any step on an idle machine, and short enough to wait for if a step hangs.
UNIT_SECONDS = 1.0


def seconds(units: float = 1.0) -> float:
    """Return `units` in seconds, multiplied by the environment's factor.

    For clients that take a timeout as a number. Elsewhere prefer `deadline`, which has a better error message.

    Raises:
        ValueError: the variable is not a number above zero.
    """
    text = os.environ.get(FACTOR_VARIABLE, "1")
    factor = float(text)
    if not factor > 0:  # also refuses nan
        raise ValueError(f"{FACTOR_VARIABLE} must be a number above zero, not {text!r}")
    return units * UNIT_SECONDS * factor


class deadline:  # noqa: N801 - reads as a statement: `async with deadline(2):`
    """Fail if the block takes longer than `units`.

    This is a class and not a generator, because a cancel scope must not surround a `yield`. Use each object once.

    Raises:
        TimeoutError: the time was over; the message contains the limit.
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
        # The scope swallows only its own cancellation, and `TimeoutError` is raised then. So the result is never true.
        if self._scope.cancelled_caught:
            raise TimeoutError(f"not done within {self._seconds:g} s; {FACTOR_VARIABLE} stretches this") from error
