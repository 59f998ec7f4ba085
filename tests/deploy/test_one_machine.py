"""The commands of docs/operating.md for several servers on one machine, run as written, except for the ports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.deadline import seconds
from tests.kit.postgres_server import PostgresServer, free_port, require_postgres

_ROOT = Path(__file__).parents[2]
_SECTION = "### Several servers on one machine"
_DATABASE = "boardcast"
#: Printed between the answers of two commands, which end without a new line.
_BREAK = 'curl() { command curl "$@"; echo; }\n'


def _commands() -> str:
    page = (_ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    section = page.partition(_SECTION)[2].partition("\n### ")[0]
    return "".join(re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


@pytest.fixture
def environment(postgres: PostgresServer) -> Iterator[dict[str, str]]:
    """The variables by which libpq finds the server; the database is dropped after the test."""
    of_libpq = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "tests"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{require_postgres()}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOARDCAST_")}
    try:
        yield {**kept, **of_libpq, "PATH": path, "PYTHONPATH": str(_ROOT)}
    finally:
        postgres.run(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")


def test_servers_on_one_machine_do_what_the_page_says(environment: dict[str, str], tmp_path: Path) -> None:
    commands = _commands()
    for port in ("8000", "8001"):
        commands = commands.replace(port, str(free_port()))
    words = ("bash", "-eu", "-c", _BREAK + commands)
    done = subprocess.run(
        words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=seconds(90), check=False
    )
    assert done.returncode == 0, done
    assert "Traceback" not in done.stderr
    # The first worker that is ready answers, and the whole may be stopped before the second one is.
    assert done.stdout.count("Listening on http://127.0.0.1:") in (2, 3)
    # The line of a server may follow an answer at once.
    read = json.JSONDecoder().raw_decode
    answers: list[Any] = [read(line)[0] for line in done.stdout.splitlines() if line.startswith(("{", "["))]
    ready = {"ok": True}
    names = [[one["name"] for one in rows] for rows in answers if isinstance(rows, list) and "isLeader" in rows[0]]
    assert [answer for answer in answers if answer == ready] == [ready] * 3
    assert names[0] == ["one", "two"]
    assert names[1] == ["two"]
    assert {name.rpartition("-")[2] for name in names[2]} <= {"1", "2"}
    made, *lists = [answer for answer in answers if answer != ready and "isLeader" not in str(answer)]
    assert made["name"] == "Alpha"
    for found in lists:
        assert [one["id"] for one in found] == [made["id"]]
    assert len(lists) == 3
