"""Loaders: one query for all simultaneous requests, and how long a result is cached."""

from __future__ import annotations

import asyncio

from realtime.kanban.board import Board
from realtime.kanban.ids import AttemptId, BoardId
from realtime.node import Node
from realtime.service import Service
from schema.execution.loaders import Loaders, PageKey
from tests.kit.contexts import context_on
from tests.kit.nodes import BOARD, TESTER, create_board, publish
from tests.kit.publishing import event
from tests.kit.statements import counted


async def test_keys_that_are_asked_for_at_once_are_one_query(node: Node, board: Board) -> None:
    await create_board(node, "p2", "Beta")
    loaders = Loaders(Service(node), TESTER)
    with counted() as statements:
        ids = (BOARD, BoardId("p2"), BOARD, BoardId("no"))
        one, other, again, none = await asyncio.gather(*(loaders.project.load(id) for id in ids))
    names = [project and project.name for project in (one, other, again, none)]
    assert names == ["Alpha Board", "Beta", "Alpha Board", None]
    assert len(statements) == 1


async def test_pages_of_the_same_arguments_are_one_query(node: Node) -> None:
    loaders = Loaders(Service(node), TESTER)
    keys = [PageKey((BOARD, AttemptId(f"a{n}")), after, 5) for n in range(3) for after in (0, 7)]
    with counted() as statements:
        await asyncio.gather(*(loaders.logs.load(key) for key in keys))
    assert len(statements) == 2


async def test_answer_is_remembered_by_those_that_keep(node: Node, board: Board) -> None:
    keeping, asking = Loaders(Service(node), TESTER), Loaders(Service(node), TESTER, keep=False)
    before = [await loaders.project.load(BOARD) for loaders in (keeping, asking)]
    await publish(node, event("project.updated", {"projectId": BOARD, "changes": {"name": "New"}}))
    after = [await loaders.project.load(BOARD) for loaders in (keeping, asking)]
    assert [project and project.name for project in (*before, *after)] == ["Alpha Board"] * 3 + ["New"]


async def test_more_keys_than_one_query_can_take_are_several(node: Node) -> None:
    loaders = Loaders(Service(node), TESTER)
    with counted() as statements:
        found = await asyncio.gather(*(loaders.attempt.load((BOARD, AttemptId(f"a{n}"))) for n in range(10_001)))
    assert (set(found), len(statements)) == ({None}, 2)


async def test_context_of_an_event_shares_all_but_the_loaders(node: Node) -> None:
    context = context_on(node, after="x")
    context.cursor = "c"
    of_event, of_next = context.for_event(), context.for_event()
    assert (of_event.service, of_event.after, of_event.cursor) == (context.service, "x", "c")
    assert of_event.loaders is of_event.loaders
    assert len({id(one) for one in (context.loaders, of_event.loaders, of_next.loaders)}) == 3
