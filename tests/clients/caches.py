"""Clients with their caches as they come, and the operations that the tests of caches send."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.clients.graphql_clients import GraphqlClient
from tests.clients.node_script import NodeScript
from tests.clients.requirements import SCRIPTS

__all__ = ["CACHES", "EVENTS", "FOLLOW", "MOVE", "READ", "Cache", "open_cache"]

_ATTEMPT = "{ id attemptId status todos { total completed items { todoKey text status } } }"
_TRIED = f"attempts {{ nodes {_ATTEMPT} }}"
_COLUMNS = f"columns {{ id columnId title cards {{ id cardId title columnId updatedAt {_TRIED} }} }}"
#: A board with everything on it. The names are those that Relay's compiler expects in a module `caches`.
READ = f"query cachesReadQuery($boardId: ID!) {{ board(boardId: $boardId) {{ id boardId {_COLUMNS} }} }}"
FOLLOW = f"subscription cachesFollowSubscription($boardId: ID!) {{ boardState(boardId: $boardId) {{ id {_COLUMNS} }} }}"
MOVE = f"""mutation cachesMoveMutation($boardId: ID!, $input: MoveCardInput!) {{
  moveCard(boardId: $boardId, input: $input) {{
    __typename ... on MoveCardPayload {{ state {{ id {_COLUMNS} }} }} ... on Refusal {{ code }} }} }}"""
EVENTS = f"""subscription cachesEventsSubscription($boardId: ID!) {{ boardEvents(boardId: $boardId) {{
  __typename ... on State {{ state {{ id {_COLUMNS} }} }}
  ... on AttemptStarted {{ attempt {{ id status }} }} ... on AttemptStatusChanged {{ attempt {{ id status }} }}
  ... on AttemptTodosUpdated {{ attempt {_ATTEMPT} }} ... on AgentRegistered {{ label }} }} }}"""

#: Name → a client that has a cache, without any configuration of it.
CACHES = {
    "apollo": GraphqlClient("apollo.mjs"),
    "graphcache": GraphqlClient("urql.mjs", {"cache": True}),
    "relay": GraphqlClient("relay_store.mjs"),
}


class Cache:
    """A running client with a cache."""

    def __init__(self, script: NodeScript) -> None:
        """Send orders to `script`."""
        self._script = script

    async def query(self, board_id: str) -> Any:
        """Query a board; return it as the client shows it."""
        return (await self._once("query", READ, boardId=board_id))["board"]

    async def read(self, board_id: str) -> Any:
        """Return a board as the cache alone has it."""
        return (await self._once("read", READ, boardId=board_id))["board"]

    async def move(self, board_id: str, **given: object) -> None:
        """Move a card by mutation."""
        answer = (await self._once("mutate", MOVE, boardId=board_id, input=given))["moveCard"]
        assert answer["__typename"] == "MoveCardPayload", answer

    async def subscribe(self, document: str, board_id: str) -> None:
        """Subscribe to a board, under its id as the name."""
        await self._script.order("subscribe", name=board_id, query=document, variables={"boardId": board_id})

    async def event(self, board_id: str) -> Any:
        """Return the next event of the subscription."""
        (event,) = (await self._script.wait_for("next", name=board_id))["result"]["data"].values()
        return event

    async def leave(self, board_id: str) -> None:
        """End the subscription."""
        await self._script.order("unsubscribe", name=board_id)
        await self._script.wait_for("unsubscribed", name=board_id)

    async def _once(self, do: str, document: str, **variables: object) -> Mapping[str, Any]:
        await self._script.order(do, name=do, query=document, variables=variables)
        data: Mapping[str, Any] = (await self._script.wait_for("result", name=do))["result"]["data"]
        return data


@asynccontextmanager
async def open_cache(client: GraphqlClient, server_url: str, folder: Path) -> AsyncGenerator[Cache]:
    """Start a client of `CACHES`; `folder` is for artefacts."""
    settings = {"artefacts": str(compiled(folder))} if client.script == "relay_store.mjs" else {}
    started = GraphqlClient(client.script, {**client.settings, **settings})
    async with started.start(server_url) as script:
        yield Cache(script)


def compiled(folder: Path) -> Path:
    """Run Relay's compiler on the operations of this module; return the folder of its artefacts."""
    artefacts, sources = folder / "artefacts", folder / "sources"
    artefacts.mkdir()
    sources.mkdir()
    documents = "\n".join(f"graphql`{one}`;" for one in (READ, FOLLOW, MOVE, EVENTS))
    (sources / "caches.js").write_text(documents, encoding="utf-8")
    schema = Path(__file__).parents[2] / "graphql" / "schema.graphql"
    (folder / "schema.graphql").write_bytes(schema.read_bytes())
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    config = {"src": "./sources", "schema": "./schema.graphql", "language": "javascript", "eagerEsModules": True}
    (folder / "relay.json").write_bytes(orjson.dumps({**config, "artifactDirectory": "./artefacts"}))
    compiler = SCRIPTS / "node_modules" / ".bin" / "relay-compiler"
    ran = subprocess.run([compiler, "relay.json"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return artefacts
