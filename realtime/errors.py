"""Faults and refusals of `realtime`; one tree.

    RealtimeError                   a fault: something broke
      StoreUnavailable              the store did not answer; nothing was stored
      UnitConflict                  another writer was faster; nothing was stored
        BoardMoved                  events were decided on an outdated board
      StoreUnusable                 the store cannot be opened at all; the process should not start
      BrokerUnavailable             hints do not reach the other nodes; they come later, from the log
      BrokerUnusable                the broker cannot be opened at all; the process should not start
    Refused                         an expected outcome: a request that is answered with a reason
      Forbidden                     the caller may see the thing, but its grants do not allow the request
      NotAuthenticated              a token that a client sent on its connection is not valid
      NotFound                      a board, card, column or attempt that does not exist (on this board)
      Conflict                      the request is well formed, but the state of the board forbids it
        CardBlocked                 the card depends on unfinished cards; `waits_for` names them
      InvalidInput                  one or more fields do not fit; `fields` names each
        AmbiguousAttempt            several boards have an attempt with this id, and the request names no board
        DependencyCycle             a card would depend on itself
        DependencyMismatch          a card would depend on a card of another board
      KeyReused                     another request has used this idempotency key
    PositionLost                    no replay leads from a client's position to now; it gets `gap` and a fresh `state`
    EnvelopesLost                   a fault of the server lost envelopes of a subscriber; it gets a `gap`, too
    SubscriberTooSlow               the queue of a subscriber was full; its client is always informed
    ChannelGone                     the channel of a subscriber is gone, and its stream stays open without one
    StreamEnded                     the server ends a stream; the `goodbye` has the reason
      BoardGone                     the board of a stream was deleted
      Draining                      the server stops
      LifetimeReached               the connection has reached its longest lifetime
      TokenExpired                  the token behind the connection has expired
      TokenRevoked                  the token behind the connection was revoked
      GrantsReduced                 the grants of a new token on the connection do not cover the stream

Names of faults end in `Error`, unless the field has its own word; names of expected outcomes never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

__all__ = [
    "MAX_FIELD_ERRORS",
    "OMITTED",
    "UNQUOTED",
    "AmbiguousAttempt",
    "BoardGone",
    "BoardMoved",
    "BrokerUnavailable",
    "BrokerUnusable",
    "CardBlocked",
    "ChannelGone",
    "Conflict",
    "DependencyCycle",
    "DependencyMismatch",
    "Draining",
    "EnvelopesLost",
    "FieldError",
    "Forbidden",
    "GrantsReduced",
    "InvalidInput",
    "KeyReused",
    "LifetimeReached",
    "NotAuthenticated",
    "NotFound",
    "PositionLost",
    "RealtimeError",
    "Refused",
    "StoreUnavailable",
    "StoreUnusable",
    "StreamEnded",
    "SubscriberTooSlow",
    "TokenExpired",
    "TokenRevoked",
    "UnitConflict",
    "field_errors",
    "first_fields",
    "more_fields",
    "quoted",
    "without_frames",
]

#: Most characters of an invalid value that an error quotes.
QUOTED_CHARS = 80
#: Most fields in an answer (docs/ingest.md); the others are counted.
MAX_FIELD_ERRORS = 100
#: Most fields in the error message.
MAX_NAMED = 10
#: Most characters of one part of a field's path; no id is longer.
PATH_PART_CHARS = 200
#: pydantic's type of an error that stands for others; their number is `count` in its context.
OMITTED = "omitted"
#: Type of pydantic's error about a value that no message may quote, because it may have a secret.
UNQUOTED = "unquoted"


class RealtimeError(Exception):
    """Base class of all faults of this package."""


class StoreUnavailable(RealtimeError):
    """The store did not answer; nothing was stored and the caller may try again."""


class UnitConflict(RealtimeError):
    """Another writer of the store was faster; nothing was stored, and the unit has to be decided again."""


class BoardMoved(UnitConflict):
    """Events were decided on a board at another offset than the last one of its log; nothing was stored."""

    def __init__(self, board_id: str, decided_at: int, head: int) -> None:
        """Make the message: the board, the last offset of its log, and the offset of the caller's board."""
        super().__init__(f"board {board_id} stands at offset {head}, the events were decided at {decided_at}")


