"""Links between objects: the current stored values, by one query for all objects."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry

from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable
from realtime.global_ids import Kind, global_id
from realtime.kanban.board import Board
from realtime.node import Node
from schema.export import sdl
from schema.operation_limits import OperationLimits
from tests.kit.contexts import context_on
from tests.kit.nodes import BOARD, create_board, publish
from tests.kit.publishing import event
from tests.kit.statements import counted
from tests.unit.realtime.event_samples import AT, TODOS
from tests.unit.schema.caller import Caller
from tests.unit.schema.selection import selection

Json = dict[str, Any]
CARDS = "query ($id: ID!) { board(boardId: $id) { cards { id attempts { nodes { id status } } } } }"


@pytest.fixture
def caller(schema: strawberry.Schema, node: Node) -> Caller:
    """A client with a higher cost limit, because these tests are about the number of queries."""
    return Caller(schema, node, OperationLimits(max_cost=10_000_000))


def state_of(count: int) -> Json:
    """A state of this many cards."""
    ids = [f"k{n}" for n in range(count)]
    return {
        "columns": {"c": {"id": "c", "title": "C", "cardIds": ids}},
        "columnOrder": ["c"],
        "cards": {id: {"id": id, "title": id} for id in ids},
    }


async def seed(node: Node, count: int, board: str = BOARD) -> None:
    """Make a state of this many cards, and an attempt with a line, an item and a list for each."""
    await publish(node, event("board.state.changed", {"boardId": board, "state": state_of(count)}))
    for n in range(count):
        of = {"boardId": board, "attemptId": f"{board}-a{n}"}
        await publish(
            node,
            event("attempt.queued", {**of, "cardId": f"k{n}", "agent": "CODEX"}, AT),
            event("attempt.log.appended", {**of, "level": "info", "message": f"line {n}"}, AT),
            event(
                "attempt.conversation.appended", {**of, "item": {"type": "error", "timestamp": AT, "text": f"item {n}"}}
            ),
            event("attempt.todos.updated", {**of, "todos": TODOS}),
        )


async def test_cards_of_one_id_have_the_attempts_of_their_boards(caller: Caller, node: Node, board: Board) -> None:
    await create_board(node, "p2", "Beta")
    await seed(node, 2)
    await seed(node, 1, "p2")
    again = {"boardId": BOARD, "attemptId": "again", "cardId": "k1", "agent": "CODEX"}
    await publish(node, event("attempt.started", again))
    document = "{ projects { nodes { board { cards { attempts { nodes { attemptId status boardId cardId } } } } } } }"
    one, other = (await caller.run(document))["nodes"]

    def shown(id: str, status: str, board: str, card: str) -> Json:
        return {"attemptId": id, "status": status, "boardId": board, "cardId": card}

    first, second = one["board"]["cards"]
    assert first == {"attempts": {"nodes": [shown("p1-a0", "QUEUED", BOARD, "k0")]}}
    newest, oldest = shown("again", "RUNNING", BOARD, "k1"), shown("p1-a1", "QUEUED", BOARD, "k1")
    assert second["attempts"]["nodes"] == [newest, oldest]
    assert other["board"]["cards"] == [{"attempts": {"nodes": [shown("p2-a0", "QUEUED", "p2", "k0")]}}]


async def test_attempts_of_a_card_come_in_pages(caller: Caller, node: Node, board: Board) -> None:
    await seed(node, 1)
    of_card = {"boardId": BOARD, "cardId": "k0", "agent": "CODEX"}
    await publish(node, *(event("attempt.started", {**of_card, "attemptId": f"b{n:02}"}) for n in range(24)))
    document = """query ($id: ID!, $first: Int, $after: String) { board(boardId: $id) { cards {
        attempts(first: $first, after: $after) { nodes { attemptId } pageInfo { hasNextPage endCursor } } } } }"""
    pages, after, more = list[list[str]](), None, None
    for first in (2, None, 20):
        (card,) = (await caller.run(document, id=BOARD, first=first, after=after))["cards"]
        pages.append([one["attemptId"] for one in card["attempts"]["nodes"]])
        after, more = card["attempts"]["pageInfo"]["endCursor"], card["attempts"]["pageInfo"]["hasNextPage"]
    assert [len(page) for page in pages] == [2, 20, 3]
    assert more is False
    whole = [id for page in pages for id in page]
    assert (len({*whole}), whole[-1]) == (25, "p1-a0")


async def test_board_project_attempt_and_card_lead_to_each_other(caller: Caller, node: Node, board: Board) -> None:
    await seed(node, 1)
    document = """query ($id: ID!) { board(boardId: $id) { cursor project { name board { cursor cards {
        attempts { nodes { card { cardId title attempts { nodes { attemptId } } } } } } } } } }"""
    shown = await caller.run(document, id=BOARD)
    linked = shown["project"]["board"]
    assert (shown["project"]["name"], linked["cursor"]) == ("Alpha Board", shown["cursor"])
    inner = {"cardId": "k0", "title": "k0", "attempts": {"nodes": [{"attemptId": "p1-a0"}]}}
    assert linked["cards"] == [{"attempts": {"nodes": [{"card": inner}]}}]


@pytest.mark.parametrize(
    ("fields", "statements"),
    [
        ("id", 1),
        ("attempts { nodes { id } }", 2),
        ("attempts { nodes { todos { total } } }", 3),
        ("attempts { nodes { logs { nodes { message } } conversation { nodes { __typename } } todos { total } } }", 5),
        ("attempts { nodes { logs(first: 1) { nodes { logId } } more: logs(first: 2) { nodes { logId } } } }", 4),
        ("attempts { nodes { card { title attempts { nodes { id } } } } }", 5),
    ],
    ids=["nothing", "attempts", "todos", "all", "pages of two lengths", "recursive"],
)
async def test_links_of_many_cost_one_query_for_each_kind(
    caller: Caller, node: Node, board: Board, fields: str, statements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the slices of one operation end early, and each slice loads what it has found so far.
    monkeypatch.setattr("realtime.fanout.turns.TURN_SECONDS", 60.0)
    document = f"query ($id: ID!) {{ board(boardId: $id) {{ cards {{ {fields} }} }} }}"
    for count in (1, 20):
        await seed(node, count)
        with counted() as seen:
            shown = await caller.run(document, id=BOARD)
        assert len(shown["cards"]) == count
        assert len(seen) == statements, seen


async def test_attempt_is_shown_with_everything_under_it(caller: Caller, node: Node, board: Board) -> None:
    await seed(node, 1)
    started = {"boardId": BOARD, "attemptId": "p1-a0", "cardId": "k0", "agent": "CODEX", "worktreePath": "/w"}
    session = {"boardId": BOARD, "attemptId": "p1-a0", "sessionId": "s"}
    await publish(node, event("attempt.started", started, AT), event("attempt.session.recorded", session))
    shown = await caller.run(f'{{ attempt(attemptId: "p1-a0") {selection(sdl(), "Attempt")} }}')
    logs, conversation, todos = (shown.pop(name) for name in ("logs", "conversation", "todos"))
    assert shown == {
        "id": global_id(Kind.ATTEMPT, BOARD, "p1-a0"),
        "attemptId": "p1-a0",
        "boardId": BOARD,
        "cardId": "k0",
        "agentKey": "CODEX",
        "status": "RUNNING",
        **dict.fromkeys(("baseBranch", "branchName", "endedAt")),
        "worktreePath": "/w",
        "sessionId": "s",
        "createdAt": AT,
        "updatedAt": AT,
        "startedAt": AT,
    }
    (line,) = logs["nodes"]
    assert {**line, "logId": ""} == {"logId": "", "ts": AT, "level": "INFO", "message": "line 0"}
    assert logs["edges"] == [{"cursor": logs["pageInfo"]["endCursor"], "node": line}]
    assert logs["pageInfo"]["hasNextPage"] is False
    (item,) = conversation["nodes"]
    assert (item["__typename"], item["text"], item["details"]) == ("ErrorItem", "item 0", None)
    assert conversation["edges"] == [{"cursor": conversation["pageInfo"]["endCursor"], "node": item}]
    assert [one["status"] for one in todos["items"]] == ["OPEN", "DONE"]


async def test_attempt_with_nothing_under_it_is_shown_empty(caller: Caller, node: Node, board: Board) -> None:
    queued = {"boardId": BOARD, "attemptId": "a", "cardId": "gone", "agent": "CODEX"}
    await publish(node, event("attempt.queued", queued))
    document = """{ attempt(attemptId: "a") { card { id } todos { total }
        logs { nodes { logId } pageInfo { endCursor } }
        conversation { edges { cursor } pageInfo { hasNextPage } } } }"""
    assert await caller.run(document) == {
        "card": None,
        "todos": None,
        "logs": {"nodes": [], "pageInfo": {"endCursor": None}},
        "conversation": {"edges": [], "pageInfo": {"hasNextPage": False}},
    }


@pytest.mark.parametrize(("list_", "text"), [("logs", "message"), ("conversation", "... on ErrorItem { text }")])
async def test_pages_lead_through_the_whole_list(
    caller: Caller, node: Node, board: Board, list_: str, text: str
) -> None:
    await seed(node, 1)
    for n in range(1, 5):
        of = {"boardId": BOARD, "attemptId": "p1-a0"}
        item = {"type": "error", "timestamp": AT, "text": f"item {n}"}
        await publish(
            node,
            event("attempt.log.appended", {**of, "level": "info", "message": f"line {n}"}),
            event("attempt.conversation.appended", {**of, "item": item}),
        )
    document = f"""query ($after: String) {{ attempt(attemptId: "p1-a0") {{ page: {list_}(first: 2, after: $after) {{
        nodes {{ {text} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
    after, more, found = None, True, []
    while more:
        page = (await caller.run(document, after=after))["page"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        found += [next(iter(one.values())).split()[-1] for one in page["nodes"]]
    assert found == ["0", "1", "2", "3", "4"]
    beyond = (await caller.run(document, after=after))["page"]
    assert beyond == {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": after}}


@pytest.mark.parametrize("list_", ["logs", "conversation"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("first: 0", "BAD_USER_INPUT"),
        ("first: 1001", "BAD_USER_INPUT"),
        ('after: "soon"', "INVALID_CURSOR"),
        ('after: ""', "INVALID_CURSOR"),
        ('after: "-1"', "INVALID_CURSOR"),
    ],
)
async def test_page_that_cannot_be_is_refused(
    caller: Caller, node: Node, board: Board, list_: str, arguments: str, code: str
) -> None:
    await seed(node, 1)
    message, extensions = await caller.refused(
        f'{{ attempt(attemptId: "p1-a0") {{ {list_}({arguments}) {{ pageInfo {{ hasNextPage }} }} }} }}'
    )
    assert extensions["code"] == code
    assert "expected a" in message


async def test_mutation_sees_in_each_field_what_the_field_before_it_did(
    caller: Caller, node: Node, board: Board
) -> None:
    await seed(node, 1)
    await publish(node, event("board.state.changed", {"boardId": BOARD, "state": state_of(1)}))
    input = '{cardId: "k0", title: "%s"}'
    payload = "... on UpdateCardPayload { card { attempts { nodes { card { title } } } } }"
    document = " ".join(
        f'{title}: updateCard(boardId: "{BOARD}", input: {input % title}) {{ {payload} }}' for title in ("one", "two")
    )
    result = await caller.schema.execute(f"mutation {{ {document} }}", None, context_on(node))
    assert result.errors is None
    assert result.data is not None
    titles = {name: shown["card"]["attempts"]["nodes"][0]["card"]["title"] for name, shown in result.data.items()}
    assert titles == {"one": "one", "two": "two"}


async def test_store_lost_behind_a_link_is_logged_once(
    caller: Caller, node: Node, board: Board, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("no")

    await seed(node, 5)
    monkeypatch.setattr(SqlStore, "attempts_of_cards", away)
    _, extensions = await caller.refused(CARDS, id=BOARD)
    assert extensions == {"code": "STORE_UNAVAILABLE"}
    assert [record.message for record in caplog.records] == ["the store did not answer: no"]


async def test_lists_that_are_completed_by_turns_cost_as_many_queries(
    caller: Caller, node: Node, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.fanout.turns.TURN_SECONDS", 0.0)  # a pass for each entry
    card = "card { title attempts { nodes { id } } }"
    document = f"query ($id: ID!) {{ board(boardId: $id) {{ cards {{ attempts {{ nodes {{ {card} }} }} }} }} }}"
    await seed(node, 20)
    with counted() as seen:
        shown = await caller.run(document, id=BOARD)
    assert len(shown["cards"]) == 20
    assert len(seen) == 5, seen
