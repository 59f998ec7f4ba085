"""Chromium makes the pictures of docs/pages.md from a running demo, and the README's.

`make pictures` puts them into `.images/`; otherwise they go to `artefacts/`.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import pytest

from tests.clients.node_script import run_script
from tests.clients.requirements import chromium_path
from tests.clients.visit import ARTEFACTS, START_UNITS
from tests.kit.deadline import seconds
from tests.live.command import running

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

_ROOT = Path(__file__).parents[2]
#: The folder for the pictures, relative to the root of the repository.
_FOLDER = "BOARDCAST_PICTURES"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: A page without content is a few kilobytes.
_LEAST_BYTES = 30_000


def _size_of(picture: bytes) -> tuple[int, int]:
    """Return width and height of a PNG file (its first chunk, IHDR, begins with them)."""
    assert picture[:8] == _SIGNATURE
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def _shown() -> set[str]:
    """Return the names of the pictures that the documentation shows."""
    texts = [(_ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/pages.md")]
    return {name for text in texts for name in re.findall(r"!\[[^]]+]\((?:\.\./)?\.images/([a-z]+)\.png\)", text)}


async def test_demo_gives_each_picture_of_the_documentation(tmp_path: Path) -> None:
    folder = _ROOT / os.environ[_FOLDER] if _FOLDER in os.environ else ARTEFACTS
    folder.mkdir(exist_ok=True)
    async with running(tmp_path, "--demo", "--demo-pace=4", "--database-url=sqlite://") as server:
        settings = {
            "url": "http://{}:{}".format(*server.address),
            "chromium": chromium_path(),
            "timeoutMs": seconds(60) * 1000,
            "folder": str(folder),
        }
        async with run_script("pictures.mjs", settings) as script:
            await script.wait_for("saved", units=START_UNITS, name="graphiql")
            await script.wait_for("saved", units=START_UNITS, name="boardcast")
            await script.finish()
    saved = {report["name"] for report in script.reports if report["at"] == "saved"}
    assert saved == _shown()
    for name in saved:
        picture = (folder / f"{name}.png").read_bytes()
        assert _size_of(picture) == (1460, 1120 if name == "boardcast" else 820)
        assert len(picture) > _LEAST_BYTES


def test_each_picture_of_the_documentation_is_there() -> None:
    assert {path.stem for path in (_ROOT / ".images").glob("*.png")} == _shown()
