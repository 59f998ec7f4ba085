"""Reservations of graphql-sse's single connection mode: which tokens are out, which streams open, which ids taken.

Statuses are those of the reference implementation, npm graphql-sse 2.6 (`handler.ts`), where PROTOCOL.md names none.
Running operations, the time until a reservation lapses, and HTTP are left to the transport.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from server.protocol.graphql_request import GraphqlRequest, described

__all__ = ["Reservation", "ReservationRefused", "Reservations", "operation_id"]


class ReservationRefused(Exception):
    """The request cannot be carried out: an HTTP status, and a sentence for people."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep both."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(eq=False, slots=True)
class Reservation:
    """One stream, reserved or open. "There MUST never be multiple SSE connections behind a single reservation"."""

    token: str
    max_operations: int
    is_open: bool = False
    operations: set[str] = field(default_factory=set)

    def start(self, id: str) -> None:
        """Take `id` for an operation.

        Raises:
            ReservationRefused: 409, it is taken; 429, too many operations run.
        """
        if id in self.operations:
            raise ReservationRefused(409, f"Operation with ID already exists: {described(id)}")
        if len(self.operations) >= self.max_operations:
            raise ReservationRefused(429, f"expected at most {self.max_operations} operations at a time on one stream")
        self.operations.add(id)

    def finish(self, id: str) -> None:
        """Free `id`."""
        self.operations.discard(id)


class Reservations:
    """Token → reservation."""

    def __init__(self, max_unopened: int, max_operations: int, make_token: Callable[[], str]) -> None:
        """Let at most `max_unopened` wait for their stream; `make_token` must be impossible to guess."""
        self._max_unopened = max_unopened
        self._max_operations = max_operations
        self._make_token = make_token
        self._known: dict[str, Reservation] = {}

    def __len__(self) -> int:
        """How many there are, open ones included."""
        return len(self._known)

    def reserve(self, presented: str | None) -> Reservation:
        """Make a reservation; a token that the client presents of its own is never adopted.

        Raises:
            ReservationRefused: 409, the presented token has a reservation; 503, too many wait for their stream.
        """
        if presented in self._known:
            raise ReservationRefused(409, "Stream already registered")
        if sum(not known.is_open for known in self._known.values()) >= self._max_unopened:
            raise ReservationRefused(503, "too many reservations wait for their stream, try again in a moment")
        made = Reservation(self._make_token(), self._max_operations)
        self._known[made.token] = made
        return made

    def find(self, presented: str | None) -> Reservation:
        """Return the reservation of a token.

        Raises:
            ReservationRefused: 404, there is none.
        """
        found = self._known.get(presented) if presented is not None else None
        if found is None:
            raise ReservationRefused(404, "Stream not found: reserve one by PUT and send its token")
        return found

    def open(self, reservation: Reservation) -> None:
        """Note that its stream is open.

        Raises:
            ReservationRefused: 409, it was already.
        """
        if reservation.is_open:
            raise ReservationRefused(409, "Stream already open")
        reservation.is_open = True

    def forget(self, reservation: Reservation) -> None:
        """Make its token worthless; once is enough."""
        self._known.pop(reservation.token, None)


def operation_id(request: GraphqlRequest) -> str:
    """Return the id, "sent through the `extensions` parameter of the GraphQL request inside the `operationId` field".

    Raises:
        ReservationRefused: 400, there is none.
    """
    id = (request.extensions or {}).get("operationId")
    if isinstance(id, int | float) and not isinstance(id, bool):
        return str(id)  # the reference makes a string of whatever comes
    if not isinstance(id, str) or not id:
        raise ReservationRefused(400, f"Operation ID is missing: extensions.operationId is {described(id)}")
    return id
