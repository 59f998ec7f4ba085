"""Signing in and out at the page at `/` and at GraphiQL, in Chromium."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from tests.clients.node_script import NodeScript, run_script
from tests.clients.operations import operation_names, read_operation
from tests.clients.rest_client import BoardClient, open_board
from tests.clients.visit import START_UNITS, check_access, check_end_inside, screenshot, settings_for
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.live_server import LiveServer, live_server
from tests.kit.token_relay import relay_with_token

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]

_NEEDED, _ENDED, _LEFT = "This server needs a token.", "Your session has ended.", "You have signed out."
_WRONG = "wrong-token-0123456789"
_NOTHING = {"forms": 0, "movable": 0, "newBoard": 0, "boardActions": 0}


@pytest.fixture
async def live(clients_present: None) -> AsyncGenerator[LiveServer]:
    """A server that needs a token."""
    async with live_server(tokens=SecretStr(ADMIN)) as server:
        yield server


@pytest.fixture
async def board(live: LiveServer) -> AsyncGenerator[BoardClient]:
    """A board with one card."""
    async with relay_with_token(live.address, ADMIN) as (host, port), open_board(f"http://{host}:{port}") as client:
        await client.create_card("There before")
        yield client


@asynccontextmanager
async def _visit(live: LiveServer, board: BoardClient, path: str = "/") -> AsyncGenerator[NodeScript]:
    """Open a page, which asks for a token. Afterwards no address that it requested may have one."""
    async with run_script("signing_in.mjs", settings_for(live.url, board)) as script:
        await script.order("open", path=path)
        await script.wait_for("opened", units=START_UNITS)
        await _asked(script, _NEEDED)
        yield script
        await check_end_inside(script, live.url)
        assert not [url for report in script.reports for url in report.get("requests", ()) if "token" in url.lower()]


async def _asked(script: NodeScript, reason: str, page: int = 0) -> None:
    """Require the form, with the focus in its field, and nothing else of the page."""
    await script.order("expectForm", reason=reason, page=page)
    form = await script.wait_for("form")
    assert form == {"at": "form", "focus": "token", "cards": 0, "boards": 0, "visible": 0}


async def _sign_in(script: NodeScript, token: str, page: int = 0) -> dict[str, object]:
    """Sign in at the page of the board, and return what it shows."""
    await script.order("signIn", token=token, page=page)
    await script.order("expectLive", page=page)
    return await script.wait_for("live")


async def test_page_refuses_a_wrong_token_and_opens_with_the_right_one(live: LiveServer, board: BoardClient) -> None:
    async with _visit(live, board) as script:
        await script.order("screenshot", path=screenshot("sign_in.png"))
        await check_access(script)
        await script.order("signIn", token=_WRONG)
        await script.order("expectRefusal", text="The token is not valid")
        assert (await script.wait_for("refusal"))["left"] == ""
        shown = await _sign_in(script, f" {ADMIN} ")
        assert str(shown["subject"]).startswith("token ")
        assert str(shown["grants"]).startswith("may admin, dashboard, publish, read, write on all boards, until ")
        await script.order("readKept")
        kept = (await script.wait_for("kept"))["text"]
        assert ADMIN not in kept
        assert "boardcast_session" not in kept
        await board.create_card("Made by another")
        await script.order("expectCard", title="Made by another")
        await script.wait_for("card")
        await script.order("open", path="/")  # by the cookie
        await script.order("expectLive")
        await script.wait_for("live")


async def test_reader_sees_nothing_that_would_be_refused(live: LiveServer, board: BoardClient) -> None:
    reader = await Admin(live.address).make("reader", boards=[board.board_id], can=["read"])
    async with _visit(live, board) as script:
        shown = await _sign_in(script, reader.secret)
        await script.order("screenshot", path=screenshot("reader.png"))
        assert (shown["subject"], shown["grants"].__class__) == ("access token reader", str)
        assert str(shown["grants"]).startswith("may read on one board, until ")
        assert _NOTHING.items() <= shown.items()
        assert shown["links"] == 3  # stream, REST, GraphiQL; none of the dashboard


async def test_writer_changes_the_board_and_makes_none(live: LiveServer, board: BoardClient) -> None:
    writer = await Admin(live.address).make("writer", boards=[board.board_id], can=["read", "write"])
    async with _visit(live, board) as script:
        shown = await _sign_in(script, writer.secret)
        assert {**_NOTHING, "forms": 4, "movable": 1}.items() <= shown.items()
        await script.order("create", columnId=board.column_ids[1], title="By the writer")
        await script.order("expectCard", title="By the writer")
        await script.wait_for("card")


async def test_graphiql_has_tabs_only_for_what_its_reader_may_run(
    live: LiveServer, board: BoardClient, caplog: pytest.LogCaptureFixture
) -> None:
    admin = Admin(live.address)
    reader = await admin.make("reader", boards=[board.board_id], can=["read"])
    caplog.set_level(logging.INFO)
    async with _visit(live, board, "/graphql") as script:
        tabs = []
        for secret in (reader.secret, ADMIN, reader.secret):
            await script.order("signIn", token=secret)
            await script.order("expectGraphiql")
            tabs.append((await script.wait_for("graphiql"))["tabs"])
            await script.order("signOut")
            await _asked(script, _NEEDED)
    assert {"Projects", "Board", "BoardEvents", "Node", "Events"} <= set(tabs[0])
    assert [name for name in tabs[0] if "mutation " in read_operation(name)] == []
    assert not {"Agents", "DashboardNow", "DashboardOverview", "DashboardEvents", "AccessTokens"} & set(tabs[0])
    assert sorted(tabs[1]) == sorted(set(operation_names()) - {"Authenticate"})
    assert sorted(tabs[2]) == sorted(tabs[0])
    refused = [one.getMessage() for one in caplog.records if one.name == "access" and "refused" in one.getMessage()]
    assert set(refused) <= {"refused: unauthenticated"}


async def test_signing_out_ends_the_streams_of_all_pages(live: LiveServer, board: BoardClient) -> None:
    async with _visit(live, board) as script:
        await _sign_in(script, ADMIN)
        await script.order("newPage")
        await script.order("open", path="/", page=1)
        await script.order("expectLive", page=1)
        await script.wait_for("live")
        await script.order("signOut")
        await _asked(script, _LEFT)
        await _asked(script, _ENDED, page=1)
        assert live.node.counters.exit("board-ws").ended["token_revoked"] == 2
        assert len(live.node.sessions) == 0
        await _sign_in(script, ADMIN, page=1)


async def test_page_whose_token_is_revoked_asks_again(live: LiveServer, board: BoardClient) -> None:
    admin = Admin(live.address)
    first, second = await admin.make("first"), await admin.make("second")
    async with _visit(live, board) as script:
        assert (await _sign_in(script, first.secret))["subject"] == "access token first"
        assert await admin.revoke(first) == 204
        await _asked(script, _ENDED)
        await script.order("signIn", token=first.secret)
        await script.order("expectRefusal", text="The token is not valid")
        await script.wait_for("refusal")
        assert (await _sign_in(script, second.secret))["subject"] == "access token second"


async def test_graphiql_asks_for_a_token_and_works_by_the_cookie(live: LiveServer, board: BoardClient) -> None:
    admin = Admin(live.address)
    token = await admin.make("developer", can=["read", "write"])
    async with _visit(live, board, "/graphql") as script:
        await script.order("signIn", token=_WRONG)
        await script.order("expectRefusal", text="The token is not valid")
        await script.wait_for("refusal")
        await script.order("signIn", token=token.secret)
        await script.order("expectGraphiql")
        shown = await script.wait_for("graphiql")
        assert (shown["subject"], shown["grants"].split(",")[0]) == ("access token developer", "may read")
        assert {"Projects", "BoardState", "MoveCard", "StopAttempt"} <= set(shown["tabs"])
        assert not {"CreateProject", "DashboardNow", "PublishEvents", "AccessTokens"} & set(shown["tabs"])
        await script.order("run", name="Projects")
        await script.order("expectResult", text="Client Tests")
        await script.wait_for("result")
        await script.order("run", name="BoardState")
        await script.order("expectConnection", state="connected")
        await script.wait_for("connection")
        await script.order("expectResult", text="There before")
        await script.wait_for("result")
        await script.order("readKept")
        assert token.secret not in (await script.wait_for("kept"))["text"]
        assert await admin.revoke(token) == 204
        await _asked(script, _ENDED)
        again = await admin.make("developer", can=["read"])
        await script.order("signIn", token=again.secret)
        await script.order("expectConnection", state="connected")  # the subscription goes on
        await script.wait_for("connection", units=60)
        await script.order("signOut")
        await _asked(script, _NEEDED)
