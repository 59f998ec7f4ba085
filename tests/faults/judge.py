"""Compares the received events with the log, and the clients' copies with each other and with the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tests.faults.received_events import Place
from tests.faults.transcript import Segment
from tests.faults.truth import Due, Truth

__all__ = ["Judge"]

_AGENT = "agent_registered"
#: For each order that clients see: a place in it, and whether a type of events belongs to it.
_Orders = tuple[tuple[Callable[[Place], Place], Callable[[str], bool]], ...]
_ONE: _Orders = ((lambda place: place, lambda type: True),)
_EACH_LOG: _Orders = (
    (lambda place: (place[0], place[1], 0), lambda type: type != _AGENT),
    (lambda place: (0, 0, place[2]), lambda type: type == _AGENT),
)


@dataclass
class Judge:
    """Checks the segments of all clients of a board.

    1. A segment has every event after its state once and in order, with its cursor. Only a state may be missing, and
       only if a later state arrived: the later one replaced it in the queue.
    2. All states of one place are equal, for every client and every exit.
    """

    truth: Truth
    #: Whether all clients see the log of the board and the global one in one order. On several nodes an agent may come
    #: before an event of the board that another node wrote just then; a cursor has the offsets of both logs.
    has_one_order: bool = True
    #: Place of a state → its text, and the first client that received it.
    _states: dict[Place, tuple[str, str]] = field(default_factory=dict)

    def check(
        self,
        subscriber: str,
        segments: Sequence[Segment],
        end: Place,
        *,
        only_states: bool = False,
        reports_gaps: bool = True,
    ) -> None:
        """Check one client, whose last segment must reach `end`.

        `only_states`: the client receives nothing else. If the exit does not report gaps, the state after a gap may be
        of any place.
        """
        assert segments, f"{subscriber}: no event was received"
        for segment in segments:
            is_last = segment is segments[-1]
            until = max(segment.last.place, end) if is_last else segment.last.place
            for in_order, covers in _ONE if self.has_one_order else _EACH_LOG:
                begin, stop = in_order(segment.state.place), in_order(until)
                due = [replace(one, place=in_order(one.place)) for one in self.truth.due if covers(one.type)]
                due = [one for one in due if begin < one.place <= stop and (one.type == "state" or not only_states)]
                places = {one.place for one in due}
                came = [Due(in_order(one.place), one.type, one.words) for one in segment.received if covers(one.type)]
                came = [one for one in came if reports_gaps or one.place in places]
                _check_order(subscriber, came, due, replaced=not is_last)
            self._check_states(subscriber, segment)
            if not only_states:
                self._check_statuses(subscriber, segment)
        state = _last_state(segments[-1])
        if state is not None:
            self._check_copy(subscriber, max(segments[-1].last.place, end), state)

    def compare_database(self, state: str) -> None:
        """Compare the final state in the database with the last state that clients received."""
        last = self.truth.state_at(self.truth.due[-1].place)
        self._check_copy("the database", last, state)

    def _check_states(self, subscriber: str, segment: Segment) -> None:
        for received in (segment.state, *segment.received):
            if received.type == "state":
                self._check_copy(subscriber, received.place, received.words[0])

    def _check_statuses(self, subscriber: str, segment: Segment) -> None:
        statuses = self.truth.statuses_at(segment.state.place)
        given = {received.words[0]: received.words[1] for received in segment.statuses}
        assert len(given) == len(segment.statuses), f"{subscriber}: a status twice with {segment.state.cursor}"
        assert given == statuses or (segment.cut and given.items() <= statuses.items()), (
            f"{subscriber}: with the state of {segment.state.cursor} expected {statuses}, got {given}"
        )

    def _check_copy(self, subscriber: str, place: Place, state: str) -> None:
        at = self.truth.state_at(place)
        known, first = self._states.setdefault(at, (state, subscriber))
        assert known == state, f"the board at {at} is\n {known} to {first} and\n {state} to {subscriber}"


def _check_order(subscriber: str, received: Sequence[Due], due: Sequence[Due], *, replaced: bool) -> None:
    """Compare both sequences. `replaced`: a state came after the last event, in another segment."""
    last_state = max((one.place for one in received if one.type == "state"), default=None)
    waiting = list(received)
    for one in due:
        if waiting and waiting[0].place == one.place:
            came = waiting.pop(0)
            words = came.words if one.type != "state" else ()
            assert (came.type, words) == (one.type, one.words), f"{subscriber}: expected {one}, got {came}"
        elif one.type != "state" or not (replaced or (last_state and last_state > one.place)):
            got = waiting[0] if waiting else "nothing"
            raise AssertionError(f"{subscriber}: {one} is missing, got {got}; last {received[-1:] or 'nothing'}")
    assert not waiting, f"{subscriber}: received an event that never was: {waiting[0]}"


def _last_state(segment: Segment) -> str | None:
    states = [received for received in (segment.state, *segment.received) if received.type == "state"]
    return states[-1].words[0] if states else None
