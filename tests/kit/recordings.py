"""The answers of the original server, loaded from the compressed recordings next to the replays.

Their origin and content: `tests/live/replay/recordings/README.md`.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import orjson

__all__ = ["Json", "load", "scenarios"]

#: A JSON object of a recording.
Json = dict[str, Any]

_FOLDER = Path(__file__).parent.parent / "live" / "replay" / "recordings"


@cache
def load(name: str) -> Json:
    """Return a recording by its name, for example `ws-transcripts`. The caller must not change it.

    Raises:
        FileNotFoundError: the recording is not in the repository; a replay never passes without it.
    """
    loaded: Json = orjson.loads(gzip.decompress((_FOLDER / f"{name}.json.gz").read_bytes()))
    return loaded


def scenarios(name: str) -> list[Json]:
    """Return the scenarios of `ws-transcripts` or `sse-transcripts` in the order of the recording."""
    found: list[Json] = load(name)["scenarios"]
    return found
