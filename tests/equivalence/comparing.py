"""Compares the events of an exit with the expected ones, and describes the first difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from tests.equivalence.mapping import Json

__all__ = ["assert_same", "differences"]

_SHOWN_CHARS = 160
_SHOWN_DIFFERENCES = 5


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()


def assert_same(exit: str, got: Sequence[Json], due: Sequence[Json]) -> None:
    """Assert that an exit sent the expected events.

    Raises:
        AssertionError: names the exit, the index of the first event that differs, and the difference.
    """
    if got == due:
        return
    for index, (came, wanted) in enumerate(zip_longest(got, due, fillvalue=_NOTHING)):
        if came != wanted:
            found = list(differences(came, wanted))
            lines = "\n  ".join(found[:_SHOWN_DIFFERENCES])
            kinds = f"due: {', '.join(map(_kind, due))}; got: {', '.join(map(_kind, got))}"
            raise AssertionError(f"{exit}, event {index} of {len(due)} that were due:\n  {lines}\n  {kinds}")


def differences(came: Any, wanted: Any, where: str = "$") -> Iterator[str]:
    """Yield a line for each value that differs, with the path to it."""
    if isinstance(came, dict) and isinstance(wanted, dict):
        for key in {**wanted, **came}:
            yield from differences(came.get(key, _NOTHING), wanted.get(key, _NOTHING), f"{where}.{key}")
    elif isinstance(came, list) and isinstance(wanted, list):
        for index, (one, other) in enumerate(zip_longest(came, wanted, fillvalue=_NOTHING)):
            yield from differences(one, other, f"{where}[{index}]")
    elif came != wanted:
        yield f"{where}: expected {_shown(wanted)}, got {_shown(came)}"


def _shown(value: object) -> str:
    spelled = repr(value)
    return spelled if len(spelled) <= _SHOWN_CHARS else spelled[: _SHOWN_CHARS - 1] + "…"


def _kind(event: Json) -> str:
    return str(event.get("type") or event.get("__typename"))
