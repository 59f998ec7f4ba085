"""The record of the events that one client received.

The record consists of segments. A segment begins with a state and continues over any number of connections.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.faults.received_events import Place, Received, place_of

__all__ = ["Segment", "Transcript"]


@dataclass
class Segment:
    """A state and the events received after it without a gap. A dashboard's segment begins with an overview."""

    state: Received
    #: The status of each attempt, sent with the state. `cut`: the connection ended before anything else arrived.
    statuses: list[Received] = field(default_factory=list)
    cut: bool = False
    received: list[Received] = field(default_factory=list)
    #: The last event received. It may be one of several changes that one event makes; `events` has only the last of
    #: them.
    last: Received = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the state."""
        self.last = self.received[-1] if self.received else self.state


class Transcript:
    """Keeps the segments of one client. Only a gap or a new client may begin a segment.

    `cursor` is the cursor with which the client reconnects: that of the last event that had one, as in a browser.
    """

    def __init__(self, gaps: Collection[str] = (), *, only_states: bool = False) -> None:
        """Begin without events.

        `gaps` are the reasons for which the server may end a segment at any time. With `only_states`, the client
        receives nothing else. Its position may then be later than the last event that it received.
        """
        self.segments: list[Segment] = []
        self.cursor: str | None = None
        #: The place of the last state.
        self.state_at: Place | None = None
        self._gaps = frozenset(gaps)
        self._only_states = only_states
        self._expected: frozenset[str] = frozenset()
        self._stood_at: str | None = None
        self._must_begin = True
        self._due: str | None = None

    def connected(self, after: str | None, hello: Received, gap: str | None = None) -> None:
        """Note that the client connected with `after` and received `hello`.

        `gap` is the reason of the gap that must follow.
        """
        assert hello.type == "hello", f"expected hello first, got {hello}"
        assert after is None or gap or hello.cursor == after, f"came with {after}, got {hello}"
        self._expected = frozenset({gap}) if gap else self._gaps
        self._stood_at = after
        self._must_begin = after is None
        self._due = gap

    def begun_anew(self) -> None:
        """Note that the client connected without a cursor to a stream that has no `hello`."""
        self._must_begin = True

    def disconnected(self) -> None:
        """Note that a connection has ended."""
        if self.segments and self.segments[-1].last is self.segments[-1].state:
            self.segments[-1].cut = True

    def take(self, received: Received) -> None:
        """Add an event."""
        if received.type == "gap":
            self._take_gap(received)
        elif self._must_begin:
            assert received.type in {"state", "overview"}, f"expected a state to begin with, got {received}"
            self.segments.append(Segment(received))
            self._must_begin = False
        else:
            assert self._due is None, f"expected a gap for {self._due}, got {received}"
            self._go_on(received)
        if received.cursor is not None:
            self.cursor = self._stood_at = received.cursor
        if received.type == "state":
            self.state_at = received.place

    def _take_gap(self, gap: Received) -> None:
        reason, begin, _ = gap.words
        assert not self._must_begin, f"a gap where a state was due: {gap}"
        assert reason in self._expected, f"expected a gap for {set(self._expected)}, got {gap}"
        assert begin == self._stood_at or self._may_stand_at(begin), f"stood at {self._stood_at}, got {gap}"
        self._must_begin = True
        self._due = None
        self._expected = self._gaps

    def _may_stand_at(self, cursor: str) -> bool:
        return self._only_states and self._stood_at is not None and place_of(cursor) > place_of(self._stood_at)

    def _go_on(self, received: Received) -> None:
        segment = self.segments[-1]
        if received.type == "attempt_status" and received.cursor == segment.state.cursor:
            assert segment.last is segment.state, f"a status of the beginning in the middle: {received}"
            segment.statuses.append(received)
            return
        if received.type == "overview":
            assert received.place >= segment.last.place, f"{received} lies before {segment.last}"
            return
        assert received.place > segment.last.place, f"{received} does not lie behind {segment.last}"
        segment.last = received
        if received.type != "part":
            segment.received.append(received)
