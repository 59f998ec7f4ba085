"""An outage of a database: requests fail at once during a pause, which grows with each failure."""

from __future__ import annotations

import time

import pytest

from realtime.backends.sql.postgres.outage import FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS, DatabaseAway, Outage

#: Seconds between two looks at a pause, so it is measured up to one step too long. A power of two: its sums are exact.
STEP_SECONDS = 1 / 1024


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in a list of one."""
    moment = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    return moment


def test_pauses_grow_up_to_the_most_and_begin_anew(now: list[float], caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage()
    pauses = []
    for _ in range(8):
        outage.check()
        outage.note_away("gone")
        outage.note_away("gone")  # of a request that began before
        pauses.append(_pause(outage, now))
    assert pauses[0] < FIRST_PAUSE_SECONDS + STEP_SECONDS
    assert MOST_PAUSE_SECONDS / 2 - STEP_SECONDS < pauses[-1] < MOST_PAUSE_SECONDS + STEP_SECONDS
    assert pauses[5] > pauses[3] > pauses[1] > 0
    outage.note_back()
    outage.check()
    outage.note_away("gone")
    assert _pause(outage, now) < FIRST_PAUSE_SECONDS + STEP_SECONDS
    assert [record.getMessage() for record in caplog.records] == [
        "the database cannot be used: gone",
        "the database is back, and used as before",
        "the database cannot be used: gone",
    ]


def _pause(outage: Outage, now: list[float]) -> float:
    """Let the time pass to the end of the pause, and return its length in seconds."""
    began = now[0]
    while True:
        try:
            outage.check()
        except DatabaseAway:
            now[0] += STEP_SECONDS
        else:
            return now[0] - began
