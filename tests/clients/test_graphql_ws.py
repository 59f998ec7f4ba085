"""npm `graphql-ws`, the client of Apollo, urql and Relay users, subscribes to a board."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.clients.node_script import NodeScript, run_script
from tests.clients.operations import read_operation
from tests.clients.rest_client import BoardClient

pytestmark = pytest.mark.node


def start(server_url: str) -> AbstractAsyncContextManager[NodeScript]:
    return run_script(
        "graphql_ws.mjs", {"socketUrl": server_url.replace("http", "ws", 1) + "/graphql", "retryAttempts": 0}
    )


async def subscribe(script: NodeScript, board: BoardClient, name: str) -> None:
    await script.order("subscribe", name=name, query=read_operation(name), variables={"boardId": board.board_id})


def titles(report: dict[str, Any]) -> list[str]:
    state = report["result"]["data"]["boardState"]
    return [card["title"] for column in state["columns"] for card in column["cards"]]


def event_types(script: NodeScript) -> Iterator[str]:
    for report in script.reports:
        if report["at"] == "next" and report["name"] == "BoardEvents":
            yield report["result"]["data"]["boardEvents"]["__typename"]


async def test_state_follows_change_made_by_rest(server_url: str, board: BoardClient) -> None:
    await board.create_card("There before")
    async with start(server_url) as script:
        await subscribe(script, board, "BoardState")
        assert (await script.wait_for("connected"))["protocol"] == "graphql-transport-ws"
        assert titles(await script.wait_for("next", name="BoardState")) == ["There before"]
        await board.create_card("Made by REST")
        assert titles(await script.wait_for("next", name="BoardState")) == ["There before", "Made by REST"]
        await script.finish()
    assert not [report for report in script.reports if report["at"] == "refused"]


async def test_events_carry_change_made_by_rest(server_url: str, board: BoardClient) -> None:
    async with start(server_url) as script:
        await subscribe(script, board, "BoardEvents")
        await script.wait_for("next", name="BoardEvents")
        await script.wait_for("next", name="BoardEvents")
        before = list(event_types(script))
        await board.create_card("Made by REST")
        await script.wait_for("next", name="BoardEvents")
        await script.finish()
    assert len(before) == 2
    assert list(event_types(script)) == [*before, before[1]]  # hello, state, and the state after the change


async def test_unsubscribed_operation_gets_no_frame(server_url: str, board: BoardClient) -> None:
    async with start(server_url) as script:
        await subscribe(script, board, "BoardState")
        await script.wait_for("next", name="BoardState")
        await subscribe(script, board, "BoardEvents")
        await script.wait_for("next", name="BoardEvents")
        await script.wait_for("next", name="BoardEvents")
        await script.order("unsubscribe", name="BoardState")
        await script.wait_for("complete", name="BoardState")
        # `complete` was sent earlier on this socket, so the server has read it before it answers.
        await subscribe(script, board, "Projects")
        await script.wait_for("complete", name="Projects")
        reports_before = len(script.reports)
        await board.create_card("Marker")
        await script.wait_for("next", name="BoardEvents")
        await script.order("unsubscribe", name="BoardEvents")
        await script.finish()
    assert "BoardState" not in [report.get("id") for report in script.reports[reports_before:]]


async def test_unknown_board_ends_only_its_operation(server_url: str, board: BoardClient) -> None:
    async with start(server_url) as script:
        await subscribe(script, board, "BoardState")
        await script.wait_for("next", name="BoardState")
        unknown = {"boardId": "no-such-board"}
        await script.order("subscribe", name="unknown", query=read_operation("BoardState"), variables=unknown)
        refusal = await script.wait_for("refused", name="unknown")
        assert [error["extensions"]["code"] for error in refusal["errors"]] == ["BOARD_NOT_FOUND"]
        await board.create_card("Still live")
        assert titles(await script.wait_for("next", name="BoardState")) == ["Still live"]
        await script.finish()


async def test_unknown_operation_name_ends_only_its_operation(server_url: str, board: BoardClient) -> None:
    async with start(server_url) as script:
        await subscribe(script, board, "BoardState")
        await script.wait_for("next", name="BoardState")
        # GraphiQL sends this when "run" is pressed just after a change of tabs: the name of the previous tab.
        document = {"query": read_operation("Projects"), "operationName": "Board", "variables": {}}
        await script.order("subscribe", name="stale", **document)
        refusal = await script.wait_for("refused", name="stale")
        assert [error["extensions"]["code"] for error in refusal["errors"]] == ["OPERATION_NOT_AVAILABLE"]
        await board.create_card("Still live")
        assert titles(await script.wait_for("next", name="BoardState")) == ["Still live"]
        await script.finish()
    assert "closed" not in [report["at"] for report in script.reports[: script.reports.index(refusal) + 2]]
