"""Subscriptions: their results, their end, and that nothing of them remains."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import strawberry

from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable
from realtime.fanout.hub import HubStatistics
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.lifetimes import goodbyes
from realtime.messages.channels import board_channel
from realtime.messages.options import SlowPolicy
from realtime.node import Limits, Node
from tests.kit.contexts import context_on
from tests.kit.nodes import BOARD, column_id, create_board, open_node, publish
from tests.kit.plain_envelopes import plain
from tests.kit.publishing import event
from tests.kit.statements import counted
from tests.unit.schema.caller import Caller

STATE = "subscription ($board: ID!) { boardState(boardId: $board) { cursor cards { title } } }"
EVENTS = """subscription ($board: ID!) { boardEvents(boardId: $board) { kind: __typename
    ... on State { state { cards { title } } } ... on Goodbye { reason reconnectAfterMs } } }"""
DASHBOARD = "subscription { dashboardOverview { metrics { attemptsInRange } projectSnapshots { name } } }"
CHANGES = """subscription ($board: ID!) { boardChanges(boardId: $board) { kind: __typename
    ... on State { state { cards { title } } } ... on CardCreated { card { title } }
    ... on Goodbye { reason reconnectAfterMs } } }"""
EMPTY = HubStatistics(channels=0, subscribers=0)
BOTH = pytest.mark.parametrize("document", [STATE, EVENTS, CHANGES], ids=["boardState", "boardEvents", "boardChanges"])
DASHBOARD_EVENTS = "subscription { dashboardEvents { __typename } }"
DISCONNECTING = """subscription ($board: ID!) { boardEvents(boardId: $board, slow: DISCONNECT) { kind: __typename
    ... on State { cursor } ... on Goodbye { reason } } }"""
DISCONNECTING_DASHBOARD = """subscription { dashboardEvents(slow: DISCONNECT) { kind: __typename
    ... on Overview { cursor } ... on Goodbye { reason } } }"""
_LINE = event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"})
ALL = pytest.mark.parametrize(
    "document",
    [STATE, EVENTS, CHANGES, DASHBOARD, DASHBOARD_EVENTS],
    ids=["boardState", "boardEvents", "boardChanges", "dashboardOverview", "dashboardEvents"],
)
SHUTDOWN = ("The server stops; subscribe again after a while", {"code": "SERVER_SHUTDOWN", "reconnectAfterMs": 1234})


async def make_card(node: Node, board: Board, title: str) -> str:
    """Make a card; return the cursor after it."""
    command = CreateCard(column_id=column_id(board.state, "Backlog"), title=title)
    return (await node.bus.execute(board.id, command)).position.cursor


@pytest.fixture
async def narrow(schema: strawberry.Schema, store: SqlStore) -> AsyncIterator[Caller]:
    """A client of a node whose queues hold two envelopes."""
    async with open_node(store, limits=Limits(queued_envelopes=2)) as node:
        yield Caller(schema, node)


async def test_board_state_gives_snapshot_then_newest_state(caller: Caller, node: Node, board: Board) -> None:
    first = await make_card(node, board, "before")
    async with caller.subscribe(STATE, board=BOARD) as results:
        assert await results.next() == {"cursor": first, "cards": [{"title": "before"}]}
        second = await make_card(node, board, "after")
        assert await results.next() == {"cursor": second, "cards": [{"title": "before"}, {"title": "after"}]}


async def test_board_state_passes_over_what_changes_no_card(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(STATE, board=BOARD) as results:
        await results.next()
        await publish(node, event("git.status.changed", {"projectId": BOARD}))
        await make_card(node, board, "marker")
        assert (await results.next())["cards"] == [{"title": "marker"}]


async def test_events_of_another_board_do_not_arrive(caller: Caller, node: Node, board: Board) -> None:
    other = await create_board(node, "p2", "Beta")
    async with caller.subscribe(EVENTS, board=BOARD) as results:
        assert [one["kind"] for one in await results.take(2)] == ["Hello", "State"]
        await make_card(node, other, "elsewhere")
        await make_card(node, board, "marker")
        assert await results.next() == {"kind": "State", "state": {"cards": [{"title": "marker"}]}}


async def test_two_subscriptions_see_the_same(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(STATE, board=BOARD) as one, caller.subscribe(STATE, board=BOARD) as other:
        assert await one.next() == await other.next()
        await make_card(node, board, "shared")
        assert await one.next() == await other.next()


@ALL
async def test_closed_subscription_leaves_the_hub_empty(caller: Caller, board: Board, document: str) -> None:
    async with caller.subscribe(document, board=BOARD) as results:
        await results.next()
        assert caller.node.hub.statistics() == HubStatistics(channels=1, subscribers=1)
    assert caller.node.hub.statistics() == EMPTY


@ALL
async def test_subscription_that_nobody_reads_registers_nothing(caller: Caller, board: Board, document: str) -> None:
    async with caller.subscribe(document, board=BOARD):
        assert caller.node.hub.statistics() == EMPTY


@BOTH
async def test_unknown_board_ends_with_not_found(caller: Caller, document: str) -> None:
    async with caller.subscribe(document, board="nowhere") as results:
        assert await results.refusal() == ("Board not found", {"code": "BOARD_NOT_FOUND"})
    assert caller.node.hub.statistics() == EMPTY


@pytest.mark.parametrize(
    "field",
    [
        'boardEvents(boardId: "nowhere", after: "soon")',
        'boardEvents(boardId: "nowhere", slow: DISCONNECT)',
        'boardChanges(boardId: "nowhere", after: "soon")',
        'attemptEvents(boardId: "nowhere", attemptId: "a1", after: "soon")',
    ],
)
async def test_unknown_board_is_reported_before_other_mistakes(caller: Caller, field: str) -> None:
    async with caller.subscribe(f"subscription {{ {field} {{ __typename }} }}") as results:
        assert await results.refusal() == ("Board not found", {"code": "BOARD_NOT_FOUND"})
    assert await caller.run('{ events(boardId: "nowhere", after: "soon") { nodes { name } } }') is None


async def test_deleted_board_ends_board_state_with_error(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(STATE, board=BOARD) as results:
        await results.next()
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        assert await results.refusal() == ("The board was deleted", {"code": "BOARD_DELETED"})


async def test_deleted_board_completes_board_events_with_goodbye(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(EVENTS, board=BOARD) as results:
        await results.take(2)
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        assert await results.next() == {"kind": "Goodbye", "reason": "BOARD_DELETED", "reconnectAfterMs": 0}
        await results.end()


@pytest.mark.parametrize("document", [STATE, DASHBOARD], ids=["boardState", "dashboardOverview"])
async def test_draining_server_ends_with_error_and_hint(
    caller: Caller, board: Board, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goodbyes, "RECONNECT_MS", (1234, 1234))
    async with caller.subscribe(document, board=BOARD) as results:
        await results.next()
        await caller.node.lifetimes.drain(0)
        assert await results.refusal() == SHUTDOWN


@pytest.mark.parametrize("document", [STATE, DASHBOARD], ids=["boardState", "dashboardOverview"])
async def test_lifetime_ends_with_error_and_hint(schema: strawberry.Schema, store: SqlStore, document: str) -> None:
    async with open_node(store, limits=Limits(connection_seconds=0.1)) as node:
        await create_board(node)
        async with Caller(schema, node).subscribe(document, board=BOARD) as results:
            await results.next()
            _, extensions = await results.refusal()
    assert extensions["code"] == "CONNECTION_LIFETIME"
    assert extensions["reconnectAfterMs"] > 0


async def test_draining_server_says_goodbye_in_board_events(
    caller: Caller, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goodbyes, "RECONNECT_MS", (1234, 1234))
    async with caller.subscribe(EVENTS, board=BOARD) as results:
        await results.take(2)
        await caller.node.lifetimes.drain(0)
        assert await results.next() == {"kind": "Goodbye", "reason": "SERVER_SHUTDOWN", "reconnectAfterMs": 1234}
        assert await results.refusal() == SHUTDOWN


async def test_slow_subscriber_of_states_gets_the_newest(narrow: Caller) -> None:
    board = await create_board(narrow.node)
    async with narrow.subscribe(STATE, board=BOARD) as results:
        await results.next()
        for n in range(3):
            await make_card(narrow.node, board, str(n))
        await publish(narrow.node, *[_LINE] * 3)
        assert [card["title"] for card in (await results.next())["cards"]] == ["0", "1", "2"]


async def test_slow_subscriber_gets_gap_and_state(narrow: Caller) -> None:
    await create_board(narrow.node)
    async with narrow.subscribe(EVENTS, board=BOARD) as results:
        await results.take(2)
        await publish(narrow.node, *[_LINE] * 3)
        assert [one["kind"] for one in await results.take(2)] == ["Gap", "State"]


@pytest.mark.parametrize(
    ("document", "flood"), [(DISCONNECTING, "attempt.log.appended"), (DISCONNECTING_DASHBOARD, "agent.registered")]
)
async def test_slow_subscriber_that_would_rather_end_learns_its_cursor(
    narrow: Caller, document: str, flood: str
) -> None:
    await create_board(narrow.node)
    async with narrow.subscribe(document, board=BOARD) as results:
        _, first = await results.take(2)
        await publish(narrow.node, *[_LINE if flood == _LINE["name"] else event(flood, {"agent": "A"})] * 3)
        assert (await results.next())["reason"] == "SLOW_CONSUMER"
        message, extensions = await results.refusal()
    assert message == "This reader was too slow; subscribe again"
    assert extensions == {"code": "SLOW_CONSUMER", "cursor": first["cursor"]}


async def test_policy_that_the_server_does_not_have_is_refused(schema: strawberry.Schema, store: SqlStore) -> None:
    async with open_node(store, limits=Limits(slow_policies=(SlowPolicy.SNAPSHOT,))) as node:
        await create_board(node)
        async with Caller(schema, node).subscribe(DISCONNECTING, board=BOARD) as results:
            sentence, extensions = await results.refusal()
    message = "expected snapshot, got 'disconnect'"
    assert sentence == f"slow: {message}"
    fields = [{"field": "slow", "message": message}]
    assert extensions == {"code": "BAD_USER_INPUT", "field": "slow", "fields": fields}


async def test_dashboard_gets_a_new_overview_after_a_change(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(DASHBOARD) as results:
        assert await results.next() == {
            "metrics": {"attemptsInRange": 0},
            "projectSnapshots": [{"name": "Alpha Board"}],
        }
        await publish(node, event("agent.registered", {"agent": "CODEX", "label": None}))  # no overview of its own
        await create_board(node, "p2", "Beta")
        assert [one["name"] for one in (await results.next())["projectSnapshots"]] == ["Beta", "Alpha Board"]


async def test_bad_time_range_ends_the_dashboard_at_once(caller: Caller) -> None:
    document = 'subscription { dashboardOverview(timeRange: {from: "2025-01-02T03:04:05Z"}) { generatedAt } }'
    async with caller.subscribe(document) as results:
        _, extensions = await results.refusal()
    assert (extensions["code"], extensions["field"]) == ("BAD_USER_INPUT", "to")


async def test_store_that_is_away_is_named_and_its_words_are_hidden(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("cannot open /secret/path")

    monkeypatch.setattr(SqlStore, "board", away)
    async with caller.subscribe(STATE, board=BOARD) as results:
        message, extensions = await results.refusal()
    assert extensions == {"code": "STORE_UNAVAILABLE"}
    assert "/secret/path" not in message
    assert [record.message for record in caplog.records] == ["the store did not answer: cannot open /secret/path"]


async def test_unknown_envelope_is_an_error_and_no_silence(
    caller: Caller, node: Node, board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    async with caller.subscribe(EVENTS, board=BOARD) as results:
        await results.take(2)
        node.hub.publish(board_channel(BoardId(BOARD)), [plain("brand_new", {}, "c")])
        assert await results.refusal() == ("Internal error", {"code": "INTERNAL_SERVER_ERROR"})
    assert len(caplog.records) == 1
    assert "brand_new" in caplog.text


AFTER = """subscription ($board: ID!, $after: String) { boardEvents(boardId: $board, after: $after) { kind: __typename
    ... on Hello { cursor } ... on Gap { reason from } } }"""
BAD_CURSOR = {"code": "INVALID_CURSOR"}


@pytest.mark.parametrize("after", ["", "soon"])
async def test_invalid_cursor_ends_board_events_at_once(caller: Caller, board: Board, after: str) -> None:
    async with caller.subscribe(AFTER, board=BOARD, after=after) as results:
        message, extensions = await results.refusal()
    assert (extensions, message.startswith("expected a cursor of this server, got")) == (BAD_CURSOR, True)
    assert caller.node.hub.statistics() == EMPTY


async def test_cursor_of_another_board_gets_a_gap(caller: Caller, node: Node, board: Board) -> None:
    other = await make_card(node, await create_board(node, "p2", "Beta"), "theirs")
    async with caller.subscribe(AFTER, board=BOARD, after=other) as results:
        hello, gap, state = await results.take(3)
    assert (hello["kind"], state["kind"]) == ("Hello", "State")
    assert gap == {"kind": "Gap", "reason": "OTHER_BOARD", "from": other}


async def test_cursor_of_the_transport_is_used_where_no_argument_is(caller: Caller, node: Node, board: Board) -> None:
    # `Last-Event-ID`: an invalid one is answered with a gap (docs/departures.md, row 23).
    async with caller.subscribe(AFTER, board=BOARD, context=context_on(node, after="soon")) as results:
        _, gap = await results.take(2)
        assert gap == {"kind": "Gap", "reason": "INVALID_CURSOR", "from": "soon"}
    now = await make_card(node, board, "x")
    async with caller.subscribe(AFTER, board=BOARD, after=now, context=context_on(node, after="soon")) as results:
        assert await results.next() == {"kind": "Hello", "cursor": now}
        await make_card(node, board, "marker")
        assert (await results.next())["kind"] == "State"


LINKED = "subscription ($board: ID!) { boardState(boardId: $board) { cards { title attempts { nodes { status } } } } }"


async def test_each_event_loads_anew_by_one_query(caller: Caller, node: Node, board: Board) -> None:
    cards = [CreateCard(column_id=column_id(board.state, "Backlog"), title=str(n)) for n in range(5)]
    for card in cards:
        await node.bus.execute(board.id, card)
    attempt = {"boardId": BOARD, "attemptId": "a", "cardId": cards[0].card_id, "agent": "CODEX"}
    await publish(node, event("attempt.queued", attempt))
    async with caller.subscribe(LINKED, board=BOARD) as results:
        assert (await results.next())["cards"][0] == {"title": "0", "attempts": {"nodes": [{"status": "QUEUED"}]}}
        for name, status in (("started", "RUNNING"), ("completed", "SUCCEEDED")):
            await publish(node, event(f"attempt.{name}", {**attempt, "status": status.lower()}))
            with counted() as statements:
                shown = await results.next()
            assert shown["cards"][0]["attempts"] == {"nodes": [{"status": status}]}
            assert [one["attempts"]["nodes"] for one in shown["cards"][1:]] == [[]] * 4
            assert len(statements) == 1, statements


async def test_event_of_an_attempt_leads_to_it(caller: Caller, node: Node, board: Board) -> None:
    document = """subscription ($board: ID!) { boardEvents(boardId: $board) { ... on AttemptStatusChanged {
        attempt { attemptId agentKey } } ... on GitCommitCreated { attempt { attemptId } }
        ... on AttemptLogAppended { attempt { attemptId } } } }"""
    attempt = {"boardId": BOARD, "attemptId": "a", "cardId": "k", "agent": "CODEX"}
    commit = {"projectId": BOARD, "shortSha": "abc", "subject": "s", "ts": "2025-01-01T00:00:00.000Z"}
    await publish(node, event("attempt.queued", attempt))
    async with caller.subscribe(document, board=BOARD) as results:
        assert (await results.take(3))[2] == {"attempt": {"attemptId": "a", "agentKey": "CODEX"}}
        line = {"boardId": BOARD, "attemptId": "unknown", "level": "info", "message": "m"}
        await publish(node, event("git.commit.created", commit), event("attempt.log.appended", line))
        assert await results.take(2) == [{"attempt": None}, {"attempt": None}]
