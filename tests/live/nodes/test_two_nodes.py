"""Several servers on one database: one order for all readers, nothing lost, doubled or written over."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import orjson

from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, exchange
from tests.kit.reserved_stream import ReservedStream, open_reserved_stream
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD, TODO
from tests.live.nodes.conftest import Nodes
from tests.live.nodes.readers import EXITS, line, reading, write_lines
from tests.live.raw_board import open_board

LINES = 15


async def _card(address: Address, title: str, key: str | None = None) -> Any:
    headers = [("Idempotency-Key", key)] if key else []
    body = orjson.dumps({"columnId": TODO, "title": title})
    answer = await exchange(address, "POST", f"/api/v1/boards/{BOARD}/cards", body, headers)
    assert answer.status == 201, answer
    return orjson.loads(answer.body)


async def _cards(address: Address) -> dict[str, Any]:
    answer = await exchange(address, "GET", f"/api/v1/boards/{BOARD}")
    cards: dict[str, Any] = orjson.loads(answer.body)["state"]["cards"]
    return cards


async def test_readers_of_both_nodes_have_each_event_of_both_once_and_in_one_order(nodes: Nodes) -> None:
    async with nodes() as (one, other), deadline(60), reading(one.address, other.address) as readers:
        written = await asyncio.gather(
            *(write_lines(node.address, f"{node.pid} {n}", LINES) for node in (one, other) for n in range(2)),
            *(_agents(node.address, str(node.pid)) for node in (one, other)),
        )
        lines = [message for some in written for message in some or ()]
        for reader in readers:
            await reader.has(lines)
        assert [reader.gaps for reader in readers] == [[]] * len(readers)
        assert len({tuple(reader.lines) for reader in readers}) == 1
        order = [message for _, message in readers[0].lines]
        assert len(order) == len(lines)
        for some in written:
            assert [message for message in order if message in set(some or ())] == (some or [])


async def _agents(address: Address, name: str) -> None:
    for n in range(LINES // 3):
        await Publisher(address).publish(event("agent.registered", {"agent": f"{name}-{n}"}))


async def test_ticket_keys_of_both_nodes_have_no_gap_and_none_comes_twice(nodes: Nodes) -> None:
    async with nodes() as (one, other), deadline(60):
        await asyncio.gather(*(_card(node.address, f"new {n}") for n in range(10) for node in (one, other)))
        cards = [card for card in (await _cards(one.address)).values() if card["title"].startswith("new")]
        keys = sorted(int(card["ticketKey"].partition("-")[2]) for card in cards)
        assert keys == list(range(keys[0], keys[0] + 20))


async def test_eight_nodes_write_to_one_board_without_a_gap(nodes: Nodes) -> None:
    async with nodes(count=8) as made, deadline(120), reading(made[0].address) as readers:
        written = await asyncio.gather(
            *(write_lines(node.address, str(node.pid), 4) for node in made for _ in range(2))
        )
        await asyncio.gather(*(_card(node.address, f"new {n}") for n in range(4) for node in made))
        lines = {message for some in written for message in some}
        for reader in readers:
            await reader.has(lines)
            assert len(reader.lines) == 2 * len(lines)
        assert len({tuple(reader.lines) for reader in readers}) == 1
        offsets = [offset for offset, _ in readers[0].lines]
        assert offsets == sorted(set(offsets))
        cards = [card for card in (await _cards(made[-1].address)).values() if card["title"].startswith("new")]
        keys = sorted(int(card["ticketKey"].partition("-")[2]) for card in cards)
        assert keys == list(range(keys[0], keys[0] + 32))


async def test_key_of_one_node_is_known_on_the_other(nodes: Nodes) -> None:
    async with nodes() as (one, other), deadline(60):
        answers = await asyncio.gather(
            *(_card(node.address, "once", "key-1") for _ in range(3) for node in (one, other))
        )
        assert answers == answers[:1] * 6
        assert [card["title"] for card in (await _cards(other.address)).values()].count("once") == 1


async def test_token_of_a_reserved_stream_names_its_node_and_the_other_one_refuses_it(nodes: Nodes) -> None:
    async with nodes() as (one, other), deadline(60), open_reserved_stream(one.address) as reserved:
        assert reserved.token.partition(".")[0].endswith(f"-{one.address[1]}")
        elsewhere = ReservedStream(other.address, reserved.token)
        for answer in (
            await elsewhere.begin("1", "{ __typename }"),
            await elsewhere.stop("1"),
            await elsewhere.ask("GET", Accept="text/event-stream"),
        ):
            assert answer.status == 421
            assert b"a proxy must route by the token" in answer.body
        assert (await reserved.begin("1", "{ __typename }")).status == 202


async def _listed(address: Address) -> list[dict[str, Any]]:
    answer = await exchange(address, "GET", "/api/v1/nodes")
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = orjson.loads(answer.body)
    return found


async def test_each_node_lists_all_and_one_of_them_leads(nodes: Nodes) -> None:
    async with nodes() as made, deadline(60), reading(made[0].address):
        while True:
            both = [await _listed(node.address) for node in made]
            if all(len(rows) == 2 and sum(row["isLeader"] for row in rows) == 1 for rows in both):
                break
        addresses = {f"http://127.0.0.1:{node.address[1]}" for node in made}
        for rows in both:
            assert {row["address"] for row in rows} == addresses
            assert [row["isSilent"] for row in rows] == [False, False]
        own = next(row for row in both[0] if row["address"].endswith(f":{made[0].address[1]}"))
        assert own["readers"] == len(EXITS)
        assert own["eventsStored"] == 4
        # A node that stops takes its row with it.
        made[1].send_signal(signal.SIGTERM)
        assert (await made[1].wait()).code == 0
        (left,) = await _listed(made[0].address)
        assert left["name"] == own["name"]


async def test_change_of_one_node_is_read_on_the_other_at_once(nodes: Nodes) -> None:
    # Without hints, so that the readers on the other node do not bring it up to date first.
    async with nodes("--broker-url", "memory://") as (one, other), deadline(60), reading(other.address):
        for n in range(5):
            await _card(one.address, f"title {n}")
            assert f"title {n}" in {card["title"] for card in (await _cards(other.address)).values()}


async def test_reader_that_comes_before_the_hint_resumes_without_a_gap(nodes: Nodes) -> None:
    # Without hints, the other node knows nothing of the event until it compares its heads with the log.
    async with nodes("--broker-url", "memory://") as (one, other), deadline(60), reading(other.address):
        for n in range(3):
            (cursor,) = await Publisher(one.address).publish(line(f"line {n}"))
            async with open_board(other.address, "board-sse", after=cursor) as stream:
                assert (await stream.envelope()).payload["cursor"] == cursor
                await Publisher(other.address).publish(line(f"next {n}"))
                assert (await stream.envelope()).payload["message"] == f"next {n}"
            await _agents(one.address, f"{n}")
            hello = await _hello_of_dashboard(one.address)
            assert await _hello_of_dashboard(other.address, ("Last-Event-ID", hello)) == hello


async def _hello_of_dashboard(address: Address, *headers: tuple[str, str]) -> str:
    """Return the cursor of `hello`, which an overview must follow."""
    async with open_stream(address, "/api/v1/sse", headers) as dashboard:
        hello: Any = (await dashboard.event())[1]
        assert (await dashboard.event())[0] == "dashboard_overview"
        return str(hello["cursor"])


async def test_token_of_one_node_is_valid_on_the_other_at_once_and_its_streams_end_everywhere(nodes: Nodes) -> None:
    async with nodes("--tokens", ADMIN) as (one, other), deadline(60):
        token = await Admin(one.address).make("Ada")
        asked = Admin(other.address, token.secret)
        assert (await asked.ask("GET", target=f"/api/v1/boards/{BOARD}")).status == 200
        async with open_board(other.address, "board-sse", access_token=token.secret) as stream:
            assert await Admin(one.address).revoke(token) == 204
            while (await stream.envelope()).type != "goodbye":
                pass
        assert (await asked.ask("GET", target=f"/api/v1/boards/{BOARD}")).status == 401
        assert await Admin(other.address).listed() == []


async def test_token_that_another_node_has_made_is_revoked_there(nodes: Nodes) -> None:
    async with nodes("--tokens", ADMIN, "--broker-url", "memory://") as (one, other), deadline(60):
        token = await Admin(one.address).make("Ada")
        async with open_board(one.address, "board-sse", access_token=token.secret) as stream:
            assert await Admin(other.address).revoke(token) == 204
            while (await stream.envelope()).type != "goodbye":
                pass
