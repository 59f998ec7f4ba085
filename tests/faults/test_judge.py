"""The judge must detect errors: segments with one manipulation each, for each possible fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.accounts import Accounts, ConnectionMetrics
from tests.faults.judge import Judge
from tests.faults.selector import Told
from tests.faults.truth import Agent, Logged, Truth

_Tamper = Callable[[ConnectionMetrics], object]


def _cursor(place: str) -> str:
    return f"e-0a1b2c3d-{place}"


def _line(place: str, message: str) -> Told:
    return Told("attempt_log", ("a", "info", message), _cursor(place))


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


def _metrics() -> ConnectionMetrics:
    """Return the events that a client must receive after `attempt.started`."""
    return ConnectionMetrics(
        Told("state", ("first",), _cursor("2-0")),
        [Told("attempt_status", ("a", "running"), _cursor("2-0"))],
        told=[
            _line("3-0", "one"),
            Told("state", ("second",), _cursor("4-0")),
            Told("agent_registered", ("a", "l"), _cursor("4-1")),
            _line("4.1-1", "[git] committed abc two"),
            Told("git_commit", ("a", "abc", "two"), _cursor("5-1")),
            Told("state", ("third",), _cursor("6-1")),
            _line("7-1", "three"),
        ],
    )


def test_what_was_due_is_right_and_so_is_a_state_that_was_replaced() -> None:
    judge = Judge(_truth())
    judge.hear("one", [_metrics()], _END)
    replaced = _metrics()
    del replaced.told[1]
    judge.hear("another", [replaced], _END)
    judge.compare_database("third")
    with pytest.raises(AssertionError):
        judge.compare_database("second")


def _judge() -> Judge:
    """Return a judge that has checked a correct segment."""
    judge = Judge(_truth())
    judge.hear("one", [_metrics()], _END)
    return judge


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda metrics: metrics.told.pop(0), "is missing"),
        (lambda metrics: metrics.told.pop(2), "is missing"),
        (lambda metrics: metrics.told.pop(3), "is missing"),
        (lambda metrics: metrics.told.pop(5), "is missing"),
        (lambda metrics: metrics.told.pop(), "is missing"),
        (lambda metrics: metrics.told.insert(0, metrics.told[0]), "is missing|never was"),
        (lambda metrics: metrics.told.append(_line("8-1", "invented")), "never was"),
        (lambda metrics: metrics.told.insert(5, _line("5-1", "invented")), "is missing|never was"),
        (lambda metrics: metrics.told.__setitem__(0, _line("3-0", "another")), "expected"),
        (lambda metrics: metrics.told.reverse(), "is missing"),
        (lambda metrics: metrics.statuses.clear(), "with the state of"),
        (lambda metrics: metrics.statuses.append(metrics.statuses[0]), "twice"),
        (lambda metrics: metrics.told.__setitem__(1, Told("state", ("other",), _cursor("4-0"))), "the board at"),
        (lambda metrics: metrics.told.__setitem__(5, Told("state", ("other",), _cursor("6-1"))), "the board at"),
    ],
)
def test_account_that_was_tampered_with_is_caught(tamper: _Tamper, says: str) -> None:
    tampered = _metrics()
    tamper(tampered)
    with pytest.raises(AssertionError, match=says):
        _judge().hear("another", [tampered], _END)


def test_reader_of_the_board_alone_is_due_its_states_alone() -> None:
    metrics = _metrics()
    metrics.statuses.clear()
    metrics.told = [told for told in metrics.told if told.type == "state"]
    _judge().hear("another", [metrics], _END, only_states=True)
    del metrics.told[-1]
    with pytest.raises(AssertionError, match="is missing"):
        _judge().hear("another", [metrics], _END, only_states=True)


def test_state_that_was_not_due_needs_a_gap_that_cannot_be_told() -> None:
    metrics = ConnectionMetrics(Told("state", ("first",), _cursor("2-0")), cut=True)
    metrics.told = [Told("state", ("second",), _cursor("5-1")), Told("state", ("third",), _cursor("6-1"))]
    _judge().hear("another", [metrics], _END, only_states=True, tells_gaps=False)
    with pytest.raises(AssertionError, match="is missing"):
        _judge().hear("another", [metrics], _END, only_states=True)


def test_dashboard_is_due_the_agents_alone() -> None:
    judge = Judge(Truth([], [Agent({"agent": "A", "label": "L"}, 1)]))
    agent = Told("agent_registered", ("a", "l"), _cursor("0-1"))
    judge.hear("one", [ConnectionMetrics(Told("overview", (), _cursor("0-0")), told=[agent])], (0, 0, 1))
    with pytest.raises(AssertionError, match="is missing"):
        judge.hear("another", [ConnectionMetrics(Told("overview", (), _cursor("0-0")))], (0, 0, 1))


def test_copy_that_is_not_the_databases_is_caught() -> None:
    with pytest.raises(AssertionError, match="the database"):
        _judge().compare_database("fourth")


def _accounts(after: str | None = None, gap: str | None = None) -> Accounts:
    accounts = Accounts()
    accounts.connected(after, Told("hello", (), after), gap)
    return accounts


def _gap(reason: str, begin: str) -> Told:
    return Told("gap", (reason, begin, _cursor("7-1")), None)


def test_gap_that_is_due_begins_a_new_account() -> None:
    accounts = _accounts("x", "epoch_changed")
    accounts.take(_gap("epoch_changed", "x"))
    accounts.take(Told("state", ("third",), _cursor("7-1")))
    assert [metrics.state.words for metrics in accounts.all] == [("third",)]
    assert accounts.cursor == _cursor("7-1")


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        (_accounts(), [_line("3-0", "no state before")]),
        (_accounts(), [_gap("slow_consumer", "")]),
        (_accounts("x"), [_gap("history_expired", "x")]),
        (_accounts("x", "epoch_changed"), [_gap("other_board", "x")]),
        (_accounts("x", "epoch_changed"), [_gap("epoch_changed", "y")]),
        (_accounts("x", "epoch_changed"), [_line("3-0", "no gap before")]),
        (_accounts("x", "epoch_changed"), [_gap("epoch_changed", "x"), _line("3-0", "no state behind")]),
        (_accounts(), [Told("state", ("s",), _cursor("3-0")), _line("3-0", "not behind it")]),
        (_accounts(), [Told("state", ("s",), _cursor("3-0")), _line("4-0", "one"), _line("4-0", "again")]),
    ],
)
def test_event_that_does_not_belong_there_is_caught(accounts: Accounts, told: list[Told]) -> None:
    *before, last = told
    for one in before:
        accounts.take(one)
    with pytest.raises(AssertionError):
        accounts.take(last)


def test_greeting_with_another_place_is_caught() -> None:
    with pytest.raises(AssertionError, match="came with"):
        Accounts().connected("x", Told("hello", (), "y"))
