"""The cost of a change until its envelopes are encoded is equal on a board of 2,000 cards and on one of 20."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from realtime.backends.memory import MemoryBroker
from realtime.clock import iso
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.messages.options import Delivery, StreamOptions
from realtime.node import Node
from realtime.ports import StoredEvent
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, START, create_board, open_node, open_store, publish, queued, take
from tests.kit.publishing import event

_SMALL, _LARGE = 20, 2000
_UNITS = 60


class _CountingBroker(MemoryBroker):
    """Counts the calls of Python functions and built-in ones for the delivery of the last event."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    async def publish(self, batch: Sequence[StoredEvent]) -> None:
        for stored in batch:
            self.calls = _calls(self._hand_over, stored)

    def _hand_over(self, stored: StoredEvent) -> None:
        for handler in self._handlers:
            handler([stored])


def _calls(work: Callable[..., object], *arguments: object) -> int:
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        work(*arguments)
    finally:
        sys.setprofile(None)
    return count


@dataclass(frozen=True)
class Cost:
    """The cost of the delivery and the encoding of one change."""

    calls: int
    size: int


#: The column `todo` contains a card to delete for each delivery, then `card-0000`, ….
COMMANDS: dict[str, Callable[[Delivery], Command]] = {
    "edit": lambda delivery: UpdateCard(card_id="card-0007", title=f"new for {delivery}"),
    "creation": lambda delivery: CreateCard(column_id="todo", title="new"),
    "near_move": lambda delivery: MoveCard(card_id="card-0007", to_column_id="todo", to_index=5),
    "move_back": lambda delivery: MoveCard(card_id="card-0007", to_column_id="todo", to_index=10),
    "far_move": lambda delivery: MoveCard(card_id="card-0000", to_column_id="end", to_index=0),
    "return": lambda delivery: MoveCard(card_id="card-0000", to_column_id="todo", to_index=3),
    "deletion": lambda delivery: DeleteCard(card_id=f"card--{delivery}"),
}
Costs = dict[tuple[Delivery, str], Cost]


@pytest.fixture(scope="module")
async def small() -> Costs:
    """The costs on a board of 20 cards."""
    return await _costs(_SMALL)


@pytest.fixture(scope="module")
async def large() -> Costs:
    """The costs on a board of 2,000."""
    return await _costs(_LARGE)


async def _costs(cards: int) -> Costs:
    broker = _CountingBroker()
    iso.cache_clear()  # both boards have the same times, and the second would find them in the cache
    async with deadline(_UNITS), open_store() as store, open_node(store, broker=broker) as node:
        await create_board(node)
        ids = [*(f"card--{delivery}" for delivery in Delivery), *(f"card-{n:04}" for n in range(cards))]
        await publish(node, event("board.state.changed", {"boardId": BOARD, "state": _state(ids)}))
        costs: Costs = {}
        for delivery in Delivery:
            costs |= await _costs_of(node, broker, delivery)
        return costs


def _state(ids: list[str]) -> dict[str, object]:
    times = {"createdAt": iso(START), "updatedAt": iso(START)}
    columns = {"todo": {"id": "todo", "title": "T", "cardIds": ids}, "end": {"id": "end", "title": "E", "cardIds": []}}
    return {
        "columns": columns,
        "columnOrder": list(columns),
        "cards": {id: {"id": id, "title": "t", **times} for id in ids},
    }


async def _costs_of(node: Node, broker: _CountingBroker, delivery: Delivery) -> Costs:
    costs: Costs = {}
    queue = Subscriber(100)
    async with aclosing(board_stream(node, BOARD, queue, StreamOptions(delivery=delivery))) as stream:
        await take(stream, 2)
        for name, command in COMMANDS.items():
            await node.bus.execute(BOARD, command(delivery))
            received = await queued(queue)
            encoding = _calls(lambda received=received: [one.payload_json() for one in received])
            costs[delivery, name] = Cost(broker.calls + encoding, sum(len(one.payload_json()) for one in received))
    return costs


@pytest.mark.parametrize("delivery", [Delivery.CHANGES, Delivery.PATCH])
@pytest.mark.parametrize("name", ["edit", "creation", "near_move"])
async def test_edit_costs_the_same_on_a_large_board(name: str, delivery: Delivery, small: Costs, large: Costs) -> None:
    assert small[delivery, name].calls == large[delivery, name].calls
    # The index at the end of a column, and a ticket's number, have two digits more on the large one.
    assert abs(large[delivery, name].size - small[delivery, name].size) <= 4


@pytest.mark.parametrize("name", ["far_move", "deletion"])
async def test_displaced_cards_are_named_one_by_one_in_patches_only(name: str, small: Costs, large: Costs) -> None:
    assert large[Delivery.CHANGES, name].size - small[Delivery.CHANGES, name].size <= 4
    operation = len('{"op":"replace","path":"/cards/card-0000/updatedAt","value":"2025-01-02T03:04:05.678Z"},')
    grown = large[Delivery.PATCH, name].size - small[Delivery.PATCH, name].size
    assert abs(grown - (_LARGE - _SMALL) * operation) <= 4


async def test_delivery_that_nobody_reads_costs_nothing(large: Costs) -> None:
    # Each displaced card is an operation of several calls, but only in patches.
    patch, changes = (large[delivery, "far_move"].calls for delivery in (Delivery.PATCH, Delivery.CHANGES))
    assert patch - changes > 3 * _LARGE


async def test_state_is_what_grows_with_the_board(small: Costs, large: Costs) -> None:
    edit = (Delivery.STATE, "edit")
    assert large[edit].size > 50 * small[edit].size
