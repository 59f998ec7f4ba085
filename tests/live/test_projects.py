"""Projects over a real server: derived values agree with the values of the same moment."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import exchange
from tests.live.boards import BOARD

_WAIT_UNITS = 20
_ADDRESS = f"/api/v1/projects/{BOARD}"


async def _patch(live: LiveServer, **values: str | None) -> Any:
    answer = await exchange(live.address, "PATCH", _ADDRESS, orjson.dumps(values))
    assert answer.status == 200
    return answer.json()


def _check_slug(project: Any) -> None:
    url, path = project["repositoryUrl"], project["repositoryPath"]
    assert project["repositorySlug"] == (url.removeprefix("https://h/") if url else path.removeprefix("/srv/"))


async def test_changes_at_once_leave_no_slug_of_an_older_path(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        await _patch(boards, repositoryPath="/srv/first")
        for n in range(10):
            changes: list[dict[str, str | None]] = [
                {"repositoryPath": f"/srv/{n}"},
                {"repositoryUrl": None},
                {"repositoryUrl": f"https://h/o/{n}"},
                {"name": f"Name {n}"},
                {"repositoryPath": f"/srv/other-{n}"},
            ]
            for project in await asyncio.gather(*(_patch(boards, **change) for change in changes)):
                _check_slug(project)
            _check_slug((await exchange(boards.address, "GET", _ADDRESS)).json())
