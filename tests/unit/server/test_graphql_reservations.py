"""Reservations of graphql-sse: tokens, one stream each, ids of operations."""

from __future__ import annotations

from itertools import count

import pytest

from realtime.limits import LimitReached
from server.protocol.graphql.request import GraphqlRequest
from server.protocol.graphql.reservations import Reservation, ReservationRefused, Reservations, operation_id


@pytest.fixture
def reservations() -> Reservations:
    numbers = count(1)
    return Reservations(2, 2, lambda: f"token-{next(numbers)}")


def _status(refused: pytest.ExceptionInfo[ReservationRefused]) -> int:
    return refused.value.status


def test_reservation_is_found_by_its_token(reservations: Reservations) -> None:
    made = reservations.reserve(None)
    assert (made.token, reservations.find("token-1"), len(reservations)) == ("token-1", made, 1)


@pytest.mark.parametrize("presented", [None, "", "token-1"])
def test_unknown_token_is_not_found(presented: str | None, reservations: Reservations) -> None:
    with pytest.raises(ReservationRefused) as refused:
        reservations.find(presented)
    assert _status(refused) == 404


def test_token_of_the_client_is_not_adopted(reservations: Reservations) -> None:
    assert reservations.reserve("mine").token == "token-1"


def test_token_that_is_registered_cannot_be_again(reservations: Reservations) -> None:
    reservations.reserve(None)
    with pytest.raises(ReservationRefused) as refused:
        reservations.reserve("token-1")
    assert _status(refused) == 409


def test_stream_opens_once(reservations: Reservations) -> None:
    made = reservations.reserve(None)
    reservations.open(made)
    with pytest.raises(ReservationRefused) as refused:
        reservations.open(made)
    assert _status(refused) == 409


def test_reservations_that_wait_are_bounded_and_open_ones_do_not_count(reservations: Reservations) -> None:
    first, _ = reservations.reserve(None), reservations.reserve(None)
    with pytest.raises(ReservationRefused) as refused:
        reservations.reserve(None)
    assert _status(refused) == 503
    reservations.open(first)
    assert reservations.reserve(None).token == "token-3"


def test_forgotten_token_is_worthless(reservations: Reservations) -> None:
    made = reservations.reserve(None)
    reservations.forget(made)
    reservations.forget(made)
    with pytest.raises(ReservationRefused):
        reservations.find(made.token)


def test_id_is_taken_until_its_operation_has_finished() -> None:
    reservation = Reservation("t", 2)
    reservation.start("a")
    with pytest.raises(ReservationRefused) as refused:
        reservation.start("a")
    assert _status(refused) == 409
    reservation.finish("a")
    reservation.start("a")


def test_operations_of_a_stream_are_bounded() -> None:
    reservation = Reservation("t", 2)
    reservation.start("a")
    reservation.start("b")
    with pytest.raises(LimitReached, match="expected at most 2 operations at a time on one stream") as refused:
        reservation.start("c")
    assert refused.value.retry_after_seconds == 1


@pytest.mark.parametrize(("came", "id"), [("a", "a"), (" ", " "), (5, "5"), ("ü🏃", "ü🏃")])
def test_operation_id_is_text(came: object, id: str) -> None:
    assert operation_id(GraphqlRequest("{ a }", extensions={"operationId": came})) == id


_NO_IDS: list[object] = ["", None, [], {}, True, "x" * 10_001]


@pytest.mark.parametrize("extensions", [None, {}, *({"operationId": came} for came in _NO_IDS)])
def test_missing_operation_id_is_400(extensions: dict[str, object] | None) -> None:
    with pytest.raises(ReservationRefused) as refused:
        operation_id(GraphqlRequest("{ a }", extensions=extensions))
    assert _status(refused) == 400


def test_reservations_that_wait_are_bounded_for_each_client() -> None:
    numbers = count(1)
    reservations = Reservations(100, 2, lambda: str(next(numbers)), max_per_client=2, lapse_seconds=30)
    first, _ = reservations.reserve(None, "a"), reservations.reserve(None, "a")
    with pytest.raises(LimitReached, match="expected at most 2 reservations of one client") as refused:
        reservations.reserve(None, "a")
    assert refused.value.retry_after_seconds == 30
    reservations.reserve(None, "b")  # another client has its own
    reservations.open(first)
    third = reservations.reserve(None, "a")
    for _ in range(2):
        reservations.forget(first)  # it was open, and no longer counts
        reservations.forget(third)
    reservations.reserve(None, "a")
    with pytest.raises(LimitReached):
        reservations.reserve(None, "a")
