"""OpenTelemetry: one trace from the command over the commit to the fan-out, of a server with `--open-telemetry`."""

from __future__ import annotations

import subprocess
import sys

import orjson
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.runtime import tracing
from tests.kit.deadline import deadline
from tests.kit.live_server import live_server
from tests.kit.raw_http import exchange
from tests.live.boards import BOARD, TODO, make_boards
from tests.rules.trees import REPOSITORY


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Keep what a server exports."""
    kept = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "make_exporter", lambda: kept)
    return kept


async def _create(address: tuple[str, int], column: str) -> int:
    body = orjson.dumps({"columnId": column, "title": "traced"})
    return (await exchange(address, "POST", f"/api/v1/boards/{BOARD}/cards", body)).status


def _id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


async def test_command_commit_and_fan_out_are_one_trace(exporter: InMemorySpanExporter) -> None:
    async with deadline(20), live_server(open_telemetry=True) as live:
        await make_boards(live.address)
        assert await _create(live.address, TODO) == 201
        assert await _create(live.address, "no-column") == 404
    spans = exporter.get_finished_spans()
    commands = [one for one in spans if one.name == "boardcast.command"]
    *_, created, refused = [(_id_of(one), dict(one.attributes or {})) for one in commands]
    assert created[1] == {"boardcast.boards": (BOARD,), "boardcast.parts": 1}
    assert refused[1]["boardcast.refused"] == "column_not_found"
    steps = [one for one in spans if one.parent and one.parent.span_id == created[0]]
    assert [one.name for one in steps] == ["boardcast.commit", "boardcast.fan_out"]
    assert dict(steps[1].attributes or {})["boardcast.events"]
    assert [one.name for one in spans if one.parent and one.parent.span_id == refused[0]] == ["boardcast.commit"]
    assert {one.resource.attributes["service.name"] for one in spans} == {"boardcast"}


def test_server_without_the_flag_does_not_import_the_libraries() -> None:
    code = "import sys, server.wiring, server.app; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=REPOSITORY).returncode == 0
