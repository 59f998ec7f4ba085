"""Input number N of seed S: a function of both, and of what a running server is called, alone."""

from __future__ import annotations

import random

from tests.fuzz.bounds import BOUNDS
from tests.fuzz.doors import DOORS
from tests.fuzz.inputs import Access, Facts, Input
from tests.fuzz.sequences import SEQUENCES

__all__ = ["NAMES", "make_input"]

_MAKERS = {**DOORS, **SEQUENCES, **BOUNDS}
#: Every door and sequence there is.
NAMES = tuple(_MAKERS)
_WEIGHTS = tuple(weight for weight, _ in _MAKERS.values())
_ACCESS, _ACCESS_WEIGHTS = (Access.TOKEN, Access.NONE, Access.WRONG), (8, 1, 1)


def make_input(seed: int, number: int, facts: Facts) -> Input:
    """Return the input; the same arguments always give the same one."""
    rng = random.Random(f"{seed}:{number}")
    (name,) = rng.choices(NAMES, _WEIGHTS)
    (access,) = rng.choices(_ACCESS, _ACCESS_WEIGHTS)
    talk, steps, owed, aligned = _MAKERS[name][1](rng, access, facts)
    return Input(seed, number, name, talk, steps, owed, aligned)
