"""The types of our client module compile in the strictest mode, and are those of the module."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from server.transports.files.pages import STATIC
from tests.clients.rest_client import open_board
from tests.kit.live_server import live_server
from tests.tools.toolbox import TOOLS, require_tools, run, run_program

_STRICT = ("--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--noEmitOnError")
_TARGET = ("--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext", "--types", "node")


@pytest.mark.node
async def test_typed_program_compiles_and_runs(tmp_path: Path) -> None:
    require_tools()
    for name in ("boardcast.js", "boardcast.d.ts", "package.json"):
        shutil.copy(STATIC / name, tmp_path)
    shutil.copytree(STATIC / "client", tmp_path / "client")
    shutil.copy(TOOLS / "boardcast_client.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    await run(tmp_path, "tsc", *_STRICT, *_TARGET, "boardcast_client.ts")
    async with live_server() as server, open_board(server.url, "Types") as board:
        await board.create_card("Typed")
        answers = await run_program(tmp_path, ["node", "boardcast_client.js"], server.url, board.board_id)
    assert answers == {"titles": ["Typed"], "code": "no_websocket", "seen": ["connecting", "live"], "hasOverview": True}
