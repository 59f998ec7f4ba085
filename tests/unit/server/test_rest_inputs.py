"""Bodies of REST calls and query parameters."""

from __future__ import annotations

import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request

from realtime.errors import Conflict, FieldError, InvalidInput, NotFound
from realtime.messages.options import SlowPolicy
from realtime.node import Limits
from server.problem import Problem
from server.transports.query import board_of, first_values, options_of, required_board
from server.transports.rest.inputs import CardPlace, StopPatch, command_of, input_of, key_of
from server.transports.rest.refusals import PROJECT_NOT_FOUND, refusals


@pytest.mark.parametrize(
    ("query", "board"),
    [
        ("", None),
        ("boardId=a", "a"),
        ("projectId=a", "a"),
        ("projectId=a&boardId=b", "b"),
        ("boardId=a&boardId=b", "a"),
        ("boardId=&projectId=b", ""),
        ("boardId=a%20b", "a b"),
        ("boardid=a", None),
    ],
)
def test_board_of_a_query(query: str, board: str | None) -> None:
    assert board_of(QueryParams(query)) == board


@pytest.mark.parametrize("query", ["", "boardId=", "boardId=&projectId=b"])
def test_board_that_is_needed_and_missing_is_a_400(query: str) -> None:
    with pytest.raises(Problem) as refused:
        required_board(QueryParams(query))
    assert (refused.value.status_code, refused.value.detail) == (400, "Missing boardId")


def test_first_of_several_values_counts() -> None:
    assert first_values(QueryParams("a=1&a=2&b=")) == {"a": "1", "b": ""}


def test_after_must_be_a_cursor() -> None:
    assert options_of(QueryParams(""), Limits()).after is None
    assert options_of(QueryParams("after=abc-01234567-5-0"), Limits()).after == "abc-01234567-5-0"
    for bad in ("", "42", "abc-01234567-5-0%0A", "abc-01234567--5-0"):
        with pytest.raises(Problem) as refused:
            options_of(QueryParams(f"after={bad}"), Limits())
        assert [error.field for error in refused.value.errors] == ["after"]


def test_slow_must_be_a_policy_that_is_allowed() -> None:
    both, one = Limits(), Limits(slow_policies=(SlowPolicy.DISCONNECT,))
    assert options_of(QueryParams(""), both).slow is SlowPolicy.SNAPSHOT
    assert options_of(QueryParams(""), one).slow is SlowPolicy.DISCONNECT
    assert options_of(QueryParams("slow=disconnect"), both).slow is SlowPolicy.DISCONNECT
    for bad, limits, expected in (("", both, "snapshot or disconnect"), ("snapshot", one, "disconnect")):
        with pytest.raises(Problem, match="slow: expected") as refused:
            options_of(QueryParams(f"slow={bad}"), limits)
        (error,) = refused.value.errors
        assert (error.field, error.message) == ("slow", f"expected {expected}, got {bad!r}")


@pytest.mark.parametrize("status", ["running", "Stopped", "stopped\n", None, 1])
def test_attempt_can_only_be_stopped(status: object) -> None:
    assert input_of(StopPatch, {"status": "stopped"}).status == "stopped"
    with pytest.raises(Problem):
        input_of(StopPatch, {"status": status})


def test_command_blames_the_client_in_its_own_words() -> None:
    with pytest.raises(Problem) as refused:
        command_of(CardPlace, {"columnId": "", "index": -1})
    assert [error.field for error in refused.value.errors] == ["columnId", "index"]


@pytest.mark.parametrize(
    ("refusal", "status", "detail"),
    [
        (NotFound("x", "card_not_found"), 404, "Card not found"),
        (NotFound("x", "board_not_found"), 404, "Project not found"),
        (NotFound("x", "project_not_found"), 404, "Project not found"),
        (NotFound("x", "other"), 404, "x"),
        (Conflict("x", "card_is_done"), 409, "Task is done and locked"),
        (InvalidInput(FieldError("title", "bad")), 400, "title: bad"),
    ],
)
def test_refusals_speak_as_the_original_did(refusal: Exception, status: int, detail: str) -> None:
    with pytest.raises(Problem) as refused, refusals(board_not_found=PROJECT_NOT_FOUND):
        raise refusal
    assert (refused.value.status_code, refused.value.detail) == (status, detail)


def _keyed(*values: bytes) -> Request:
    return Request({"type": "http", "headers": [(b"idempotency-key", value) for value in values]})


def test_key_is_the_text_of_its_header() -> None:
    assert key_of(_keyed()) is None
    assert key_of(_keyed("ключ".encode())) == "ключ"
    assert key_of(_keyed(b'"quoted"')) == '"quoted"'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "expected 1 to 200 characters, got 0"),
        (b"x" * 201, "expected 1 to 200 characters, got 201"),
        (b"\xff", "expected UTF-8, got 'ÿ'"),
    ],
)
def test_bad_key_is_a_400_that_names_the_header(value: bytes, message: str) -> None:
    with pytest.raises(Problem) as refused:
        key_of(_keyed(value))
    assert refused.value.status_code == 400
    assert refused.value.errors == (FieldError("Idempotency-Key", message),)
