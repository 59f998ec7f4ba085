"""Finds the thing that an `id` names, for `node`, `nodes`, and arguments without a board beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from realtime.errors import FieldError, InvalidInput
from realtime.global_ids import GlobalId, Kind, parse_global_id, tag_of
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from schema.execution.context import Context, Info
from schema.execution.real_size import check_size
from schema.types.agents import agents_of
from schema.types.node import attempt_of, board_of
from schema.types.objects import BoardState

__all__ = ["MAX_NODES", "attempt_key", "find_kind", "find_node", "find_nodes"]

#: Most ids in `nodes`.
MAX_NODES = 100


class TooManyIds(InvalidInput):
    """`nodes` has too many ids."""

    code = "bad_user_input"


async def find_nodes(info: Info, given: Sequence[str]) -> list[object | None]:
    """Return the things that the ids name, in their order; None for one that names nothing.

    Raises:
        TooManyIds: there are more than `MAX_NODES` ids.
        CostExceeded: see `check_size`.
    """
    if len(given) > MAX_NODES:
        raise TooManyIds(FieldError("ids", f"expected at most {MAX_NODES} ids, got {len(given)}"))
    return list(await asyncio.gather(*(find_node(info, one) for one in given)))


async def find_node(info: Info, given: str) -> object | None:
    """Return the thing that an `id` names, None if there is none (or if the caller may not see it).

    Raises:
        CostExceeded: see `check_size`.
    """
    parts = parse_global_id(given)
    if parts is None:
        return None
    if parts.kind in (Kind.AGENT, Kind.PROFILE):
        return await _of_agents(info.context, parts) if parts.tag == tag_of(parts.id) else None
    board_id = await info.context.loaders.board_of_tag.load(parts.tag)
    return None if board_id is None else await _on_board(info, board_id, parts)


async def find_kind(context: Context, given: str) -> Kind | None:
    """Return the kind of thing of which a text is an `id`, None if it is none of this installation.

    The thing itself need not exist; its board must, and the caller may read it.
    """
    parts = parse_global_id(given)
    if parts is None:
        return None
    if parts.kind in (Kind.AGENT, Kind.PROFILE):
        return parts.kind if parts.tag == tag_of(parts.id) else None
    return None if await context.loaders.board_of_tag.load(parts.tag) is None else parts.kind


async def attempt_key(context: Context, given: str, board: str | None) -> tuple[AttemptId, BoardId | None]:
    """Return the attempt that an argument names, and its board; None = an id of the wire without a board beside it."""
    if board is not None:
        board_id = board_of(board)
        return attempt_of(board_id, given), board_id
    parts = parse_global_id(given)
    found = await context.loaders.board_of_tag.load(parts.tag) if parts and parts.kind is Kind.ATTEMPT else None
    return (AttemptId(given), None) if parts is None or found is None else (AttemptId(parts.id), found)


async def _on_board(info: Info, board_id: BoardId, parts: GlobalId) -> object | None:
    loaders = info.context.loaders
    match parts.kind:
        case Kind.CARD:
            return await loaders.card.load((board_id, CardId(parts.id)))
        case Kind.ATTEMPT:
            return await loaders.attempt.load((board_id, AttemptId(parts.id)))
        case Kind.PROJECT:
            return await loaders.project.load(board_id) if parts.id == board_id else None
        case Kind.COLUMN:
            board = await _board(info, board_id)
            return None if board is None else board.column(ColumnId(parts.id))
        case _:
            return await _board(info, board_id) if parts.id == board_id else None


async def _board(info: Info, board_id: BoardId) -> BoardState | None:
    found = await info.context.loaders.board.load(board_id)
    if found is None:
        return None
    check_size(info, found.board.state)
    return BoardState.of(found, info.context.service.boards.epoch)


async def _of_agents(context: Context, parts: GlobalId) -> object | None:
    agents, profiles = await context.service.dashboard.agents(context.caller)
    if parts.kind is Kind.PROFILE:
        return next((one for one in profiles if one.id == parts.id), None)
    return next((one for one in agents_of(agents, profiles) if one.key == parts.id), None)
