"""Each change knows the states around it, while a run of changes keeps only one of them."""

from __future__ import annotations

import gc
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from realtime.kanban.board import Board
from realtime.kanban.changes import CardCreated, CardUpdated, Difference, apply
from realtime.kanban.commands import CreateCard, UpdateCard
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column
from realtime.kanban.wire.differences import differences
from realtime.messages import payloads
from realtime.messages.options import Delivery, StreamOptions
from realtime.messages.timeline import MAX_CHANGES, Moment, Timeline
from realtime.node import Node
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import START, column_id, take
from tests.unit.realtime.states import states

_X = ColumnId("x")
_EMPTY = BoardState({_X: Column(_X, "X")})


def _created(n: int) -> CardCreated:
    return CardCreated(Card(CardId(f"k{n}"), BoardId("b"), _X, "t", START, START), 0)


def _one_by_one(timeline: Timeline, state: BoardState, count: int) -> list[Moment]:
    """Return the moments of events with one change each."""
    moments: list[Moment] = []
    for n in range(count):
        before, state = state, apply(state, _created(n))
        moments += timeline.moments(before, state, [_created(n)])
    return moments


@given(states(), states(), st.randoms())
def test_moment_has_the_states_around_its_change_in_any_order_of_reading(
    old: BoardState, new: BoardState, random: Random
) -> None:
    made: list[Difference] = list(differences(old, new))
    moments = Timeline().moments(old, new, made)
    folded = [old]
    for change in made:
        folded.append(apply(folded[-1], change))
    numbers = list(range(len(made)))
    random.shuffle(numbers)
    for n in numbers:
        assert (moments[n].before, moments[n].change, moments[n].after) == (folded[n], made[n], folded[n + 1])


def test_changes_of_one_event_are_folded_over_all_their_runs() -> None:
    count = 50 * MAX_CHANGES + 1
    changes = [_created(n) for n in range(count)]
    moments = Timeline().moments(_EMPTY, _EMPTY, changes)
    assert len(moments[-1].after.cards) == count
    assert len(moments[0].after.cards) == 1


def test_thousands_of_runs_need_no_deep_stack() -> None:
    changes: list[Difference] = [_created(0), *[CardUpdated(_created(0).card, ())] * (2000 * MAX_CHANGES)]
    moments = Timeline().moments(_EMPTY, _EMPTY, changes)
    assert len(moments[-1].after.cards) == 1


def test_waiting_changes_keep_one_state_for_each_run() -> None:
    moments = _one_by_one(Timeline(), _EMPTY, 20 * MAX_CHANGES)
    gc.collect()
    assert len({id(moment.run) for moment in moments}) == 20
    assert sum(isinstance(one, BoardState) for one in gc.get_objects()) < 100
    assert [len(moment.after.cards) for moment in moments] == list(range(1, len(moments) + 1))


def test_another_state_begins_another_run() -> None:
    timeline = Timeline()
    (first,) = _one_by_one(timeline, _EMPTY, 1)
    other = BoardState({_X: Column(_X, "Other")})
    (second,) = timeline.moments(other, apply(other, _created(1)), [_created(1)])
    assert first.run is not second.run
    assert second.before is other


async def test_view_gives_each_waiting_change_its_moment(node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    card = CreateCard(column_id=column, title="0")
    await node.bus.execute(board.id, card)
    stream = board_stream(node, board.id, options=StreamOptions(delivery=Delivery.CHANGES))
    await take(stream, 2)
    for n in range(1, 4):
        await node.bus.execute(board.id, UpdateCard(card_id=card.card_id, title=str(n)))
    waiting = [one.payload for one in await take(stream, 3)]
    await stream.aclose()
    updates = [one for one in waiting if isinstance(one, payloads.CardUpdated)]
    titles = [[state.cards[one.card.id].title for state in one.moment.run.around(one.moment.number)] for one in updates]
    assert titles == [["0", "1"], ["1", "2"], ["2", "3"]]
