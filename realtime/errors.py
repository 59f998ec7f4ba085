"""Faults and refusals of `realtime`; one tree.

    RealtimeError                   a fault: something broke
      StoreUnavailable              the store did not answer; nothing was stored
      BoardMoved                    events were decided on a board that the log has moved on; nothing was stored
      StoreUnusable                 the store cannot be opened at all; the process should not start
      BrokerUnusable                the same of the broker
    Refused                         an expected outcome: a request that is answered with a reason
      NotFound                      board, card, column or attempt that does not exist (here)
      Conflict                      the request is well formed, the state of the board forbids it
        CardBlocked                 the card waits for others; `waits_for` names them
      InvalidInput                  one or more fields do not fit; `fields` names each
        AmbiguousAttempt            several boards have an attempt of the id that was named without its board
        DependencyCycle             a card would wait for itself
        DependencyMismatch          a card would wait for one of another board
    PositionLost                    nothing leads from a reader's position to now; it gets `gap` and a fresh `state`
    EnvelopesLost                   a reader could not be given something, by our own fault; it gets a `gap` too
    SubscriberTooSlow               the queue of a reader was full; it is told, nothing is dropped in silence
    ChannelGone                     the channel of a reader is gone, and its stream stays open without one
    StreamEnded                     the server ends a stream; `goodbye` told the reader why
      BoardGone                     the board of a stream was deleted
      Draining                      the server stops
      LifetimeReached               the connection has lasted as long as one may

Names of faults end in `Error` unless the word is the field's own; expected outcomes never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

__all__ = [
    "MAX_FIELD_ERRORS",
    "OMITTED",
    "AmbiguousAttempt",
    "BoardGone",
    "BoardMoved",
    "BrokerUnusable",
    "CardBlocked",
    "ChannelGone",
    "Conflict",
    "DependencyCycle",
    "DependencyMismatch",
    "Draining",
    "EnvelopesLost",
    "FieldError",
    "InvalidInput",
    "LifetimeReached",
    "NotFound",
    "PositionLost",
    "RealtimeError",
    "Refused",
    "StoreUnavailable",
    "StoreUnusable",
    "StreamEnded",
    "SubscriberTooSlow",
    "field_errors",
    "first_fields",
    "more_fields",
    "quoted",
]

#: A value that came is quoted in an error, cut at this many characters.
QUOTED_CHARS = 80
#: Most fields that an answer names (docs/ingest.md); the others are counted.
MAX_FIELD_ERRORS = 100
#: Most of them that the sentence for people names.
MAX_NAMED = 10
#: Most characters of one part of a field's path: no id is longer.
PATH_PART_CHARS = 200
#: pydantic's type of an error that stands for others, whose `count` is in its context.
OMITTED = "omitted"


class RealtimeError(Exception):
    """Base of all faults of this package."""


class StoreUnavailable(RealtimeError):
    """The store did not answer; nothing was stored and the caller may try again."""


class BoardMoved(RealtimeError):
    """Events were decided on a board as it was at another offset than its log's last; nothing was stored."""

    def __init__(self, board_id: str, decided_at: int, head: int) -> None:
        """Keep the sentence: which board, where it stood for the caller, where its log stands."""
        super().__init__(f"board {board_id} stands at offset {head}, the events were decided at {decided_at}")


class StoreUnusable(RealtimeError):
    """The store cannot be opened: wrong path, no permission, not a database."""


class BrokerUnusable(RealtimeError):
    """The broker cannot be opened: unknown scheme, wrong address, no permission."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that does not fit: where it is, what was expected and what came."""

    #: Dotted path into the body, list positions as numbers: `2.payload.status`.
    field: str
    message: str
    #: How many others this one stands for, which are not listed; 0 = it is one itself.
    omitted: int = 0

    def __str__(self) -> str:
        """Field and message in one line."""
        return f"{self.field}: {self.message}" if self.field else self.message


class Refused(Exception):
    """A request that is answered with a reason; `code` is stable and on the wire (docs/departures.md, row 3)."""

    code = "refused"

    def __init__(self, message: str, code: str | None = None) -> None:
        """Keep the sentence for people in `message`; `code` replaces that of the class."""
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code


class NotFound(Refused):
    """The thing that was named does not exist on this board (or at all)."""

    code = "not_found"


class Conflict(Refused):
    """Well formed, but the state of the board forbids it."""

    code = "conflict"


