"""The examination: a scratch board, changes of it, and what each exit makes of them."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import orjson

from server.command_line.asking import Remote, part
from server.command_line.doctor.exits import BOARD_EXITS, DASHBOARD_EXITS
from server.command_line.doctor.probes import Probe
from server.command_line.failing import CommandFailed, notice

__all__ = ["Finding", "Plan", "Report", "examine"]

#: An exit with no heartbeat so long behind the time of its `hello` has lost it.
HEARTBEATS = 1.5


@dataclass(frozen=True)
class Plan:
    """What is tried."""

    #: Number of changes.
    changes: int = 20
    #: Seconds in which an exit must be open, and a change must arrive on it.
    timeout_seconds: float = 5.0
    #: Most seconds to wait for a heartbeat, which has the hash; 0 = no such check.
    heartbeat_seconds: float = 60.0


@dataclass
class Finding:
    """What one exit has shown. Of a check that was not made, or has no meaning here, the value is None."""

    exit: str
    opened_ms: float | None = None
    #: Milliseconds from sending a change until it arrived.
    arrived_ms: list[float] = field(default_factory=list)
    order: bool | None = None
    resume: bool | None = None
    hash: bool | None = None
    #: What is wrong, in words.
    faults: list[str] = field(default_factory=list)

    def summary(self) -> Mapping[str, Any]:
        """Return all of it as JSON."""
        timed = self.arrived_ms
        return {
            "exit": self.exit,
            "ok": not self.faults,
            "openedMs": None if self.opened_ms is None else round(self.opened_ms, 1),
            "medianMs": round(statistics.median(timed), 2) if timed else None,
            "maxMs": round(max(timed), 2) if timed else None,
            "order": self.order,
            "resume": self.resume,
            "hash": self.hash,
            "faults": self.faults,
        }


@dataclass
class Report:
    """The findings, and how long the server took to answer the changes themselves."""

    url: str
    version: str
    findings: list[Finding]
    answered_ms: list[float]

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not any(one.faults for one in self.findings)


def examine(remote: Remote, plan: Plan) -> Report:
    """Open every exit of a server on a scratch board, and remove the board.

    Raises:
        CommandFailed: the server cannot be reached, or does not let this caller make a board.
    """
    version = part(remote.ask("GET", "/version", seconds=plan.timeout_seconds), str, "currentVersion")
    ready = remote.ask("GET", "/readyz", seconds=plan.timeout_seconds)
    if ready != {"ok": True}:
        raise CommandFailed(f"{remote.url} is not ready: {ready}")
    with _scratch_board(remote) as (board, card):
        return _examine(remote, plan, version, board, card)


@contextmanager
def _scratch_board(remote: Remote) -> Iterator[tuple[str, str]]:
    """Make a board with one card; remove it when the block ends."""
    name = f"boardcast doctor {uuid4().hex[:8]}"
    made = remote.ask("POST", "/projects", {"name": name, "repositoryPath": "/boardcast-doctor"})
    board = part(made, str, "id")
    try:
        path = f"/boards/{quote(board, safe='')}"
        column = part(remote.ask("GET", path), str, "state", "columnOrder", 0)
        card = part(remote.ask("POST", f"{path}/cards", {"columnId": column, "title": "0"}), str, "cardId")
        yield board, card
    finally:
        try:
            remote.ask("DELETE", f"/projects/{quote(board, safe='')}")
        except CommandFailed as failed:
            notice(f"the scratch board {board} is left, remove it: {failed}")


def _examine(remote: Remote, plan: Plan, version: str, board: str, card: str) -> Report:
    exits = {**BOARD_EXITS, **DASHBOARD_EXITS}
    probes = [Probe(name, open_exit, plan.timeout_seconds) for name, open_exit in exits.items()]
    try:
        for probe in probes:
            probe.start(remote, board)
        findings = {probe.name: _opened(probe, plan) for probe in probes}
        answered = [_change(remote, plan, probes, findings, (board, card), n) for n in range(1, plan.changes + 1)]
        of_board = [probe for probe in probes if probe.name in BOARD_EXITS]
        _check_order(of_board, findings, plan)
        _check_hash(remote, plan, of_board, findings, board)
    finally:
        for probe in probes:
            probe.close()
    for probe in of_board:
        if findings[probe.name].order:
            _check_resume(remote, plan, probe, findings[probe.name], board)
    return Report(remote.url, version, list(findings.values()), answered)


def _opened(probe: Probe, plan: Plan) -> Finding:
    finding = Finding(probe.name)
    first = "dashboard_overview" if probe.name in DASHBOARD_EXITS else "state"
    if probe.wait(lambda item: item.type == first, plan.timeout_seconds) is None:
        came = ", ".join(item.type for _, item in probe.items) or "nothing"
        finding.faults.append(probe.fault or f"expected {first} within {plan.timeout_seconds:g} s, got {came}")
    elif probe.opened_after is not None:
        finding.opened_ms = probe.opened_after * 1000
    return finding


def _change(
    remote: Remote,
    plan: Plan,
    probes: Sequence[Probe],
    findings: Mapping[str, Finding],
    place: tuple[str, str],
    number: int,
) -> float:
    """Give the card a new title, and note when it arrives; return the milliseconds of the answer.

    The next change is sent only when this one has arrived everywhere. So a proxy that collects answers is noticed.
    """
    board, card = (quote(one, safe="") for one in place)
    title = str(number)
    seen = {probe.name: len(probe.items) for probe in probes}
    sent = time.perf_counter()
    remote.ask("PATCH", f"/boards/{board}/cards/{card}", {"title": title}, plan.timeout_seconds)
    answered = time.perf_counter()
    for probe in probes:
        finding = findings[probe.name]
        if finding.faults:
            continue
        if probe.name in DASHBOARD_EXITS:
            at = probe.wait(lambda item: item.type == "dashboard_overview", plan.timeout_seconds, seen[probe.name])
        else:
            at = probe.wait(lambda item: item.title == title, plan.timeout_seconds)
        if at is None:
            late = f"change {number} did not arrive within {plan.timeout_seconds:g} s; does a proxy collect the answer?"
            finding.faults.append(probe.fault or late)
        else:
            finding.arrived_ms.append((at - sent) * 1000)
    return (answered - sent) * 1000


def _check_order(probes: Sequence[Probe], findings: Mapping[str, Finding], plan: Plan) -> None:
    """Each change came once, in order, and with the same cursor on every exit."""
    wanted = [str(number) for number in range(1, plan.changes + 1)]
    cursors = [probe.items for probe in probes if not findings[probe.name].faults]
    shown = [[item.cursor for _, item in items if item.title is not None] for items in cursors]
    usual = shown[0] if shown else []
    for probe in probes:
        finding = findings[probe.name]
        if finding.faults:
            continue
        titles = [item.title for _, item in probe.items if item.title is not None]
        own = [item.cursor for _, item in probe.items if item.title is not None]
        finding.order = titles == wanted and own == usual
        if not finding.order:
            finding.faults.append("the changes came in another order, or with other cursors, than elsewhere")


def _check_hash(
    remote: Remote, plan: Plan, probes: Sequence[Probe], findings: Mapping[str, Finding], board: str
) -> None:
    """The hash of a heartbeat is that of the state over REST."""
    every = next(
        (item.heartbeat_seconds for probe in probes for _, item in probe.items if item.heartbeat_seconds), None
    )
    if every is None or every * HEARTBEATS > plan.heartbeat_seconds:
        return
    state = part(remote.ask("GET", f"/boards/{quote(board, safe='')}"), dict, "state")
    # The board has only ASCII in its keys, whose order is then that of RFC 8785.
    right = hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).hexdigest()
    seen = {probe.name: len(probe.items) for probe in probes}
    deadline = time.monotonic() + every * HEARTBEATS + plan.timeout_seconds
    for probe in probes:
        finding = findings[probe.name]
        if finding.faults:
            continue
        left = max(0.0, deadline - time.monotonic())
        at = probe.wait(lambda item: item.hash is not None, left, seen[probe.name])
        finding.hash = at is not None and _hash_of(probe, seen[probe.name]) == right
        if not finding.hash:
            finding.faults.append("no heartbeat came" if at is None else "the hash is not that of the state over REST")


def _hash_of(probe: Probe, since: int) -> str | None:
    return next((item.hash for _, item in probe.items[since:] if item.hash is not None), None)


def _check_resume(remote: Remote, plan: Plan, probe: Probe, finding: Finding, board: str) -> None:
    """A client that comes back with a cursor gets exactly what it missed."""
    changes = [item for _, item in probe.items if item.title is not None]
    half = len(changes) // 2
    missed = [item.title for item in changes[half:]]
    again = Probe(probe.name, {**BOARD_EXITS}[probe.name], plan.timeout_seconds)
    after = changes[half - 1].cursor if half else None
    if after is None:
        return
    try:
        again.start(remote, board, after)
        is_last: Callable[[Any], bool] = lambda item: item.title == missed[-1]  # noqa: E731
        at = again.wait(is_last, plan.timeout_seconds)
        got = [item.title for _, item in again.items if item.title is not None]
        finding.resume = at is not None and got == missed
        if not finding.resume:
            finding.faults.append(again.fault or f"after a cursor, {len(missed)} changes were missed, {len(got)} came")
    finally:
        again.close()