class StoreUnusable(RealtimeError):
    """The store cannot be opened: wrong path, no permission, not a database."""


class BrokerUnavailable(RealtimeError):
    """The broker does not answer, so events of other nodes come later, from the log."""


class BrokerUnusable(RealtimeError):
    """The broker cannot be opened: unknown scheme, wrong address, no permission."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that does not fit: its path, the expected value and the actual one."""

    #: Dotted path in the body, with list positions as numbers: `2.payload.status`.
    field: str
    message: str
    #: Number of other errors that this one stands for; 0 = it is an error of its own.
    omitted: int = 0

    def __str__(self) -> str:
        """Return field and message in one line."""
        return f"{self.field}: {self.message}" if self.field else self.message


class Refused(Exception):
    """A request that is answered with a reason; `code` is stable and on the wire (docs/departures.md, row 3)."""

    code = "refused"

    def __init__(self, message: str, code: str | None = None) -> None:
        """Store the text for people in `message`; `code` replaces the code of the class."""
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code


_R = TypeVar("_R", bound=Refused)


def without_frames(refused: _R) -> _R:
    """Return a refusal without its traceback and its causes, for a caller who keeps it as a result.

    The frames of a traceback hold what was decided on, a board for example. Often they hold the refusal, too: then all
    of that would stay in memory until the next garbage collection.
    """
    refused.__cause__ = refused.__context__ = None
    return refused.with_traceback(None)


class Forbidden(Refused):
    """The grants of the caller do not allow the request; the thing itself is no secret."""

    code = "forbidden"


class NotAuthenticated(Refused):
    """A token that a client has sent on its connection is wrong, has expired or was revoked."""

    code = "unauthenticated"


class NotFound(Refused):
    """The named thing does not exist on this board (or at all)."""

    code = "not_found"


class Conflict(Refused):
    """The request is well formed, but the state of the board forbids it."""

    code = "conflict"


class CardBlocked(Conflict):
    """The card depends on cards that are not done yet; `waits_for` has their ids."""

    code = "card_blocked"

    def __init__(self, message: str, waits_for: Iterable[str]) -> None:
        """Store the text for people, and the ids."""
        super().__init__(message)
        self.waits_for = tuple(waits_for)


class InvalidInput(Refused):
    """One or more fields do not fit; `fields` has an entry for each of the first, and one with the number of others."""

    code = "invalid_payload"

    def __init__(self, *fields: FieldError) -> None:
        """Join the field errors into the message; if there are too many, both end with a count."""
        self.fields = first_fields(fields, MAX_FIELD_ERRORS)
        super().__init__("; ".join(map(str, first_fields(self.fields, MAX_NAMED))))


class AmbiguousAttempt(InvalidInput):
    """Several boards have an attempt with this id, so the request must name the board, too."""

    def __init__(self, boards: int) -> None:
        """Make the message with the number of boards."""
        came = f"expected the id of its board, because {boards} boards have an attempt of this id; nothing came"
        super().__init__(FieldError("boardId", came))


class DependencyCycle(InvalidInput):
    """A card would depend on itself, directly or through others."""

    code = "dependency_cycle"


class DependencyMismatch(InvalidInput):
    """A card would depend on a card that is not on its board."""

    code = "dependency_board_mismatch"


class KeyReused(Refused):
    """Another request of this caller has used this idempotency key (docs/protocol.md, "Repeating")."""

    code = "idempotency_key_reused"

    def __init__(self, *fields: FieldError) -> None:
        """Name the keys: the field of each, with what was expected and what came."""
        self.fields = first_fields(fields, MAX_FIELD_ERRORS)
        super().__init__("; ".join(map(str, first_fields(self.fields, MAX_NAMED))))


class PositionLost(Exception):
    """No replay leads from a client's position to now; `reason` is that of the `gap` (docs/protocol.md)."""

    def __init__(self, reason: str) -> None:
        """Store the reason."""
        super().__init__(reason)
        self.reason = reason


