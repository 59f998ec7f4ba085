"""A store's figures must make the same overview as a simple count of the same rows, whatever the rows are."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from realtime.backends.sql.store import SqlStore
from realtime.backends.sql.tables import COUNTED_MILLISECONDS
from realtime.dashboard.overview import build_overview
from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, ProjectRow
from realtime.dashboard.time_range import TimeRange, TimeRangePreset, time_range_from_query
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import AttemptStatus
from tests.contract.conftest import BACKENDS
from tests.contract.stored_tables import put
from tests.kit.deadline import deadline
from tests.kit.nodes import open_store
from tests.kit.statements import counted
from tests.unit.realtime.dashboard.counting import CardOnBoard, ColumnOfBoard, Tables, overview_of
from tests.unit.realtime.dashboard.recording import Json, cases, expected_overview, query_of, recorded_now, tables_of
from tests.unit.realtime.dashboard.samples import NOW

_MOMENT = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
#: Only a few, so that many are equal, and at the edges of windows.
_SPAN = timedelta(milliseconds=COUNTED_MILLISECONDS)  # `NOW` is half a second after the start of a span
_AGO = (-_MOMENT, 0 * _DAY, _MOMENT, _DAY / 48, _SPAN, _SPAN + timedelta(seconds=0.5), _DAY, _DAY + _MOMENT, 9 * _DAY)
TIMES = st.sampled_from([NOW - ago for ago in _AGO])
#: Only a few, so that rows belong together. No board has the number of `p9`.
NUMBERS = st.sampled_from([0, 1, 2, 9])
BOARDS = NUMBERS.map(lambda n: BoardId(f"p{n}"))
TITLES = st.sampled_from(["Backlog", "Doing", "Review", "Done", "done ", "Closed", ""])
_PR_URLS = st.sampled_from([None, "", "https://h/pr"])
LOGS = st.builds(
    AttemptLogRow,
    BOARDS,
    st.integers(0, 9).map(lambda n: AttemptId(f"a{n}")),
    TIMES,
    st.sampled_from(["info", "warn", "error"]),
    st.sampled_from(["", "one", "two", "three", "  "]),
)


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    """Draw rows. Their ids are unique on their board; all else is random."""
    places = st.tuples(BOARDS, NUMBERS)
    attempt_places = draw(st.lists(st.tuples(BOARDS, st.integers(0, 9)), unique=True, max_size=12))
    sequences = draw(st.permutations(range(len(attempt_places))))
    return Tables(
        projects=[
            ProjectRow(id, f"Project {id}", "/r", draw(TIMES), draw(st.none() | st.just("o/r")))
            for id in draw(st.lists(BOARDS, unique=True))
        ],
        columns=[
            ColumnOfBoard(ColumnId(f"col{n}"), board, draw(TITLES)) for board, n in draw(st.lists(places, unique=True))
        ],
        cards=[
            CardOnBoard(CardId(f"c{n}"), board, ColumnId(f"col{draw(NUMBERS)}"), draw(TITLES), None, draw(_PR_URLS))
            for board, n in draw(st.lists(places, unique=True))
        ],
        attempts=[draw(attempts(*place, sequence)) for place, sequence in zip(attempt_places, sequences, strict=True)],
        logs=draw(st.lists(LOGS)),
        agents=[AgentRow(f"A{n}", draw(TITLES) or f"A{n}") for n in draw(st.lists(NUMBERS, unique=True))],
    )


def attempts(board: BoardId, number: int, sequence: int) -> st.SearchStrategy[AttemptRow]:
    """Draw an attempt; its times may contradict each other."""
    return st.builds(
        AttemptRow,
        id=st.just(AttemptId(f"a{number}")),
        project_id=st.just(board),
        card_id=NUMBERS.map(lambda n: CardId(f"c{n}")),
        agent=NUMBERS.map(lambda n: f"A{n}"),
        status=st.sampled_from(AttemptStatus),
        created_at=TIMES,
        updated_at=TIMES,
        started_at=st.none() | TIMES,
        ended_at=st.none() | TIMES,
        sequence=st.just(sequence),
        project_name=st.none(),
        card=st.none(),
    )


RANGES = st.one_of(
    st.sampled_from(TimeRangePreset).map(TimeRange),
    st.builds(lambda start, end: TimeRange(None, "from", "to", start, end), TIMES, TIMES),
)


@pytest.fixture(params=[name for name in BACKENDS if name != "sqlite-memory"])
async def file_store(request: pytest.FixtureRequest) -> AsyncIterator[tuple[SqlStore, str]]:
    """An open store and its URL, so that another connection can write rows."""
    url = BACKENDS[request.param](request)
    async with open_store(url) as opened:
        yield opened, url


async def assert_counted(store: SqlStore, url: str, rows: Tables, time_range: TimeRange, now: datetime) -> None:
    """Write `rows` into the database and compare the overviews."""
    put(url, rows)
    window = time_range.window(now)
    async with deadline(10):
        figures = await store.dashboard_figures(window)
    assert build_overview(figures, window, now).to_wire() == overview_of(rows, time_range, now).to_wire()


# Each example empties the tables first, so all share one store. No shrinking, because it takes minutes.
@settings(
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=settings().max_examples // 2,
)
@given(rows=tables(), time_range=RANGES)
async def test_any_rows_are_counted_as_in_plain_lists(
    file_store: tuple[SqlStore, str], rows: Tables, time_range: TimeRange
) -> None:
    await assert_counted(*file_store, rows, time_range, NOW)


@pytest.mark.parametrize("preset", [TimeRangePreset.LAST_24H, TimeRangePreset.LAST_7D, TimeRangePreset.ALL_TIME])
async def test_more_rows_than_the_lists_show_are_counted(
    file_store: tuple[SqlStore, str], preset: TimeRangePreset
) -> None:
    await assert_counted(*file_store, _many(Random(preset)), TimeRange(preset), NOW)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases()])
async def test_recorded_rows_give_recorded_overviews_from_the_store(
    file_store: tuple[SqlStore, str], case: Json
) -> None:
    store, url = file_store
    rows = tables_of(case)
    # The original's log levels were in any case; ours are in lower case (`AttemptLogAppended`).
    put(url, replace(rows, logs=[replace(line, level=line.level.lower()) for line in rows.logs]))
    for query in case["overviews"]:
        window = time_range_from_query(query_of(query)).window(recorded_now())
        overview = build_overview(await store.dashboard_figures(window), window, recorded_now())
        assert overview.to_json() == orjson.dumps(expected_overview(case, query))


@pytest.mark.parametrize("file_store", ["sqlite-file"], indirect=True)
async def test_no_statement_reads_a_large_table_from_end_to_end(file_store: tuple[SqlStore, str]) -> None:
    store, url = file_store
    rows = _many(Random(1))
    put(url, rows)
    with counted() as statements:
        await store.dashboard_figures(TimeRange(TimeRangePreset.LAST_7D).window(NOW))
    assert len(statements) == 12
    with closing(sqlite3.connect(url.partition("///")[2])) as connection:
        scans = {
            line
            for statement in statements
            for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))
            if line.startswith(("SCAN attempts", "SCAN cards", "SCAN logs"))
        }
    assert scans == {
        "SCAN attempts USING INDEX attempts_active",  # contains only active attempts, and stops at the limit
        "SCAN cards USING COVERING INDEX cards_by_column",  # counts cards without reading them
    }


def _many(random: Random) -> Tables:
    """Return enough rows to exceed every limit, in an order that is not that of an index."""
    boards = [BoardId(f"p{n}") for n in range(9)]
    titles = ["Backlog", "In Progress", "Review", "Done"]

    def attempt(number: int) -> AttemptRow:
        created, updated, started, ended = (NOW - _DAY / 24 * random.randrange(240) for _ in range(4))
        board, card = random.choice(boards), CardId(f"c{random.randrange(400)}")
        status = random.choice(list(AttemptStatus))
        agent = f"A{random.randrange(4)}"
        return AttemptRow(AttemptId(f"a{number}"), board, card, agent, status, created, updated, started, ended, number)

    return Tables(
        projects=[ProjectRow(board, "P", "/r", NOW - _DAY * random.randrange(3)) for board in boards[1:]],
        columns=[ColumnOfBoard(ColumnId(title), board, title) for board in boards for title in titles],
        cards=[
            CardOnBoard(CardId(f"c{n}"), board, ColumnId(random.choice([*titles, "gone"])), f"Card {n}")
            for board in boards
            for n in range(300)
        ],
        attempts=random.sample([attempt(number) for number in range(1500)], 1500),
        logs=[
            AttemptLogRow(
                random.choice(boards),
                AttemptId(f"a{random.randrange(1500)}"),
                NOW,
                random.choice(["info", "error"]),
                f"line {n}",
            )
            for n in range(6000)
        ],
        agents=[AgentRow(f"A{n}", f"Agent {n}") for n in range(3)],
    )
