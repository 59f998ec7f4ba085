"""The board between its changes: each change that waits for a client can show the board as it was then.

A state for each change would cost a copy of the board's dictionaries, 100 KB for 2,000 cards, and thousands of changes
may wait. So a run of changes keeps one state, and the others are folded when code reads them. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from realtime.kanban.changes import Difference, apply
from realtime.kanban.models import BoardState

__all__ = ["MAX_CHANGES", "Moment", "Run", "Timeline"]

#: Most changes that share one state. Reading a state folds at most so many.
MAX_CHANGES = 64


class Run:
    """Consecutive changes of a board, with the state before the first one."""

    __slots__ = ("_number", "_states", "changes", "first")

    def __init__(self, first: BoardState | Run) -> None:
        """Begin with a state, or with the last state of an earlier run, which is folded when it is needed."""
        self.first = first
        self.changes: list[Difference] = []
        #: The states around the change that was read last, and its number: readers mostly go from one to the next.
        self._states: tuple[BoardState, BoardState] | None = None
        self._number = 0

    @property
    def is_full(self) -> bool:
        """Whether the next change must begin another run."""
        return len(self.changes) >= MAX_CHANGES

    def add(self, change: Difference) -> Moment:
        """Add the next change of the run, and return its moment."""
        self.changes.append(change)
        return Moment(self, len(self.changes))

    def around(self, number: int) -> tuple[BoardState, BoardState]:
        """Return the states before and after a change, counted from 1."""
        states = self._states
        if states is None or number < self._number:
            states, self._number = (self._start(),) * 2, 0
        while self._number < number:
            states = states[1], apply(states[1], self.changes[self._number])
            self._number += 1
        self._states = states
        return states

    def _start(self) -> BoardState:
        waiting: list[tuple[Run, Run]] = []
        first = self.first
        while isinstance(first, Run):
            waiting.append((waiting[-1][1] if waiting else self, first))
            first = first.first
        # No recursion: an event may have more runs than Python's stack has room.
        for run, earlier in reversed(waiting):
            run.first = first = earlier.around(len(earlier.changes))[1]
        return first


class Moment(NamedTuple):
    """One change of a board, with the states around it."""

    run: Run
    number: int

    @property
    def change(self) -> Difference:
        """The change itself; `before` and `after` are the states around it."""
        return self.run.changes[self.number - 1]

    @property
    def before(self) -> BoardState:
        """The state before the change; an earlier moment of the run costs more to read than a later one."""
        return self.run.around(self.number)[0]

    @property
    def after(self) -> BoardState:
        """The state after the change."""
        return self.run.around(self.number)[1]


class Timeline:
    """The moments of one board, as its view goes on."""

    __slots__ = ("_end", "_run")

    def __init__(self) -> None:
        """Begin without a moment."""
        self._run: Run | None = None
        self._end: BoardState | None = None

    def moments(self, before: BoardState, after: BoardState, changes: Iterable[Difference]) -> list[Moment]:
        """Return the moments of the changes that lead from `before` to `after`."""
        run = self._run
        if run is None or run.is_full or self._end is not before:
            run = Run(before)
        made: list[Moment] = []
        for change in changes:
            # One event may have thousands of changes; folding all of them now would keep other clients waiting.
            run = Run(run) if run.is_full else run
            made.append(run.add(change))
        self._run, self._end = run, after
        return made