class CardBlocked(Conflict):
    """The card waits for others that are not done yet; `waits_for` has their ids."""

    code = "card_blocked"

    def __init__(self, message: str, waits_for: Iterable[str]) -> None:
        """Keep the sentence for people, and the ids."""
        super().__init__(message)
        self.waits_for = tuple(waits_for)


class InvalidInput(Refused):
    """One or more fields do not fit; `fields` has an entry for each of the first, and one that counts the others."""

    code = "invalid_payload"

    def __init__(self, *fields: FieldError) -> None:
        """Join the field errors into the message; beyond the bounds both end with a count."""
        self.fields = first_fields(fields, MAX_FIELD_ERRORS)
        super().__init__("; ".join(map(str, first_fields(self.fields, MAX_NAMED))))


class AmbiguousAttempt(InvalidInput):
    """Several boards have an attempt of the id that was named: the request must name the board too."""

    def __init__(self, boards: int) -> None:
        """Tell how many boards have one."""
        came = f"expected the id of its board, because {boards} boards have an attempt of this id; nothing came"
        super().__init__(FieldError("boardId", came))


class DependencyCycle(InvalidInput):
    """A card would wait for itself, by way of others or directly."""

    code = "dependency_cycle"


class DependencyMismatch(InvalidInput):
    """A card would wait for one that is not on its board."""

    code = "dependency_board_mismatch"


class PositionLost(Exception):
    """Nothing leads from a reader's position to now; `reason` is that of the `gap` that says so (docs/protocol.md)."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class EnvelopesLost(Exception):
    """Something that was published did not reach a reader's queue: a `gap` and the present stand for it."""


class SubscriberTooSlow(Exception):
    """More waited for a reader than may: it is told by a `gap`, or its stream ends and it should come back."""

    #: The reason in `gap` and in `goodbye`.
    code = "slow_consumer"

    def __init__(self, message: str, cursor: str | None = None) -> None:
        """Where it ends a stream, keep the `cursor` of the last envelope that the reader was given."""
        super().__init__(message)
        self.cursor = cursor


class ChannelGone(Exception):
    """The channel of a reader is gone, but its stream stays open: nothing ends, so nothing is counted or closed."""


class StreamEnded(Exception):
    """The server ends a stream; the reader got a `goodbye`, whose `reason` is `code`."""

    code = "stream_ended"


class BoardGone(StreamEnded):
    """The board was deleted while its stream was open."""

    code = "board_deleted"


class Draining(StreamEnded):
    """The server stops; the reader should connect again after a while."""

    code = "server_shutdown"


class LifetimeReached(StreamEnded):
    """The connection has lasted as long as the operator lets one; the reader should connect again at once."""

    code = "connection_lifetime"


def field_errors(error: ValidationError, *prefix: str | int) -> tuple[FieldError, ...]:
    """Translate pydantic's findings into ours; `prefix` is the path to the validated value."""
    return tuple(_field_error(found, prefix) for found in error.errors(include_url=False))


def _field_error(found: Any, prefix: tuple[str | int, ...]) -> FieldError:
    if found["type"] == OMITTED:
        return more_fields(found["ctx"]["count"])
    return FieldError(_path(*prefix, *found["loc"]), _sentence(found["msg"], found["type"], found["input"]))


def first_fields(fields: Sequence[FieldError], most: int = MAX_FIELD_ERRORS) -> tuple[FieldError, ...]:
    """Return the first fields, and behind them how many more there are."""
    named = [field for field in fields if not field.omitted]
    omitted = sum(field.omitted for field in fields) + len(named[most:])
    return (*named[:most], more_fields(omitted)) if omitted else tuple(named)


def more_fields(count: int) -> FieldError:
    """Return what stands behind a list of fields for `count` others."""
    return FieldError("", f"and at least {count:,} more", count)


def quoted(came: object) -> str:
    """Return what came as an error shows it: in Python's spelling, cut.

    Only what is shown is spelt, however large or deep the value is.
    """
    spelt = ""
    for piece in _spelt(came):
        spelt += piece
        if len(spelt) > QUOTED_CHARS:
            return spelt[: QUOTED_CHARS - 1] + "…"
    return spelt


def _spelt(came: object) -> Iterator[str]:
    """Yield the pieces of `repr(came)`; of a text no more than can be shown."""
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
    return f"{message.removeprefix('Value error, ')}, got {quoted(came)}"
