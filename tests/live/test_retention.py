"""A server that prunes its log while it serves: clients with recent cursors, clients with old ones, and a kill."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest

from realtime.kanban.ids import BoardId
from realtime.messages.channels import board_channel
from realtime.ports import Horizon
from tests.equivalence.mapping import Json
from tests.equivalence.raw_subscribers import RawBoardSocket, RawBoardStream
from tests.equivalence.subscriber import Subscriber
from tests.equivalence.watched import EXITS, order_of
from tests.kit.deadline import deadline
from tests.kit.nodes import create_board, open_node, open_store
from tests.kit.nodes import publish as publish_inside
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, exchange
from tests.live.boards import BOARD, make_boards
from tests.live.command import running

_SUBSCRIBERS: tuple[type[Subscriber], ...] = (RawBoardSocket, RawBoardStream, *EXITS)
_OLDEST = f'{{ events(boardId: "{BOARD}", first: 1) {{ nodes {{ cursor }} }} }}'
_AFTER = f'query ($after: String!) {{ events(boardId: "{BOARD}", after: $after) {{ nodes {{ cursor }} }} }}'
_OF_BOARD = board_channel(BoardId(BOARD))
#: Events of the board that `_fill` makes.
_HEAD = 3001
_UNITS = 40


def _lines(begin: int, end: int) -> list[Json]:
    of = {"attemptId": "a1", "boardId": BOARD, "level": "info"}
    return [event("attempt.log.appended", {**of, "message": f"line {n}"}) for n in range(begin, end)]


async def _asked(address: Address, query: str, **variables: str) -> Any:
    answer = await exchange(address, "POST", "/graphql", orjson.dumps({"query": query, "variables": variables}))
    return answer.json()


async def _begins_behind(address: Address, offset: int) -> None:
    """Return when the log of the board begins after `offset`."""
    while True:
        (oldest,) = (await _asked(address, _OLDEST))["data"]["events"]["nodes"]
        if order_of(oldest["cursor"])[1][0] > offset:
            return


def _kind(received: Json) -> str:
    return str(received.get("type") or received["__typename"]).lower().replace("_", "").removesuffix("appended")


def _line(received: Json) -> tuple[str, str, str]:
    """Return the parts of a log line that are equal on every exit."""
    return (
        _kind(received),
        received["cursor"],
        received["payload"]["message"] if "payload" in received else received["message"],
    )


async def _gets_a_gap(subscriber: Subscriber, old: str) -> None:
    await subscriber.open(old)
    hello, gap, state = await subscriber.take(3)
    assert [_kind(received) for received in (hello, gap, state)] == ["hello", "gap", "state"], subscriber.exit
    said = gap.get("payload", gap)
    assert (said["reason"].lower(), said["from"], said["to"]) == ("history_expired", old, state["cursor"]), (
        subscriber.exit
    )


async def _gets_missed_events(subscriber: Subscriber, newer: str, count: int, received: dict[str, list[Json]]) -> None:
    await subscriber.open(newer)
    hello, *received[subscriber.exit] = await subscriber.take(1 + count)
    assert _kind(hello) == "hello"


async def _write(publisher: Publisher) -> None:
    for begin in range(800, 900, 10):
        await publisher.publish(*_lines(begin, begin + 10))


async def test_cursor_before_the_cut_gets_a_gap_and_a_newer_one_what_it_missed_while_others_write(
    tmp_path: Path,
) -> None:
    flags = ("--retention-events", "400", "--retention-days", "0", "--prune-seconds", "0.05")
    async with running(tmp_path, *flags) as server, AsyncExitStack() as stack, deadline(_UNITS):
        address, publisher = server.address, Publisher(server.address)
        await make_boards(address)
        witness = RawBoardStream(address, BOARD)
        subscribers = [kind(address, BOARD) for kind in (*_SUBSCRIBERS, *_SUBSCRIBERS)]
        for subscriber in (witness, *subscribers):
            stack.push_async_callback(subscriber.aclose)
        await witness.open()
        _, state = await witness.take(2)
        old = state["cursor"]
        await publisher.publish(*_lines(0, 800))
        lately = (await witness.take(800))[-51:]
        newer = lately[0]["cursor"]
        assert _line(lately[-1])[2] == "line 799"
        await _begins_behind(address, order_of(old)[1][0])
        received: dict[str, list[Json]] = {}
        async with anyio.create_task_group() as group:
            # Few enough that the newer cursor stays among the newest 400 events.
            group.start_soon(_write, publisher)
            for subscriber in subscribers[: len(_SUBSCRIBERS)]:
                group.start_soon(_gets_a_gap, subscriber, old)
            for subscriber in subscribers[len(_SUBSCRIBERS) :]:
                group.start_soon(_gets_missed_events, subscriber, newer, 150, received)
        missed = [_line(one) for one in (*lately[1:], *await witness.take(100))]
        assert missed[-1][2] == "line 899"
        for exit, had in received.items():
            assert [_line(one) for one in had] == missed, exit
        assert len(received) == len(_SUBSCRIBERS)
        (refused,) = (await _asked(address, _AFTER, after=old))["errors"]
        assert refused["extensions"]["code"] == "HISTORY_EXPIRED"
        assert len((await _asked(address, _AFTER, after=newer))["data"]["events"]["nodes"]) == 100


async def _fill(url: str) -> None:
    async with open_store(url) as store, open_node(store) as node:
        await create_board(node, BOARD)
        for begin in range(0, 3000, 1000):
            await publish_inside(node, *_lines(begin, begin + 1000))


async def _check_whole(url: str) -> None:
    """Check the log and its cut.

    The log must begin at its cut and have no hole. The board at the cut must lead to the current one.
    """
    async with open_store(url) as store:
        pruned = await store.pruned(_OF_BOARD)
        entries = (await store.event_page(_OF_BOARD, 0, 10_000)).entries
        assert [offset for offset, _ in entries] == list(range(pruned + 1, _HEAD + 1))
        assert pruned > 0
        now = await store.board(BoardId(BOARD))
        assert now is not None
        assert [await store.past_board(BoardId(BOARD), at) for at in (pruned, _HEAD)] == [now.board, now.board]
        assert await store.past_board(BoardId(BOARD), pruned - 1) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill-9"])
async def test_log_is_whole_when_the_server_ends_in_the_middle_of_pruning(
    number: signal.Signals, tmp_path: Path
) -> None:
    flags = ("--retention-events", "1", "--prune-seconds", "0.01")
    url = f"sqlite:///{tmp_path / 'boardcast.db'}"
    async with deadline(_UNITS):
        await _fill(url)
        async with running(tmp_path, *flags) as server:
            await _begins_behind(server.address, 1)
            server.send_signal(number)
            end = await server.wait()
        assert (end.code, "Traceback" in end.err) == (-number if number == signal.SIGKILL else 0, False), end
        await _check_whole(url)
        async with open_store(url) as store, open_node(store) as node:
            while await store.prune(_OF_BOARD, Horizon(newest_events=1), 1000):
                pass
            assert await store.pruned(_OF_BOARD) == _HEAD - 1
            (accepted,) = await publish_inside(node, *_lines(0, 1))
        assert order_of(accepted.cursor)[1][0] == _HEAD + 1
