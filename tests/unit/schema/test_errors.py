"""The client's view of exceptions: refusals unchanged, our own faults hidden and logged once."""

from __future__ import annotations

import logging

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, Source

from realtime import errors
from realtime.dashboard.time_range import InvalidTimeRange
from realtime.errors import FieldError, InvalidInput
from realtime.limits import LimitReached
from schema.execution.errors import public_error, stream_ended
from schema.execution.real_size import CostExceeded


def raised(cause: Exception, path: list[str | int] | None = None) -> GraphQLError:
    """The error that graphql-core makes of an exception."""
    return GraphQLError(str(cause), path=path or ["board"], original_error=cause)


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    """All subclasses of a class."""
    return {below for one in kind.__subclasses__() for below in {one, *subclasses(one)}}


REFUSALS = [
    (errors.NotFound("No such card", "card_not_found"), "CARD_NOT_FOUND"),
    (errors.NotFound("No such thing"), "NOT_FOUND"),
    (errors.Conflict("Done", "card_is_done"), "CARD_IS_DONE"),
    (errors.CardBlocked("Blocked", ["k1"]), "CARD_BLOCKED"),
    (errors.Forbidden("expected a token with the grant write"), "FORBIDDEN"),
    (errors.KeyReused(errors.FieldError("", "another came")), "IDEMPOTENCY_KEY_REUSED"),
    (errors.NotAuthenticated("expected a valid token"), "UNAUTHENTICATED"),
]
ENDINGS = [
    (errors.SubscriberTooSlow("more than 5", "c"), "SLOW_CONSUMER"),
    (errors.BoardGone("board p1 was deleted"), "BOARD_DELETED"),
    (errors.Draining("the server stops"), "SERVER_SHUTDOWN"),
    (errors.LifetimeReached("long enough"), "CONNECTION_LIFETIME"),
    (errors.TokenExpired("over"), "UNAUTHENTICATED"),
    (errors.TokenRevoked("taken back"), "UNAUTHENTICATED"),
    (errors.GrantsReduced("fewer grants"), "FORBIDDEN"),
    (errors.StoreUnavailable("disk"), "STORE_UNAVAILABLE"),
]


@pytest.mark.parametrize(("cause", "code"), REFUSALS)
def test_refusal_keeps_its_sentence_and_place(cause: errors.Refused, code: str) -> None:
    shown = public_error(raised(cause))
    assert (shown.message, shown.extensions, shown.path) == (cause.message, {"code": code}, ["board"])
    assert shown.original_error is None


@pytest.mark.parametrize(("cause", "code"), ENDINGS)
def test_ending_has_its_code_and_hides_its_words(cause: Exception, code: str) -> None:
    shown = public_error(raised(cause))
    cursor = {"cursor": "c"} if code == "SLOW_CONSUMER" else {}
    assert shown.extensions == {"code": code, **cursor}
    assert str(cause) not in shown.message


def test_every_outcome_of_the_core_has_a_code() -> None:
    kinds = {type(cause) for cause, _ in [*REFUSALS, *ENDINGS]}
    named = subclasses(errors.StreamEnded) | {errors.SubscriberTooSlow, errors.StoreUnavailable}
    assert named <= kinds
    refusals = {kind for kind in subclasses(errors.Refused) if not issubclass(kind, InvalidInput)}
    assert refusals - {LimitReached, CostExceeded} <= kinds  # these two are below


def test_cost_is_reported_with_both_numbers() -> None:
    shown = public_error(raised(CostExceeded("expected less", 7, 5)))
    assert shown.message == "expected less"
    assert shown.extensions == {"code": "COST_EXCEEDED", "cost": 7, "maxCost": 5}


def test_limit_says_when_to_come_back() -> None:
    shown = public_error(raised(LimitReached("expected less", 7)))
    assert shown.message == "expected less"
    assert shown.extensions == {"code": "RATE_LIMITED", "retryAfterSeconds": 7}


def test_bad_fields_are_named_one_by_one() -> None:
    shown = public_error(raised(InvalidInput(FieldError("title", "too long"), FieldError("toIndex", "negative"))))
    assert shown.message == "title: too long; toIndex: negative"
    assert shown.extensions == {
        "code": "INVALID_PAYLOAD",
        "field": "title",
        "fields": [{"field": "title", "message": "too long"}, {"field": "toIndex", "message": "negative"}],
    }


def test_bad_time_range_is_bad_user_input() -> None:
    shown = public_error(raised(InvalidTimeRange("to", "expected a time")))
    assert shown.message == "to: expected a time"
    assert shown.extensions is not None
    assert (shown.extensions["code"], shown.extensions["field"]) == ("BAD_USER_INPUT", "to")


def test_unexpected_exception_is_hidden_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    shown = public_error(public_error(raised(KeyError("password"))))
    assert (shown.message, shown.extensions) == ("Internal error", {"code": "INTERNAL_SERVER_ERROR"})
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


def test_error_of_execution_itself_is_ours() -> None:
    inner = GraphQLError("Enum 'X' cannot represent value: secret")
    shown = public_error(GraphQLError(inner.message, path=["board"], original_error=inner))
    assert shown.message == "Internal error"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GraphQLSyntaxError(Source("{"), 1, "Expected Name"), "GRAPHQL_PARSE_FAILED"),
        (GraphQLError("Cannot query field 'x'"), "GRAPHQL_VALIDATION_FAILED"),
        (GraphQLError("Variable '$x' got", original_error=GraphQLError("Expected")), "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_mistake_in_the_document_keeps_its_text(error: GraphQLError, code: str) -> None:
    shown = public_error(error)
    assert (shown.message, shown.extensions) == (error.message, {"code": code})


def test_stream_ended_without_goodbye_has_no_hint() -> None:
    ended = stream_ended(errors.Draining("the server stops"), None)
    assert ended.extensions == {"code": "SERVER_SHUTDOWN"}
    assert public_error(ended) is ended