class EnvelopesLost(Exception):
    """Published envelopes did not reach a subscriber's queue; it resyncs with a `gap` and the current state."""


class SubscriberTooSlow(Exception):
    """A subscriber's queue was full: its client gets a `gap`, or its stream ends and the client should resume."""

    #: The reason in `gap` and in `goodbye`.
    code = "slow_consumer"

    def __init__(self, message: str, cursor: str | None = None) -> None:
        """If it ends a stream, `cursor` is that of the last envelope that the client got."""
        super().__init__(message)
        self.cursor = cursor


class ChannelGone(Exception):
    """The channel of a subscriber is gone, but its stream stays open; so it is not counted as an end."""


class StreamEnded(Exception):
    """The server ends a stream; the client got a `goodbye`, whose `reason` is `code`."""

    code = "stream_ended"


class BoardGone(StreamEnded):
    """The board was deleted while its stream was open."""

    code = "board_deleted"


class Draining(StreamEnded):
    """The server stops; the client should reconnect after a while."""

    code = "server_shutdown"


class LifetimeReached(StreamEnded):
    """The connection has reached the longest lifetime that the operator allows; the client should reconnect at once."""

    code = "connection_lifetime"


class TokenExpired(StreamEnded):
    """The token behind the connection has expired; the client comes back with a new one, and its cursor."""

    code = "token_expired"


class TokenRevoked(StreamEnded):
    """The token behind the connection was revoked; the client comes back with another one, and its cursor."""

    code = "token_revoked"


class GrantsReduced(StreamEnded):
    """The client has sent a new token on its connection, whose grants do not cover the stream."""

    code = "forbidden"


def field_errors(error: ValidationError, *prefix: str | int) -> tuple[FieldError, ...]:
    """Convert pydantic's errors; `prefix` is the path of the validated value."""
    return tuple(_field_error(found, prefix) for found in error.errors(include_url=False))


def _field_error(found: Any, prefix: tuple[str | int, ...]) -> FieldError:
    if found["type"] == OMITTED:
        return more_fields(found["ctx"]["count"])
    return FieldError(_path(*prefix, *found["loc"]), _sentence(found["msg"], found["type"], found["input"]))


def first_fields(fields: Sequence[FieldError], most: int = MAX_FIELD_ERRORS) -> tuple[FieldError, ...]:
    """Return the first fields, followed by the number of the others, if there are any."""
    named = [field for field in fields if not field.omitted]
    omitted = sum(field.omitted for field in fields) + len(named[most:])
    return (*named[:most], more_fields(omitted)) if omitted else tuple(named)


def more_fields(count: int) -> FieldError:
    """Return the entry for `count` further fields at the end of a list."""
    return FieldError("", f"and at least {count:,} more", count)


def quoted(came: object) -> str:
    """Return a value as an error message quotes it: like `repr`, but cut.

    Only the quoted part is converted, so the cost does not depend on the size or depth of the value.
    """
    spelt = ""
    for piece in _spelt(came):
        spelt += piece
        if len(spelt) > QUOTED_CHARS:
            return spelt[: QUOTED_CHARS - 1] + "…"
    return spelt


def _spelt(came: object) -> Iterator[str]:
    """Yield the pieces of `repr(came)`; a text is cut to the length that can be quoted."""
    match came:
        case str():
            yield repr(came[: QUOTED_CHARS + 1])
        case list():
            yield "["
            for place, one in enumerate(came):
                yield ", " if place else ""
                yield from _spelt(one)
            yield "]"
        case dict():
            yield "{"
            for place, (key, one) in enumerate(came.items()):
                yield ", " if place else ""
                yield from _spelt(key)
                yield ": "
                yield from _spelt(one)
            yield "}"
        case _:
            yield repr(came)


def _path(*parts: str | int) -> str:
    return ".".join(str(part)[:PATH_PART_CHARS] for part in parts)


def _sentence(message: str, kind: str, came: object) -> str:
    if kind == "missing":
        return "this field is required, nothing came"
    if kind == UNQUOTED:
        return message
    return f"{message.removeprefix('Value error, ')}, got {quoted(came)}"
