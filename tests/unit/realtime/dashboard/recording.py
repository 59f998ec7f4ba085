"""The recorded overviews of the original: their rows in our form, and the expected overviews where we differ."""

from __future__ import annotations

import gzip
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from realtime.clock import iso, parse_iso
from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, ProjectRow
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import AttemptStatus
from tests.unit.realtime.dashboard.counting import CardOnBoard, ColumnOfBoard, Tables

__all__ = ["AGENTS", "Json", "cases", "expected_overview", "http_errors", "query_of", "recorded_now", "tables_of"]

#: A JSON object of the recording.
Json = dict[str, Any]

#: The registered agents. The recording sorts them by label, and these have another order.
AGENTS = (AgentRow("OPENCODE", "OpenCode Agent"), AgentRow("CODEX", "Codex Agent"), AgentRow("DROID", "Droid Agent"))

_FILE = Path(__file__).parent / "recordings" / "dashboard-overview.json.gz"


@cache
def _recording() -> Json:
    loaded: Json = orjson.loads(gzip.decompress(_FILE.read_bytes()))
    return loaded


def recorded_now() -> datetime:
    """Return the time of the original's clock."""
    return parse_iso(_recording()["meta"]["now"])


def cases() -> list[Json]:
    """Return the cases: `name`, `input`, `overviews` by query string. The caller must not change them."""
    found: list[Json] = _recording()["cases"]
    return found


def http_errors() -> list[tuple[str, str | None]]:
    """Return the recorded GETs of the dashboard with unusual ranges: path, and the error's sentence."""
    found = [
        (entry["request"]["path"], entry["response"])
        for entry in (*_recording()["http_errors_W"], *_recording()["http_errors_S"])
        if entry["request"]["method"] == "GET" and entry["request"]["path"].startswith("/api/v1/dashboard?")
    ]
    return [(path, _detail(response)) for path, response in dict(found).items()]


def _detail(response: Json) -> str | None:
    return str(orjson.loads(response["body"])["detail"]) if response["status"] == 400 else None


def query_of(target: str) -> dict[str, str]:
    """Return the query parameters of a path or of a key of `overviews`, including empty ones."""
    pairs = parse_qs(urlsplit(target).query, keep_blank_values=True)
    return {name: values[0] for name, values in pairs.items()}


def tables_of(case: Json) -> Tables:
    """Return the recorded rows in our form. The order of the attempts is their sequence."""
    rows: Json = case["input"]
    boards = {r["id"]: BoardId(r["board_id"]) for r in rows["attempts"]}
    return Tables(
        projects=[
            ProjectRow(BoardId(r["id"]), r["name"], r["repository_path"], _at(r["created_at"]), r["repository_slug"])
            for r in rows["boards"]
        ],
        columns=[ColumnOfBoard(ColumnId(r["id"]), BoardId(r["board_id"]), r["title"]) for r in rows["columns"]],
        cards=[
            CardOnBoard(
                CardId(r["id"]),
                BoardId(r["board_id"]),
                ColumnId(r["column_id"]),
                r["title"],
                r["ticket_key"],
                r["pr_url"],
            )
            for r in rows["cards"]
        ],
        attempts=[_attempt(r, sequence) for sequence, r in enumerate(rows["attempts"], 1)],
        logs=[
            AttemptLogRow(boards[r["attempt_id"]], AttemptId(r["attempt_id"]), _at(r["ts"]), r["level"], r["message"])
            for r in rows["attempt_logs"]
        ],
        agents=AGENTS,
    )


def _attempt(row: Json, sequence: int) -> AttemptRow:
    return AttemptRow(
        id=AttemptId(row["id"]),
        project_id=BoardId(row["board_id"]),
        card_id=CardId(row["card_id"]),
        agent=row["agent"],
        status=AttemptStatus(row["status"]),
        created_at=_at(row["created_at"]),
        updated_at=_at(row["updated_at"]),
        started_at=None if row["started_at"] is None else _at(row["started_at"]),
        ended_at=None if row["ended_at"] is None else _at(row["ended_at"]),
        sequence=sequence,
    )


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def expected_overview(case: Json, query: str) -> Json:
    """Return the original's overview with correct times and durations (docs/departures.md, row 6)."""
    overview: Json = deepcopy(case["overviews"][query])
    attempts = {row["id"]: row for row in case["input"]["attempts"]}
    for activity in overview["recentAttemptActivity"]:
        row = attempts[activity["attemptId"]]
        activity["occurredAt"] = _repaired(activity["occurredAt"])
        activity["durationSeconds"] = row["ended_at"] - row["started_at"]
    for agent in overview["agentStats"]:
        for key in ("lastActiveAt", "lastActivityAt"):
            if agent.get(key) is not None:
                agent[key] = _repaired(agent[key])
    return overview


def _repaired(time: str) -> str:
    # The original read seconds since 1970 as milliseconds.
    return iso(datetime.fromtimestamp(round(parse_iso(time).timestamp() * 1000), UTC))
