"""The promises of every store about pages, and about reading many objects at once (`realtime/ports/`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.global_ids import tag_of
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.node import Node
from realtime.ports import Page, Span
from tests.kit.attempt_contents import lines_of
from tests.kit.nodes import BOARD, START, create_board, open_node, publish
from tests.kit.publishing import event
from tests.kit.statements import counted

OTHER = BoardId("p2")
NOBODY = AttemptId("nobody")
A1 = (BOARD, AttemptId("a1"))
EMPTY: Page[Any] = Page([], more=False)
#: So large that a page ends with the third (`read_pages.PAGE_BYTES`).
LONG = "x" * 1_500_000


@pytest.fixture
async def node(store: SqlStore) -> AsyncIterator[Node]:
    """A node with the boards `p1` and `p2`."""
    async with open_node(store) as made:
        await create_board(made)
        await create_board(made, OTHER, "Beta")
        yield made


async def queue(node: Node, attempt: str, board: str = BOARD, card: str = "k1") -> None:
    """Queue an attempt."""
    payload = {"boardId": board, "attemptId": attempt, "cardId": card, "agent": "CODEX"}
    await publish(node, event("attempt.queued", payload))


async def write(node: Node, attempt: str, *lines: str, board: str = BOARD) -> None:
    """Append to the log and to the conversation of an attempt."""
    of = {"boardId": board, "attemptId": attempt}
    for line in lines:
        item = {"type": "error", "timestamp": "2025-01-01T00:00:00.000Z", "text": line}
        await publish(
            node,
            event("attempt.log.appended", {**of, "level": "info", "message": line}),
            event("attempt.conversation.appended", {**of, "item": item}),
        )


async def test_page_of_events_goes_on_where_the_last_ended(node: Node) -> None:
    for n in range(4):
        await publish(node, event("git.status.changed", {"projectId": BOARD, "n": n}))
        await publish(node, event("agent.registered", {"agent": f"A{n}"}))
    channel = board_channel(BOARD)
    first = await node.store.event_page(channel, 0, 2)
    rest = await node.store.event_page(channel, first.entries[-1][0], 100)
    assert [place for place, _ in (*first.entries, *rest.entries)] == [1, 2, 3, 4, 5]
    assert (first.more, rest.more) == (True, False)
    logged = [one for _, one in (*first.entries, *rest.entries)]
    assert [one.name for one in logged] == ["project.created", *["git.status.changed"] * 4]
    assert [one.offset for one in logged] == [1, 2, 3, 4, 5]
    assert [one.global_offset for one in logged] == [0, 0, 1, 2, 3]
    assert logged[4].payload == {"projectId": BOARD, "n": 3}
    assert logged[0].at < logged[1].at
    assert logged[0].at >= START


async def test_page_of_events_that_is_exactly_full_has_no_more(node: Node) -> None:
    assert not (await node.store.event_page(board_channel(BOARD), 0, 1)).more
    assert await node.store.event_page(board_channel(BOARD), 1, 1) == EMPTY
    assert await node.store.event_page(EVERYBODY, 0, 1) == EMPTY


async def test_page_of_events_ends_where_it_has_bytes_enough(node: Node) -> None:
    await write(node, "A", *(f"{n}{LONG}" for n in range(4)))
    channel = board_channel(BOARD)
    begin = await node.store.offset(channel) - 8  # each line made an event for the log and one for the conversation
    places, more, pages = [begin], True, 0
    while more:
        page = await node.store.event_page(channel, places[-1], 1_000)
        places += [place for place, _ in page.entries]
        more, pages = page.more, pages + 1
    assert places[1:] == [begin + n for n in range(1, 9)]
    assert pages == 3


async def test_replay_of_large_events_reads_a_few_at_a_time_and_misses_none(node: Node) -> None:
    await write(node, "A", *(f"{n}{LONG}" for n in range(4)))
    channel = board_channel(BOARD)
    head = await node.store.offset(channel)
    at, sizes = head - 8, []
    while page := await node.store.events(channel, Span(at, head, 0, 0), 500):
        assert [stored.offset for stored in page] == [at + n for n in range(1, len(page) + 1)]
        at = page[-1].offset
        sizes.append(len(page))
    assert (at, sizes) == (head, [3, 3, 2])


@pytest.mark.parametrize("kind", ["log", "conversation"])
async def test_page_under_an_attempt_ends_where_it_has_bytes_enough(node: Node, kind: str) -> None:
    read = node.store.log_pages if kind == "log" else node.store.conversation_pages
    keys = [(BOARD, AttemptId("A")), (BOARD, AttemptId("B"))]
    await queue(node, "A")
    await queue(node, "B")
    for n in range(4):
        await write(node, "A", f"{n}{LONG}")
        await write(node, "B", f"{n}")
    first = await read(keys, 0, 1_000)
    assert (len(first[keys[0]].entries), first[keys[0]].more) == (3, True)
    assert (len(first[keys[1]].entries), first[keys[1]].more) == (4, False)
    rest = await read(keys[:1], first[keys[0]].entries[-1][0], 1_000)
    assert (len(rest[keys[0]].entries), rest[keys[0]].more) == (1, False)


@pytest.mark.parametrize("kind", ["log", "conversation"])
async def test_pages_are_those_of_each_attempt(node: Node, kind: str) -> None:
    read = node.store.log_pages if kind == "log" else node.store.conversation_pages
    text: Callable[[Any], str] = (lambda line: line.message) if kind == "log" else (lambda item: item["text"])

    async def shown(attempts: list[str], after: int, limit: int) -> dict[str, tuple[list[str], bool]]:
        pages = await read([(BOARD, AttemptId(id)) for id in attempts], after, limit)
        return {id: ([text(entry) for _, entry in page.entries], page.more) for (_, id), page in pages.items()}

    for attempt in ("a1", "a2", "silent"):
        await queue(node, attempt)
    await write(node, "a1", "one", "two", "three")
    await write(node, "a2", "four", "five")
    await write(node, "unknown", "six")
    everybody = ["a1", "a2", "silent", "unknown", "nobody"]
    assert await shown(everybody, 0, 2) == {"a1": (["one", "two"], True), "a2": (["four", "five"], False)}
    place = (await read([A1], 0, 2))[A1].entries[-1][0]
    assert (await shown(["a1"], place, 2)) == {"a1": (["three"], False)}
    assert await shown(["a1"], place + 1000, 2) == {}
    assert await shown([], 0, 2) == {}


async def test_log_entries_of_pages_are_those_of_the_whole_log(node: Node) -> None:
    await queue(node, "a1")
    await write(node, "a1", "one", "two")
    whole = await lines_of(node.store, "a1")
    (page,) = (await node.store.log_pages([A1], 0, 10)).values()
    assert [entry for _, entry in page.entries] == whole
    assert len(whole) == 2


async def test_attempts_of_one_id_are_distinguished_by_their_boards(node: Node) -> None:
    await queue(node, "a1")
    await queue(node, "a1", OTHER, "k9")
    await write(node, "a1", "one")
    await write(node, "a1", "two", board=OTHER)
    theirs = (OTHER, AttemptId("a1"))
    for read in (node.store.log_pages, node.store.conversation_pages):
        assert {key: len(page.entries) for key, page in (await read([A1, theirs], 0, 10)).items()} == {A1: 1, theirs: 1}
    (page,) = (await node.store.log_pages([theirs], 0, 10)).values()
    assert [entry.message for _, entry in page.entries] == ["two"]
    found = await node.store.attempts_by_key([A1, theirs])
    assert found == {key: await node.store.attempt(*key) for key in (A1, theirs)}
    assert {attempt.card_id for attempt in found.values()} == {"k1", "k9"}


async def test_log_that_is_kept_under_an_unknown_id_is_read_in_pages(node: Node) -> None:
    await write(node, "a1", "one", "two", "three")
    await write(node, "a1", "theirs", board=OTHER)
    first = await node.store.logs(*A1, 0, 2)
    assert ([line.message for _, line in first.entries], first.more) == (["one", "two"], True)
    rest = await node.store.logs(*A1, first.entries[-1][0], 2)
    assert ([line.message for _, line in rest.entries], rest.more) == (["three"], False)
    items = await node.store.conversation(*A1, 0, 3)
    assert ([item["text"] for _, item in items.entries], items.more) == (["one", "two", "three"], False)


async def test_boards_of_an_attempt_are_those_that_keep_something_under_its_id(node: Node) -> None:
    await queue(node, "a1")
    await write(node, "a1", "one", board=OTHER)
    assert await node.store.boards_of_attempt(AttemptId("a1")) == {BOARD: True, OTHER: False}
    assert await node.store.boards_of_attempt(NOBODY) == {}


async def test_attempts_of_cards_are_distinguished_by_their_boards(node: Node) -> None:
    for attempt, board, card in (
        ("old", BOARD, "k1"),
        ("new", BOARD, "k1"),
        ("theirs", OTHER, "k1"),
        ("else", OTHER, "k2"),
    ):
        await queue(node, attempt, board, card)
    keys = [(BOARD, CardId("k1")), (OTHER, CardId("k2")), (BOARD, CardId("k3"))]
    found = await node.store.attempts_of_cards(keys)
    assert {key: [one.id for one in of_card] for key, of_card in found.items()} == {
        (BOARD, "k1"): ["new", "old"],
        (OTHER, "k2"): ["else"],
    }


STATE = {
    "columns": {"c": {"id": "c", "title": "C", "cardIds": ["k1", "k2"]}},
    "columnOrder": ["c"],
    "cards": {"k1": {"id": "k1", "title": "K", "dependsOn": ["k2"]}, "k2": {"id": "k2", "title": "L"}},
}


async def test_boards_cards_and_projects_of_many_are_those_of_one(node: Node) -> None:
    empty = {**STATE, "cards": {}, "columns": {"c": {"id": "c", "title": "C", "cardIds": []}}}
    await publish(node, event("board.state.changed", {"boardId": BOARD, "state": STATE}))
    await publish(node, event("board.state.changed", {"boardId": OTHER, "state": empty}))
    await publish(node, event("agent.registered", {"agent": "A"}))
    await queue(node, "a1")
    one, other = await node.store.board(BOARD), await node.store.board(OTHER)
    assert one is not None
    assert other is not None
    assert (one.offset, other.offset, one.global_offset, len(one.board.attempts)) == (3, 2, 1, 1)
    assert await node.store.boards_by_id([BOARD, OTHER, BoardId("no")]) == {BOARD: one, OTHER: other}
    assert await node.store.projects_by_id([OTHER, BoardId("no")]) == {OTHER: other.board.project}
    k1 = CardId("k1")
    keys = [(BOARD, k1), (OTHER, k1), (BOARD, CardId("no"))]
    assert await node.store.cards_by_key(keys) == {(BOARD, k1): one.board.state.cards[k1]}
    assert one.board.state.cards[k1].depends_on == ("k2",)


@pytest.mark.parametrize("board_id", ["nul\0b", "\0", "a/b", "*", "'", "😀"])
async def test_board_of_any_id_is_found(node: Node, board_id: str) -> None:
    await create_board(node, board_id)
    await create_board(node, "nul")
    await publish(node, event("attempt.queued", {"boardId": board_id, "attemptId": "a", "cardId": "k", "agent": "A"}))
    one = await node.store.board(BoardId(board_id))
    assert one is not None
    assert (one.board.project.id, one.offset, len(one.board.attempts)) == (board_id, 2, 1)
    several = [BoardId(board_id), BoardId("nul"), BoardId("no")]
    assert (
        set(await node.store.boards_by_id(several))
        == set(await node.store.projects_by_id(several))
        == {board_id, "nul"}
    )
    tag = tag_of(board_id)
    assert await node.store.boards_of_tags([tag, "none"]) == {tag: board_id}


async def test_todos_are_those_of_each_attempt(node: Node) -> None:
    todos = {"total": 0, "completed": 0, "items": []}
    for attempt, total in (("a1", 1), ("a2", 2)):
        payload = {"boardId": BOARD, "attemptId": attempt, "todos": {**todos, "total": total}}
        await publish(node, event("attempt.todos.updated", payload))
    await publish(node, event("attempt.todos.updated", {"boardId": OTHER, "attemptId": "a1", "todos": todos}))
    keys = [A1, (BOARD, AttemptId("a2")), (BOARD, NOBODY), (OTHER, AttemptId("a1"))]
    found = await node.store.todos_of_attempts(keys)
    assert [found[key]["total"] if key in found else None for key in keys] == [1, 2, None, 0]


async def test_many_cost_as_many_statements_as_one(node: Node) -> None:
    async def cost(count: int) -> list[int]:
        """Return the number of statements of each read function for `count` objects."""
        boards, ids = [BOARD, OTHER][:count], [AttemptId(f"a{n}") for n in range(count)]
        keys, attempts = [(board, CardId("k1")) for board in boards], [(BOARD, id) for id in ids]
        asked: list[Callable[[], Any]] = [
            lambda: node.store.boards_by_id(boards),
            lambda: node.store.projects_by_id(boards),
            lambda: node.store.cards_by_key(keys),
            lambda: node.store.attempts_of_cards(keys),
            lambda: node.store.attempts_by_key(attempts),
            lambda: node.store.log_pages(attempts, 0, 10),
            lambda: node.store.conversation_pages(attempts, 0, 10),
            lambda: node.store.todos_of_attempts(attempts),
        ]
        made = []
        for ask in asked:
            with counted() as statements:
                await ask()
            made.append(len(statements))
        return made

    await queue(node, "a0")
    await queue(node, "a1")
    assert await cost(2) == await cost(1) == [1, 1, 3, 1, 1, 1, 1, 1]
