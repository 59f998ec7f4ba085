"""The table of endings is complete: each error has a row or a reason for none, and the pages have its rows."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

import realtime.endings
from realtime import errors
from realtime.endings import ENDINGS, FAULT, Exits
from realtime.limits import LimitReached
from tests.rules.endings_table import SHOWN_BY, close_code_rows, stream_rows
from tests.rules.pages import first_cells, read_page, table_rows
from tests.rules.trees import REPOSITORY

_QUOTED = re.compile(r"`([^`\n]+)`")
_ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == errors.__name__
] + [LimitReached]
_WITH_A_ROW = {error for row in ENDINGS.values() for error in row.errors}


@pytest.mark.parametrize("kind", _ERRORS)
def test_every_error_has_a_row_or_a_reason_for_none(kind: type[Exception]) -> None:
    named = _QUOTED.findall(realtime.endings.__doc__ or "")
    # A row is for a class and its subclasses.
    assert (kind.__name__ in named) is not any(base in _WITH_A_ROW for base in kind.__mro__)


def test_no_error_has_two_rows() -> None:
    assert len(_WITH_A_ROW) == sum(len(row.errors) for row in ENDINGS.values())


def test_words_of_goodbye_are_those_of_the_errors() -> None:
    for row in ENDINGS.values():
        assert not row.has_goodbye or [getattr(error, "code", None) for error in row.errors] == [row.reason]


def test_each_row_is_met_by_a_test() -> None:
    assert SHOWN_BY.keys() == ENDINGS.keys()
    for name, test in SHOWN_BY.items():
        file, _, function = test.partition("::")
        assert file.startswith("live/") or name == "TOO_EXPENSIVE"
        tree = ast.parse((REPOSITORY / "tests" / file).read_text(encoding="utf-8"))
        functions = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert function in functions, name


def test_page_of_the_raw_streams_has_the_table() -> None:
    assert table_rows(read_page("protocol.md"), "How a stream ends") == list(stream_rows())


def test_page_of_graphql_has_the_close_codes() -> None:
    assert table_rows(read_page("graphql.md"), "Close codes") == list(close_code_rows())


def test_page_of_graphql_has_the_codes_and_statuses_of_all_that_ends_there() -> None:
    codes = {row.graphql_code for row in ENDINGS.values() if row.graphql_code}
    assert codes <= first_cells(read_page("graphql.md"), "Errors")
    ends = {row.graphql_code for row in ENDINGS.values() if row.graphql_code and not row.ends_connection}
    assert ends <= set(_QUOTED.findall("".join(table_rows(read_page("graphql.md"), "How a subscription ends"))))
    for status in (500, 503):
        shown = [row for row in table_rows(read_page("graphql.md"), "Status codes") if f"| {status} |" in row]
        faults = {row.graphql_code for row in ENDINGS.values() if row.status == status}
        assert faults <= set(_QUOTED.findall("".join(shown)))


def test_page_of_metrics_has_the_words() -> None:
    (row,) = (row for row in table_rows(read_page("operating.md"), "Metrics") if "readers_ended_total" in row)
    words = {row.reason for row in ENDINGS.values() if row.reason}
    assert set(_QUOTED.findall(row.split("|")[3])) == words


def test_metrics_words_belong_to_streams() -> None:
    of_streams = (Exits.STREAMS, Exits.SOCKETS, Exits.RAW_SOCKET)
    assert all(row.exits in of_streams for row in ENDINGS.values() if row.reason)
    assert FAULT.metric == "internal_error"
