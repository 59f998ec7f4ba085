"""The judge must detect errors: segments with one manipulation each, for each possible fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.judge import Judge
from tests.faults.received_events import Received
from tests.faults.transcript import Segment, Transcript
from tests.faults.truth import Agent, Logged, Truth

_Tamper = Callable[[Segment], object]


def _cursor(place: str) -> str:
    return f"e-0a1b2c3d-{place}"


def _line(place: str, message: str) -> Received:
    return Received("attempt_log", ("a", "info", message), _cursor(place))


def _logged(place: str, name: str, **payload: str) -> Logged:
    return Logged(name, {"attemptId": "a", **payload}, _cursor(place))


_LOG = [
    _logged("1-0", "project.created"),
    _logged("2-0", "attempt.started", cardId="c"),
    _logged("3-0", "attempt.log.appended", level="info", message="one"),
    _logged("4-0", "board.state.changed"),
    _logged("5-1", "git.commit.created", shortSha="abc", subject="two"),
    _logged("6-1", "board.state.changed"),
    _logged("7-1", "attempt.log.appended", level="info", message="three"),
]
_END = (7, 0, 1)


def _truth() -> Truth:
    return Truth(_LOG, [Agent({"agent": "A", "label": "L"}, 1)])


def _segment() -> Segment:
    """Return the events that a client must receive after `attempt.started`."""
    return Segment(
        Received("state", ("first",), _cursor("2-0")),
        [Received("attempt_status", ("a", "running"), _cursor("2-0"))],
        received=[
            _line("3-0", "one"),
            Received("state", ("second",), _cursor("4-0")),
            Received("agent_registered", ("a", "l"), _cursor("4-1")),
            _line("4.1-1", "[git] committed abc two"),
            Received("git_commit", ("a", "abc", "two"), _cursor("5-1")),
            Received("state", ("third",), _cursor("6-1")),
            _line("7-1", "three"),
        ],
    )


def test_expected_events_pass_and_so_does_a_replaced_state() -> None:
    judge = Judge(_truth())
    judge.check("one", [_segment()], _END)
    replaced = _segment()
    del replaced.received[1]
    judge.check("another", [replaced], _END)
    judge.compare_database("third")
    with pytest.raises(AssertionError):
        judge.compare_database("second")


def test_agent_may_come_before_an_event_of_another_node_but_must_come_once() -> None:
    early = _segment()
    early.received[1:3] = [
        Received("agent_registered", ("a", "l"), _cursor("3-1")),
        Received("state", ("second",), _cursor("4-1")),
    ]
    Judge(_truth(), has_one_order=False).check("one", [early], _END)
    with pytest.raises(AssertionError):
        Judge(_truth()).check("one", [early], _END)
    for received in (early.received[:1] + early.received[2:], early.received[:2] + early.received[1:]):
        early.received = received
        with pytest.raises(AssertionError):
            Judge(_truth(), has_one_order=False).check("one", [early], _END)


def _judge() -> Judge:
    """Return a judge that has checked a correct segment."""
    judge = Judge(_truth())
    judge.check("one", [_segment()], _END)
    return judge


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda segment: segment.received.pop(0), "is missing"),
        (lambda segment: segment.received.pop(2), "is missing"),
        (lambda segment: segment.received.pop(3), "is missing"),
        (lambda segment: segment.received.pop(5), "is missing"),
        (lambda segment: segment.received.pop(), "is missing"),
        (lambda segment: segment.received.insert(0, segment.received[0]), "is missing|never was"),
        (lambda segment: segment.received.append(_line("8-1", "invented")), "never was"),
        (lambda segment: segment.received.insert(5, _line("5-1", "invented")), "is missing|never was"),
        (lambda segment: segment.received.__setitem__(0, _line("3-0", "another")), "expected"),
        (lambda segment: segment.received.reverse(), "is missing"),
        (lambda segment: segment.statuses.clear(), "with the state of"),
        (lambda segment: segment.statuses.append(segment.statuses[0]), "twice"),
        (
            lambda segment: segment.received.__setitem__(1, Received("state", ("other",), _cursor("4-0"))),
            "the board at",
        ),
        (
            lambda segment: segment.received.__setitem__(5, Received("state", ("other",), _cursor("6-1"))),
            "the board at",
        ),
    ],
)
def test_account_that_was_tampered_with_is_caught(tamper: _Tamper, says: str) -> None:
    tampered = _segment()
    tamper(tampered)
    with pytest.raises(AssertionError, match=says):
        _judge().check("another", [tampered], _END)


def test_subscriber_of_the_board_alone_is_due_its_states_alone() -> None:
    segment = _segment()
    segment.statuses.clear()
    segment.received = [received for received in segment.received if received.type == "state"]
    _judge().check("another", [segment], _END, only_states=True)
    del segment.received[-1]
    with pytest.raises(AssertionError, match="is missing"):
        _judge().check("another", [segment], _END, only_states=True)


def test_unexpected_state_needs_an_exit_without_gaps() -> None:
    segment = Segment(Received("state", ("first",), _cursor("2-0")), cut=True)
    segment.received = [Received("state", ("second",), _cursor("5-1")), Received("state", ("third",), _cursor("6-1"))]
    _judge().check("another", [segment], _END, only_states=True, reports_gaps=False)
    with pytest.raises(AssertionError, match="is missing"):
        _judge().check("another", [segment], _END, only_states=True)


def test_dashboard_is_due_the_agents_alone() -> None:
    judge = Judge(Truth([], [Agent({"agent": "A", "label": "L"}, 1)]))
    agent = Received("agent_registered", ("a", "l"), _cursor("0-1"))
    judge.check("one", [Segment(Received("overview", (), _cursor("0-0")), received=[agent])], (0, 0, 1))
    with pytest.raises(AssertionError, match="is missing"):
        judge.check("another", [Segment(Received("overview", (), _cursor("0-0")))], (0, 0, 1))


def test_copy_that_is_not_the_databases_is_caught() -> None:
    with pytest.raises(AssertionError, match="the database"):
        _judge().compare_database("fourth")


def _transcript(after: str | None = None, gap: str | None = None) -> Transcript:
    transcript = Transcript()
    transcript.connected(after, Received("hello", (), after), gap)
    return transcript


def _gap(reason: str, begin: str) -> Received:
    return Received("gap", (reason, begin, _cursor("7-1")), None)


def test_gap_that_is_due_begins_a_new_segment() -> None:
    transcript = _transcript("x", "epoch_changed")
    transcript.take(_gap("epoch_changed", "x"))
    transcript.take(Received("state", ("third",), _cursor("7-1")))
    assert [segment.state.words for segment in transcript.segments] == [("third",)]
    assert transcript.cursor == _cursor("7-1")


@pytest.mark.parametrize(
    ("transcript", "received"),
    [
        (_transcript(), [_line("3-0", "no state before")]),
        (_transcript(), [_gap("slow_consumer", "")]),
        (_transcript("x"), [_gap("history_expired", "x")]),
        (_transcript("x", "epoch_changed"), [_gap("other_board", "x")]),
        (_transcript("x", "epoch_changed"), [_gap("epoch_changed", "y")]),
        (_transcript("x", "epoch_changed"), [_line("3-0", "no gap before")]),
        (_transcript("x", "epoch_changed"), [_gap("epoch_changed", "x"), _line("3-0", "no state behind")]),
        (_transcript(), [Received("state", ("s",), _cursor("3-0")), _line("3-0", "not behind it")]),
        (_transcript(), [Received("state", ("s",), _cursor("3-0")), _line("4-0", "one"), _line("4-0", "again")]),
    ],
)
def test_event_that_does_not_belong_there_is_caught(transcript: Transcript, received: list[Received]) -> None:
    *before, last = received
    for one in before:
        transcript.take(one)
    with pytest.raises(AssertionError):
        transcript.take(last)


def test_greeting_with_another_place_is_caught() -> None:
    with pytest.raises(AssertionError, match="came with"):
        Transcript().connected("x", Received("hello", (), "y"))
