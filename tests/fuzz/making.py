"""Input number N of seed S. It depends only on both, and on the data of the running server."""

from __future__ import annotations

import random

from tests.fuzz.bounds import BOUNDS
from tests.fuzz.entries import ENTRIES
from tests.fuzz.inputs import Access, Facts, Input
from tests.fuzz.sequences import SEQUENCES

__all__ = ["NAMES", "make_input"]

_MAKERS = {**ENTRIES, **SEQUENCES, **BOUNDS}
#: Every entry and sequence.
NAMES = tuple(_MAKERS)
_WEIGHTS = tuple(weight for weight, _ in _MAKERS.values())
_ACCESS, _ACCESS_WEIGHTS = (Access.TOKEN, Access.NONE, Access.WRONG), (8, 1, 1)


def make_input(seed: int, number: int, facts: Facts) -> Input:
    """Return the input. The same arguments always give the same one."""
    rng = random.Random(f"{seed}:{number}")
    (name,) = rng.choices(NAMES, _WEIGHTS)
    (access,) = rng.choices(_ACCESS, _ACCESS_WEIGHTS)
    talk, steps, owed, aligned = _MAKERS[name][1](rng, access, facts)
    return Input(seed, number, name, talk, steps, owed, aligned)
