"""Reservations of graphql-sse's single connection mode: which tokens are out, which streams open, which ids taken.

Statuses are those of the reference implementation, npm graphql-sse 2.6 (`handler.ts`), where PROTOCOL.md names none.
Running operations, the time until a reservation lapses, and HTTP are left to the transport.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from server.protocol.graphql.request import MAX_ID, GraphqlRequest, described

__all__ = ["Reservation", "ReservationRefused", "Reservations", "Reserving", "operation_id"]


#: When the end of an operation may have made room for another.
RETRY_SECONDS = 1


class ReservationRefused(Exception):
    """The request cannot be carried out: an HTTP status, and a sentence for people."""

    def __init__(self, status: int, sentence: str, retry_after_seconds: int | None = None) -> None:
        """Keep all; with `retry_after_seconds` the same request may succeed later."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after_seconds = retry_after_seconds


@dataclass(eq=False, slots=True, weakref_slot=True)
class Reserving:
    """What one client has of reservations that wait for their stream."""

    waiting: int = 0
    #: Bytes of results that wait with them.
    early_bytes: int = 0


@dataclass(eq=False, slots=True)
class Reservation:
    """One stream, reserved or open. "There MUST never be multiple SSE connections behind a single reservation"."""

    token: str
    max_operations: int
    #: Shared with the other reservations of its client.
    client: Reserving = field(default_factory=Reserving)
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
            sentence = f"expected at most {self.max_operations} operations at a time on one stream"
            raise ReservationRefused(429, sentence, RETRY_SECONDS)
        self.operations.add(id)

    def finish(self, id: str) -> None:
        """Free `id`."""
        self.operations.discard(id)


class Reservations:
    """Token → reservation."""

    def __init__(
        self,
        max_unopened: int,
        max_operations: int,
        make_token: Callable[[], str],
        *,
        max_per_client: int | None = None,
        lapse_seconds: int = 1,
    ) -> None:
        """Let at most `max_unopened` wait for their stream, and `max_per_client` of one client.

        `make_token` must be impossible to guess. After `lapse_seconds` none waits any more.
        """
        self._max_unopened = max_unopened
        self._max_per_client = max_unopened if max_per_client is None else max_per_client
        self._lapse_seconds = lapse_seconds
        self._clients: WeakValueDictionary[str, Reserving] = WeakValueDictionary()
        self._max_operations = max_operations
        self._make_token = make_token
        self._known: dict[str, Reservation] = {}

    def __len__(self) -> int:
        """How many there are, open ones included."""
        return len(self._known)

    def reserve(self, presented: str | None, client: str = "") -> Reservation:
        """Make a reservation for a client; a token that it presents of its own is never adopted.

        Raises:
            ReservationRefused: 409, the presented token has a reservation; 429, too many of this client wait for their
                stream; 503, too many of all do.
        """
        if presented in self._known:
            raise ReservationRefused(409, "Stream already registered")
        if sum(not known.is_open for known in self._known.values()) >= self._max_unopened:
            sentence = "too many reservations wait for their stream, try again in a moment"
            raise ReservationRefused(503, sentence, self._lapse_seconds)
        shared = self._clients.setdefault(client, Reserving())
        if shared.waiting >= self._max_per_client:
            expected = f"expected at most {self._max_per_client} reservations of one client that wait for their stream"
            raise ReservationRefused(429, f"{expected}, got one more; open them first", self._lapse_seconds)
        shared.waiting += 1
        made = Reservation(self._make_token(), self._max_operations, shared)
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
        reservation.client.waiting -= 1

    def forget(self, reservation: Reservation) -> None:
        """Make its token worthless; once is enough."""
        if self._known.pop(reservation.token, None) is not None and not reservation.is_open:
            reservation.client.waiting -= 1


def operation_id(request: GraphqlRequest) -> str:
    """Return the id, "sent through the `extensions` parameter of the GraphQL request inside the `operationId` field".

    Raises:
        ReservationRefused: 400, there is none, or one that is too long.
    """
    id = (request.extensions or {}).get("operationId")
    if isinstance(id, int | float) and not isinstance(id, bool):
        return str(id)  # the reference makes a string of whatever comes
    if not isinstance(id, str) or not id:
        raise ReservationRefused(400, f"Operation ID is missing: extensions.operationId is {described(id)}")
    if len(id) > MAX_ID:
        raise ReservationRefused(400, f"extensions.operationId: expected at most {MAX_ID} characters, got {len(id)}")
    return id
