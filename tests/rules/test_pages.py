"""The pages about the wire name everything that the code sends and accepts, and have no outdated row."""

from __future__ import annotations

import re

import pytest

from realtime import export as events_page
from realtime.endings import ENDINGS
from realtime.errors import Forbidden
from realtime.kanban.events import EVENT_MODELS
from realtime.kanban.models import AttemptStatus, TicketType
from realtime.messages.options import Delivery, SlowPolicy
from realtime.messages.payloads import PAYLOADS, Overview
from schema.types.enums import InterruptionReason
from server import export as rest_page
from tests.live.replay.departures import departure_numbers
from tests.live.replay.test_coverage import SHOWN_ELSEWHERE
from tests.rules.pages import first_cells, read_page, table_rows
from tests.rules.trees import REPOSITORY, python_files
from tests.unit.schema.test_refusals import codes_of_the_core

_PROTOCOL, _INGEST, _DEPARTURES, _GRAPHQL = "protocol.md", "ingest.md", "departures.md", "graphql.md"
_QUOTED = re.compile(r"`([^`\n]+)`")
#: Codes that no command of a raw socket gets: of projects, attempts, dependencies, streams and lists.
_ELSEWHERE = {
    *("access_token_not_found", "project_not_found", "attempt_not_found", "attempt_active", "attempt_not_running"),
    *("dependency_cycle", "dependency_board_mismatch"),
    *("bad_user_input", "invalid_cursor"),
}
#: Codes of the socket itself, in addition to those of the core.
_OF_THE_SOCKET = {"invalid_json", "unknown_command", "store_unavailable", "rate_limited", "unauthenticated"}


def test_page_of_events_is_that_of_the_models() -> None:
    assert events_page.check() == "", "run `python -m realtime.export`"


def test_page_of_rest_is_that_of_the_routes() -> None:
    assert rest_page.check() == "", "run `python -m server.export`"


def test_statuses_of_the_table_of_rest_are_those_of_requests() -> None:
    named = {row.split("|")[1].strip() for row in table_rows(read_page("rest.md"), "Answers")}
    assert {str(row.status) for row in ENDINGS.values() if row.status is not None} <= named


def test_effects_are_those_of_events_that_there_are() -> None:
    named = first_cells(read_page(_INGEST), "Effects")
    assert named
    assert named <= set(EVENT_MODELS)


def test_every_type_of_envelope_has_a_row() -> None:
    named = first_cells(read_page(_PROTOCOL), "Types of a board's stream")
    assert named == set(PAYLOADS) - {Overview.type}


@pytest.mark.parametrize("type", sorted(type for type, payload in PAYLOADS.items() if payload.wire_keys()))
def test_row_of_an_envelope_has_all_of_its_keys(type: str) -> None:
    page = read_page(_PROTOCOL)
    rows = [*table_rows(page, "Types of a board's stream"), *table_rows(page, "Deliveries")]
    shown = [cells[2] for cells in (row.split("|") for row in rows) if _QUOTED.findall(cells[1]) == [type]]
    keys = ", ".join(f"`{key.name}`" + "?" * key.is_optional for key in PAYLOADS[type].wire_keys())
    assert [cell.partition(":")[0].strip() for cell in shown] == [keys]


def test_codes_of_refused_commands_are_those_of_the_code() -> None:
    core = {code for code, _ in codes_of_the_core()} - _ELSEWHERE
    named = {
        name for row in table_rows(read_page(_PROTOCOL), "Commands") for name in _QUOTED.findall(row.split("|")[1])
    }
    requests = {"get_state", "ping", "pong", "authenticate"}
    codes = named - requests - {"create_card", "update_card", "move_card", "delete_card"}
    assert codes == core | _OF_THE_SOCKET | {Forbidden.code}


def test_codes_of_graphql_are_those_of_the_code() -> None:
    sources = [path.read_text(encoding="utf-8") for path in python_files(REPOSITORY, ("realtime", "schema", "server"))]
    words = {word.upper() for text in sources for word in re.findall(r'"([A-Za-z_]+)"', text)}
    made = {code for text in sources for code in re.findall(r'"code": "([A-Z_]+)"', text)}
    assert made <= first_cells(read_page(_GRAPHQL), "Errors") <= words


@pytest.mark.parametrize("words", [AttemptStatus, TicketType, Delivery, SlowPolicy])
def test_every_word_of_a_list_is_named(words: type[AttemptStatus | TicketType | Delivery | SlowPolicy]) -> None:
    assert set(map(str, words)) <= set(_QUOTED.findall(read_page(_PROTOCOL)))


def test_every_reason_of_a_gap_or_goodbye_is_named() -> None:
    protocol = read_page(_PROTOCOL)
    named = first_cells(protocol, "Gaps") | first_cells(protocol, "How a stream ends")
    reasons = {str(reason.value) for reason in InterruptionReason}
    assert reasons <= named


def test_departures_are_numbered_without_a_gap_and_cover_those_of_the_tests() -> None:
    numbers = [int(row.split("|")[1]) for row in table_rows(read_page(_DEPARTURES), "Departures from kanban-ai")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert departure_numbers() | set(SHOWN_ELSEWHERE) <= set(numbers)
