"""What one reader was told, in accounts: each begins with a state and goes on, over any number of connections."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.faults.selector import Place, Told, place_of

__all__ = ["Accounts", "ConnectionMetrics"]


@dataclass
class ConnectionMetrics:
    """A state, and everything behind it that was told without a gap. A dashboard's begins with an overview."""

    state: Told
    #: Where each attempt stood, told with the state; `cut`: the connection ended before anything else came.
    statuses: list[Told] = field(default_factory=list)
    cut: bool = False
    told: list[Told] = field(default_factory=list)
    #: What was told last; it may be one of several changes that one event makes, of which `told` has the last.
    last: Told = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the state."""
        self.last = self.told[-1] if self.told else self.state


class Accounts:
    """Keeps the accounts of one reader, and sees that only a gap or a new reader begins one.

    `cursor` is what the reader comes back with: that of the last event that had one, as a browser does it.
    """

    def __init__(self, gaps: Collection[str] = (), *, only_states: bool = False) -> None:
        """Begin with nothing.

        `gaps` are the reasons for which the server may give up an account at any time; `only_states`: the reader is
        told of nothing else, so it may stand further than the last event that it was told.
        """
        self.all: list[ConnectionMetrics] = []
        self.cursor: str | None = None
        #: The place of the last state.
        self.state_at: Place | None = None
        self._gaps = frozenset(gaps)
        self._only_states = only_states
        self._expected: frozenset[str] = frozenset()
        self._stood_at: str | None = None
        self._must_begin = True
        self._due: str | None = None

    def connected(self, after: str | None, hello: Told, gap: str | None = None) -> None:
        """Note that the reader has come with `after`, and what it was greeted with; `gap` is the reason that is due."""
        assert hello.type == "hello", f"expected hello first, got {hello}"
        assert after is None or gap or hello.cursor == after, f"came with {after}, got {hello}"
        self._expected = frozenset({gap}) if gap else self._gaps
        self._stood_at = after
        self._must_begin = after is None
        self._due = gap

    def begun_anew(self) -> None:
        """Note that the reader has come without a cursor to a stream that has no greeting."""
        self._must_begin = True

    def disconnected(self) -> None:
        """Note that a connection has ended."""
        if self.all and self.all[-1].last is self.all[-1].state:
            self.all[-1].cut = True

    def take(self, told: Told) -> None:
        """Add an event."""
        if told.type == "gap":
            self._take_gap(told)
        elif self._must_begin:
            assert told.type in {"state", "overview"}, f"expected a state to begin with, got {told}"
            self.all.append(ConnectionMetrics(told))
            self._must_begin = False
        else:
            assert self._due is None, f"expected a gap for {self._due}, got {told}"
            self._go_on(told)
        if told.cursor is not None:
            self.cursor = self._stood_at = told.cursor
        if told.type == "state":
            self.state_at = told.place

    def _take_gap(self, gap: Told) -> None:
        reason, begin, _ = gap.words
        assert not self._must_begin, f"a gap where a state was due: {gap}"
        assert reason in self._expected, f"expected a gap for {set(self._expected)}, got {gap}"
        assert begin == self._stood_at or self._may_stand_at(begin), f"stood at {self._stood_at}, got {gap}"
        self._must_begin = True
        self._due = None
        self._expected = self._gaps

    def _may_stand_at(self, cursor: str) -> bool:
        return self._only_states and self._stood_at is not None and place_of(cursor) > place_of(self._stood_at)

    def _go_on(self, told: Told) -> None:
        metrics = self.all[-1]
        if told.type == "attempt_status" and told.cursor == metrics.state.cursor:
            assert metrics.last is metrics.state, f"a status of the beginning in the middle: {told}"
            metrics.statuses.append(told)
            return
        if told.type == "overview":
            assert told.place >= metrics.last.place, f"{told} lies before {metrics.last}"
            return
        assert told.place > metrics.last.place, f"{told} does not lie behind {metrics.last}"
        metrics.last = told
        if told.type != "part":
            metrics.told.append(told)
