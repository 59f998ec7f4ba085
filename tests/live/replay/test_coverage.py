"""Every recording is used: replayed as recorded, with a named departure, or listed with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.kit.recordings import load
from tests.live.replay import departures, elsewhere, test_http_api

_FOLDER = Path(__file__).parent
#: Rows of docs/departures.md and the replays that show them. The other rows do not concern a recorded scenario.
SHOWN_ELSEWHERE = {
    11: "answers.py: every error is problem+json",
    14: "the dashboard's own tests: recomputed every 15 s",
    13: "test_handshake.py: bytes sent with the handshake are kept",
    16: "state_rules.py: milliseconds, so that each change moves `updatedAt` on",
    17: "live_server.py: no subscriber is left after any test",
    6: "the dashboard's own tests: times and durations",
    22: "the dashboard's own tests: dates of a range",
    24: "test_scenarios.py and test_compressed_frames.py: what a client accepts",
}


def _names(recording: str) -> list[str]:
    key = "calls" if recording == "http-api" else "scenarios"
    return [one["name"] for one in load(recording)[key]]


@pytest.mark.parametrize(
    ("recording", "tables"),
    [
        ("ws-transcripts", (departures.WS, elsewhere.WS, elsewhere.APART_WS)),
        ("sse-transcripts", (departures.SSE, elsewhere.SSE, elsewhere.APART_SSE)),
        ("http-api", (departures.HTTP, elsewhere.HTTP, dict.fromkeys(test_http_api.APART))),
    ],
)
def test_tables_name_only_what_is_recorded(recording: str, tables: Iterable[Mapping[str, object]]) -> None:
    names = _names(recording)
    assert len(names) == len(set(names))
    for table in tables:
        assert set(table) <= set(names), f"stale: {set(table) - set(names)}"


@pytest.mark.parametrize(
    ("departing", "excluded"),
    [
        (departures.WS, elsewhere.WS),
        (departures.SSE, elsewhere.SSE),
        (departures.HTTP, elsewhere.HTTP),
    ],
)
def test_nothing_is_both_replayed_and_left_out(departing: Mapping[str, object], excluded: Mapping[str, str]) -> None:
    assert not set(departing) & set(excluded)
    assert all(excluded.values())


def test_events_with_departures_are_recorded() -> None:
    recorded = {(one["event"], one["variant"]) for era in ("ws", "sse") for one in load(f"{era}-events")["events"]}
    assert set(departures.EVENTS) <= recorded


def test_scenarios_replayed_apart_are_named_in_their_tests() -> None:
    for table in (elsewhere.APART_WS, elsewhere.APART_SSE):
        for name, file in table.items():
            assert name in (_FOLDER / file).read_text(), name


def test_every_row_of_the_departures_is_shown_somewhere() -> None:
    rows = departures.departure_numbers() | {number for one in departures.HTTP.values() for number in one.numbers}
    assert rows | set(SHOWN_ELSEWHERE) == set(range(1, 25))
