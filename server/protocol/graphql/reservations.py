"""Reservations of graphql-sse's single connection mode: tokens, open streams, and the ids of running operations.

Where PROTOCOL.md names no status, the statuses are those of the reference implementation, npm graphql-sse 2.6
(`handler.ts`). The transport runs the operations, lets unused reservations lapse, and speaks HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from realtime.limits import LimitReached
from server.protocol.graphql.request import MAX_ID, RETRY_SECONDS, GraphqlRequest, described

__all__ = ["Reservation", "ReservationRefused", "Reservations", "Reserving", "operation_id"]


_NOT_FOUND = "Stream not found: reserve one by PUT and send its token"


class ReservationRefused(Exception):
    """The server refuses the request: an HTTP status, and a sentence for people."""

    def __init__(self, status: int, sentence: str, retry_after_seconds: int | None = None) -> None:
        """Store all three; with `retry_after_seconds` the same request may succeed later."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after_seconds = retry_after_seconds


@dataclass(eq=False, slots=True, weakref_slot=True)
class Reserving:
    """One client's totals over its reservations whose stream is not open yet."""

    #: Number of these reservations.
    waiting: int = 0
    #: Bytes of results that wait for these streams.
    early_bytes: int = 0


@dataclass(eq=False, slots=True)
class Reservation:
    """One stream, reserved or open. "There MUST never be multiple SSE connections behind a single reservation"."""

    token: str
    max_operations: int
    #: Shared by all reservations of one client.
    client: Reserving = field(default_factory=Reserving)
    #: The authenticated subject that has reserved it; empty = anonymous.
    subject: str = ""
    is_open: bool = False
    operations: set[str] = field(default_factory=set)

    def start(self, id: str) -> None:
        """Mark `id` as the id of a running operation.

        Raises:
            ReservationRefused: 409, a running operation has this id.
            LimitReached: too many operations run.
        """
        if id in self.operations:
            raise ReservationRefused(409, f"Operation with ID already exists: {described(id)}")
        if len(self.operations) >= self.max_operations:
            sentence = f"expected at most {self.max_operations} operations at a time on one stream"
            raise LimitReached(sentence, RETRY_SECONDS)
        self.operations.add(id)

    def finish(self, id: str) -> None:
        """Free the id of an operation; a client may use it again."""
        self.operations.discard(id)


class Reservations:
    """The reserved streams of all clients by token, with bounds for their number."""

    def __init__(
        self,
        max_unopened: int,
        max_operations: int,
        make_token: Callable[[], str],
        *,
        max_per_client: int | None = None,
        lapse_seconds: int = 1,
    ) -> None:
        """Allow at most `max_unopened` reservations whose stream is not open, and `max_per_client` of one client.

        The tokens from `make_token` must be impossible to guess. `lapse_seconds` goes into Retry-After: after that time
        the reservations that wait now have been opened or have lapsed.
        """
        self._max_unopened = max_unopened
        self._max_per_client = max_unopened if max_per_client is None else max_per_client
        self._lapse_seconds = lapse_seconds
        self._clients: WeakValueDictionary[str, Reserving] = WeakValueDictionary()
        self._max_operations = max_operations
        self._make_token = make_token
        self._known: dict[str, Reservation] = {}

    def __len__(self) -> int:
        """Return the number of reservations, including those with an open stream."""
        return len(self._known)

    def reserve(self, presented: str | None, client: str = "", subject: str = "") -> Reservation:
        """Make a reservation with a new token for a client. A token that the client chose itself is never used.

        Raises:
            ReservationRefused: 409, the presented token has a reservation; 503, too many reservations of all clients
                wait for their stream.
            LimitReached: too many reservations of this client wait for their stream.
        """
        if presented in self._known:
            raise ReservationRefused(409, "Stream already registered")
        if sum(not known.is_open for known in self._known.values()) >= self._max_unopened:
            sentence = "too many reservations wait for their stream, try again in a moment"
            raise ReservationRefused(503, sentence, self._lapse_seconds)
        shared = self._clients.setdefault(client, Reserving())
        if shared.waiting >= self._max_per_client:
            expected = f"expected at most {self._max_per_client} reservations of one client that wait for their stream"
            raise LimitReached(f"{expected}, got one more; open them first", self._lapse_seconds)
        shared.waiting += 1
        made = Reservation(self._make_token(), self._max_operations, shared, subject)
        self._known[made.token] = made
        return made

    def find(self, presented: str | None, subject: str = "") -> Reservation:
        """Return the reservation of a token, for a client.

        Raises:
            ReservationRefused: 404, no reservation has this token, or a client with another subject has reserved it: a
                token is often in an address, and a client that finds it there must not read, add or stop anything.
        """
        found = self._known.get(presented) if presented is not None else None
        if found is None or found.subject != subject:
            raise ReservationRefused(404, _NOT_FOUND)
        return found

    def open(self, reservation: Reservation) -> None:
        """Mark the stream of `reservation` as open.

        Raises:
            ReservationRefused: 409, the stream is open already.
        """
        if reservation.is_open:
            raise ReservationRefused(409, "Stream already open")
        reservation.is_open = True
        reservation.client.waiting -= 1

    def forget(self, reservation: Reservation) -> None:
        """Remove the reservation, so that its token is invalid. Further calls do nothing."""
        if self._known.pop(reservation.token, None) is not None and not reservation.is_open:
            reservation.client.waiting -= 1


def operation_id(request: GraphqlRequest) -> str:
    """Return the id, "sent through the `extensions` parameter of the GraphQL request inside the `operationId` field".

    Raises:
        ReservationRefused: 400, the id is missing or too long.
    """
    id = (request.extensions or {}).get("operationId")
    if isinstance(id, int | float) and not isinstance(id, bool):
        return str(id)  # the reference implementation converts every id to a string
    if not isinstance(id, str) or not id:
        raise ReservationRefused(400, f"Operation ID is missing: extensions.operationId is {described(id)}")
    if len(id) > MAX_ID:
        raise ReservationRefused(400, f"extensions.operationId: expected at most {MAX_ID} characters, got {len(id)}")
    return id
