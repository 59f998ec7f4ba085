"""The state machine with readers of different grants, which come, get other tokens, and ask."""

from __future__ import annotations

from typing import Any

from anyio.from_thread import BlockingPortal
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.equivalence.granted.granted_world import SUBJECTS, GrantedWorld
from tests.equivalence.granted.grants import SHAPES
from tests.equivalence.granted.readers import EXITS
from tests.equivalence.happenings import figures, names
from tests.equivalence.machine import EquivalenceMachine

__all__ = ["GrantedMachine"]

_subjects = st.integers(0, SUBJECTS - 1)
_happenings = st.lists(st.tuples(st.integers(0, 1), names(), figures()), min_size=1, max_size=3)


class GrantedMachine(EquivalenceMachine):
    """The steps of the machine without grants, and those of readers."""

    def __init__(self, portal: BlockingPortal, world: GrantedWorld) -> None:
        """Begin in a world that is not open yet."""
        super().__init__(portal, world)
        self._granted = world

    @rule(who=_subjects, exit=st.sampled_from(list(EXITS)), n=st.integers(0, 2))
    def join(self, who: int, exit: str, n: int) -> None:
        self._do(self._granted.join, who, exit, n)

    @rule(who=_subjects, shape=st.integers(0, len(SHAPES) - 1), in_place=st.booleans(), happenings=_happenings)
    def renew(self, who: int, shape: int, in_place: bool, happenings: Any) -> None:
        self._do(self._granted.renew, who, shape, in_place, happenings)

    @rule(who=_subjects, shape=st.integers(0, len(SHAPES) - 1), happenings=_happenings)
    def renew_in_place(self, who: int, shape: int, happenings: Any) -> None:
        self._do(self._granted.renew, who, shape, True, happenings)

    @rule(who=_subjects)
    def look_as(self, who: int) -> None:
        self._do(self._granted.look_as, who)
