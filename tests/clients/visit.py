"""Common parts of the tests in Chromium: settings, screenshots, and the check that no request left the server.

Screenshots go to `artefacts/` in the root of the repository, which git ignores.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tests.clients.node_script import NodeScript
from tests.clients.requirements import chromium_path
from tests.clients.rest_client import BoardClient
from tests.kit.deadline import seconds

__all__ = ["START_UNITS", "check_access", "check_end_inside", "screenshot", "settings_for"]

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
START_UNITS = 60  # a browser starts slowly


def settings_for(server_url: str, board: BoardClient) -> dict[str, object]:
    """The settings of a script that opens pages of the server."""
    return {
        "url": server_url,
        "boardId": board.board_id,
        "chromium": chromium_path(),
        "timeoutMs": seconds(20) * 1000,
    }


async def check_end_inside(script: NodeScript, server_url: str) -> None:
    """End the visit.

    The pages must have had no error, and every request must have gone to the server's host and port.
    """
    await script.finish()
    visited = next(report for report in script.reports if report["at"] == "visited")
    assert visited["faults"] == [], visited["faults"]
    hosts = {urlsplit(url).netloc for url in visited["requests"] if urlsplit(url).scheme not in {"data", "blob"}}
    assert hosts == {urlsplit(server_url).netloc}


async def check_access(script: NodeScript) -> None:
    """Require that axe-core finds nothing in the page of a script, in three sizes, light and dark."""
    before = len(script.reports)
    await script.order("checkAccess")
    await script.wait_for("checked", units=100)
    found = [report for report in script.reports[before:] if report["at"] == "access"]
    assert len(found) == 4
    wrong = {f"{one['size']} {one['colorScheme']}": one["violations"] for one in found if one["violations"]}
    assert not wrong, wrong


def screenshot(name: str) -> str:
    """The path of the screenshot of that name."""
    ARTEFACTS.mkdir(exist_ok=True)
    return str(ARTEFACTS / name)
