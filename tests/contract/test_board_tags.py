"""The tags of boards: each leads to its board, and no two boards have the same one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.errors import InvalidInput
from realtime.global_ids import tag_of
from realtime.node import Node
from tests.kit.nodes import BOARD, create_board, open_node, publish
from tests.kit.publishing import event


def _one_tag(_: str) -> str:
    return "sameforboth"


@pytest.fixture
async def node(store: SqlStore) -> AsyncIterator[Node]:
    """A node without boards."""
    async with open_node(store) as made:
        yield made


@pytest.fixture
def one_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give all boards one tag, because nobody has found two that collide."""
    for module in ("realtime.writing.ingest_plan", "realtime.backends.sql.writing.effects"):
        monkeypatch.setattr(f"{module}.tag_of", _one_tag)


async def test_tag_leads_to_its_board_while_it_exists(node: Node, store: SqlStore) -> None:
    for board_id in (BOARD, "p2"):
        await create_board(node, board_id)
    tags = {tag_of(BOARD): BOARD, tag_of("p2"): "p2"}
    assert await store.boards_of_tags([*tags, tag_of("nowhere")]) == tags
    await publish(node, event("project.deleted", {"projectId": "p2"}))
    assert await store.boards_of_tags(tags) == {tag_of(BOARD): BOARD}
    await create_board(node, "p2")
    assert await store.boards_of_tags(tags) == tags


async def test_board_with_the_tag_of_another_is_refused(node: Node, store: SqlStore, one_tag: None) -> None:
    await create_board(node, BOARD)
    await create_board(node, BOARD, "Renamed")
    with pytest.raises(InvalidInput, match=r"^0\.payload\.projectId: expected an id whose hash no other board has"):
        await create_board(node, "p2")
    assert [one.id for one in await store.projects()] == [BOARD]
    await publish(node, event("project.deleted", {"projectId": BOARD}))
    await create_board(node, "p2")
    assert await store.boards_of_tags([_one_tag("p2")]) == {_one_tag("p2"): "p2"}


async def test_two_boards_of_one_tag_in_one_batch_are_refused(node: Node, store: SqlStore, one_tag: None) -> None:
    made = [event("project.created", {"projectId": board_id, "name": "N", "repositoryPath": "/r"}) for board_id in "ab"]
    with pytest.raises(InvalidInput, match=r"^1\.payload\.projectId: "):
        await publish(node, *made)
    assert await store.projects() == []
