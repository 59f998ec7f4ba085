"""The report of `boardcast doctor` as a table or as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import orjson

from server.command_line.asking import Remote, remote
from server.command_line.doctor.diagnosis import Plan, Report, examine
from server.command_line.failing import CommandFailed, escaped, say

__all__ = ["doctor"]

#: Key of a summary → title of the column, and its width.
_COLUMNS = {
    "exit": ("exit", 20),
    "openedMs": ("opened ms", 10),
    "medianMs": ("median ms", 10),
    "maxMs": ("max ms", 8),
    "order": ("order", 6),
    "resume": ("resume", 7),
    "hash": ("hash", 5),
}


def doctor(url: str, plan: Plan, *, as_json: bool) -> None:
    """Examine the server at an address and print the report.

    Raises:
        CommandFailed: something is wrong (code 1).
    """
    server: Remote = remote(url)
    report = examine(server, plan)
    say(_as_json(report) if as_json else _as_table(report))
    if not report.is_well:
        wrong = ", ".join(one.exit for one in report.findings if one.faults)
        raise CommandFailed(f"something is wrong: {wrong}")


def _as_json(report: Report) -> str:
    found: dict[str, Any] = {
        "url": report.url,
        "version": report.version,
        "ok": report.is_well,
        "answeredMedianMs": round(statistics.median(report.answered_ms), 2),
        "exits": [one.summary() for one in report.findings],
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()


def _as_table(report: Report) -> str:
    head = "".join(title.ljust(width) for title, width in _COLUMNS.values()).rstrip()
    rows = [_row(one.summary()) for one in report.findings]
    faults = [f"{one.exit}: {escaped(fault)}" for one in report.findings for fault in one.faults]
    median = statistics.median(report.answered_ms)
    about = (
        f"{escaped(report.url)}, version {escaped(report.version)}; a change is answered after {median:.1f} ms (median)"
    )
    explained = "ms: from sending a change until it has arrived; of the dashboard, until the next overview"
    return "\n".join([about, "", head, *rows, "", explained, *faults])


def _row(summary: Mapping[str, Any]) -> str:
    return "".join(_cell(summary[key]).ljust(width) for key, (_, width) in _COLUMNS.items()).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "ok" if value else "no"
    return f"{value:.1f}" if isinstance(value, float) else escaped(str(value))
