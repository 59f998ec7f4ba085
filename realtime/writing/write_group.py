"""Units that share a transaction: each is decided after those before it, and has its own result or refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from realtime.errors import Refused, without_frames
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel
from realtime.ports import StoredBoard, StoredEvent, Transaction

__all__ = ["HEAVY_PARTS", "BoardsAtHand", "Result", "Unit", "carry_out", "stored_of"]

#: A unit with more commands or events, or cards of a whole state, is heavy: others do not wait for it if they need not.
HEAVY_PARTS = 100


class Result(Protocol):
    """The result of a unit."""

    @property
    def stored(self) -> Sequence[StoredEvent]:
        """The events that the unit has appended to the log, in their order; empty if nothing changed."""

    @property
    def boards(self) -> Sequence[StoredBoard]:
        """The boards that the unit has decided on, as they are after it, without deleted ones."""


_R_co = TypeVar("_R_co", bound=Result, covariant=True)


class BoardsAtHand:
    """The boards in memory for the units of a group. They may be outdated: `write_units.checked_board` looks."""

    def __init__(self, boards: Mapping[BoardId, StoredBoard]) -> None:
        """Begin with boards that the units may change."""
        self._fresh = dict(boards)
        #: The boards after earlier units of the group. Their results have the same objects.
        self._decided: dict[BoardId, StoredBoard] = {}

    def take(self, board_id: BoardId) -> StoredBoard | None:
        """Return a board that the caller may change, None if there is none."""
        fresh = self._fresh.pop(board_id, None)
        # It stays: if the caller is refused, the next unit needs it as it is.
        decided = self._decided.get(board_id)
        return fresh if decided is None else replace(decided, board=decided.board.copy())

    def put(self, boards: Iterable[StoredBoard]) -> None:
        """Put the boards after a unit at hand."""
        self._decided |= {found.board.id: found for found in boards}


@dataclass(frozen=True, slots=True)
class Unit(Generic[_R_co]):
    """Commands or events that are carried out together, all or none."""

    #: The channels to which it may write.
    channels: frozenset[Channel]
    #: The boards that its decisions need.
    needs: frozenset[BoardId]
    #: The number of its commands or events, and of the cards of whole states.
    parts: int
    #: Decides in the transaction, and appends the events; it refuses before it writes. It may be called again after the
    #: transaction was undone.
    work: Callable[[Transaction, BoardsAtHand], _R_co]

    @property
    def is_heavy(self) -> bool:
        """Whether it takes so long that others should not wait for it."""
        return self.parts > HEAVY_PARTS


def carry_out(units: Sequence[Unit[_R_co]], transaction: Transaction, at_hand: BoardsAtHand) -> list[_R_co | Refused]:
    """Carry out the units in order; return the result or the refusal of each.

    Raises:
        Exception: a unit failed; the transaction must be undone.
    """
    results: list[_R_co | Refused] = []
    transaction.lock(frozenset[Channel]().union(*(unit.channels for unit in units)))
    for unit in units:
        try:
            result = unit.work(transaction, at_hand)
        except Refused as refused:
            results.append(without_frames(refused))
        else:
            results.append(result)
            at_hand.put(result.boards)
    return results


def stored_of(results: Iterable[Result | Refused]) -> list[StoredEvent]:
    """Return the stored events of units, in order."""
    return [event for result in results if not isinstance(result, Refused) for event in result.stored]
