"""Random histories of two boards: commands of people and events of runners, alone and in batches, of every kind."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import strategies as st

from realtime.clock import iso
from realtime.errors import Refused
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.events import EVENT_NAMES
from realtime.kanban.ids import BoardId
from realtime.kanban.models import AttemptStatus, TicketType
from realtime.kanban.wire.board_wire import state_json
from realtime.node import Node
from tests.kit.nodes import START, publish
from tests.unit.realtime.event_samples import AT, ITEMS, SAMPLES

__all__ = ["BOARDS", "Step", "carry_out", "steps"]

Json = dict[str, Any]

BOARDS = (BoardId("p1"), BoardId("p2"))
_COMMANDS = ("create", "create_dependent", "update", "depend", "move", "delete", "queue", "stop", "create_and_move")
# Events that change the board are more frequent than others.
_OF_THE_BOARD = (
    *("attempt.queued", "attempt.started", "attempt.status.changed", "attempt.completed", "attempt.stopped"),
    *("github.pr.created", "board.state.changed", "project.updated"),
)
_KINDS = (*_COMMANDS, *_COMMANDS, *_OF_THE_BOARD, *_OF_THE_BOARD, *EVENT_NAMES, "batch", "batch", "watch", "watch")


@dataclass(frozen=True)
class Step:
    """One action. Its figures choose among the existing objects."""

    kind: str
    board: int = 0
    a: int = 0
    b: int = 0
    c: int = 0
    #: The parts of a batch.
    parts: tuple[Step, ...] = ()


def _simple(kinds: tuple[str, ...]) -> st.SearchStrategy[Step]:
    few = st.integers(0, 5)
    return st.builds(Step, st.sampled_from(kinds), st.integers(0, len(BOARDS) - 1), few, few, few)


def steps() -> st.SearchStrategy[Step]:
    """Return steps of every kind."""
    part = _simple((*_OF_THE_BOARD, *_OF_THE_BOARD, *EVENT_NAMES))
    batch = st.builds(lambda parts: Step("batch", parts=tuple(parts)), st.lists(part, min_size=2, max_size=6))
    return _simple(_KINDS).flatmap(lambda step: batch if step.kind == "batch" else st.just(step))


async def carry_out(node: Node, step: Step) -> None:
    """Execute the step. A refusal is a valid outcome."""
    with suppress(Refused):
        if step.kind in _COMMANDS:
            stored = await node.store.board(BOARDS[step.board])
            if stored:
                await node.bus.execute(BOARDS[step.board], *_commands(step, stored.board))
        else:
            parts = step.parts or (step,)
            await publish(node, *[await _event(node, part) for part in parts])


def _commands(step: Step, board: Board) -> list[Command]:
    cards, columns = [*board.state.cards, "unknown"], list(board.state.columns)
    card, other = cards[step.a % len(cards)], cards[step.b % len(cards)]
    column = columns[step.c % len(columns)] if columns else "unknown"
    attempts = [*board.attempts, "unknown"]
    match step.kind:
        case "create" | "create_dependent":
            needs = () if step.kind == "create" else (card, other)
            return [CreateCard(column_id=column, title="c", ticket_type=list(TicketType)[step.b], depends_on=needs)]
        case "update":
            return [UpdateCard(card_id=card, title=f"title {step.b}", description=None if step.c % 2 else "d")]
        case "depend":
            return [UpdateCard(card_id=card, depends_on=(other,) if step.c else (), is_enhanced=step.c > 3)]
        case "move":
            return [MoveCard(card_id=card, to_column_id=column, to_index=step.b)]
        case "delete":
            return [DeleteCard(card_id=card)]
        case "queue":
            return [QueueAttempt(card_id=card, agent="CODEX")]
        case "stop":
            return [StopAttempt(attempt_id=attempts[step.a % len(attempts)])]
        case _:
            made = CreateCard(column_id=column, title="moved at once")
            return [made, MoveCard(card_id=made.card_id, to_column_id=columns[step.a % len(columns)], to_index=step.b)]


async def _event(node: Node, step: Step) -> Json:
    """Return an event of the name `step.kind`, about objects that are on the board now."""
    board_id = BOARDS[step.board]
    stored = await node.store.board(board_id)
    board = stored.board if stored else None
    payload = dict(SAMPLES[step.kind])
    cards = [*(board.state.cards if board else ()), "unknown"]
    for field, value in (
        ("boardId", board_id),
        ("projectId", board_id),
        ("cardId", cards[step.a % len(cards)]),
        # Few ids for both boards, so that an attempt appears again on another card and on another board.
        ("attemptId", f"a{step.b % 4}"),
    ):
        if field in payload:
            payload[field] = value
    payload |= _details(step, board)
    made = {"name": step.kind, "payload": payload}
    if step.c % 3:
        made["at"] = iso(START + timedelta(seconds=step.c))
    if step.a == 5:
        made["id"] = f"key-{step.b}"
    return made


def _details(step: Step, board: Board | None) -> Json:
    match step.kind:
        case "attempt.status.changed":
            ended = (AT, iso(START + timedelta(seconds=3)), None)[step.a % 3]
            return {"status": list(AttemptStatus)[step.c].value, "endedAt": ended}
        case "attempt.completed":
            return {"status": list(AttemptStatus)[step.c].value}
        case "attempt.conversation.appended":
            return {"item": list(ITEMS.values())[step.c % len(ITEMS)]}
        case "agent.profile.changed":
            return {"kind": ("created", "updated", "deleted")[step.c % 3], "profileId": f"ap-{step.a}"}
        case "project.created" | "project.updated":
            name = {"name": f"Project {step.c}", "repositoryUrl": None if step.a % 2 else "https://h/o/r"}
            return name if step.kind == "project.created" else {"changes": name if step.b % 2 else {}}
        case "board.state.changed" if board:
            return {"state": _state(step, board)}
        case _:
            return {}


def _state(step: Step, board: Board) -> Json:
    """Return the state of the board with one column more, one card more, one card less and another order."""
    state: Json = orjson.loads(state_json(board.state))
    order = state["columnOrder"]
    if step.c % 2 or not order:
        cards = state["columns"].get("extra", {"cardIds": []})["cardIds"]
        state["columns"]["extra"] = {"id": "extra", "title": "in progress ", "cardIds": cards}
        order = [*(one for one in order if one != "extra"), "extra"]
    turned = [*order[step.a % len(order) :], *order[: step.a % len(order)]]
    column = state["columns"][turned[0]]
    column["cardIds"] = list(reversed(column["cardIds"]))
    if f"new-{step.b}" not in state["cards"]:
        column["cardIds"].insert(0, f"new-{step.b}")
        state["cards"][f"new-{step.b}"] = {"id": f"new-{step.b}", "title": "from outside", "ticketKey": f"X-{step.b}"}
    if step.a == 3 and column["cardIds"]:
        _drop(state, column["cardIds"].pop())
    return {**state, "columnOrder": turned}


def _drop(state: Json, card_id: str) -> None:
    del state["cards"][card_id]
    for card in state["cards"].values():
        card["dependsOn"] = [one for one in card.get("dependsOn", ()) if one != card_id]
