"""`boardcast publish`: reports events from JSON lines, in batches that are safe to send again (docs/ingest.md)."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import orjson

from server.command_line.asking import Away, Refusal, Remote, part, remote
from server.command_line.failing import USAGE, CommandFailed, notice, say

__all__ = ["publish", "publish_lines"]

MAX_LINE_BYTES = 16 * 1024 * 1024
TRIES = 6
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
#: Answers after which the same request may succeed.
PASSING_STATUSES = frozenset({408, 425, 429, 502, 503, 504})


def publish(name: str, payload: str, url: str) -> None:
    """Report one event, and print what the server says about it.

    Raises:
        CommandFailed: the payload is no JSON, or the server refuses.
    """
    try:
        content = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise CommandFailed(f"--payload: expected JSON: {error}", code=USAGE) from None
    _Reporter(remote(url)).send([{"name": name, "payload": content}], "the event")


def publish_lines(source: Path | None, batch: int, url: str) -> None:
    """Report the events of a file or of standard input, and print what the server says about each.

    Raises:
        CommandFailed: a line is no JSON object, or the server refuses; the batches before are stored.
    """
    reporter = _Reporter(remote(url))
    if source is None:
        _publish_all(reporter, sys.stdin.buffer, batch)
        return
    try:
        with source.open("rb") as file:
            _publish_all(reporter, file, batch)
    except OSError as error:
        raise CommandFailed(f"cannot read {source}: {error.strerror or error}", code=USAGE) from None


class _Reporter:
    """Sends batches to a server; once it has answered, a server that is away is waited for."""

    def __init__(self, server: Remote) -> None:
        self._server = server
        self._has_answered = False

    def send(self, events: list[dict[str, Any]], where: str) -> None:
        """Send a batch until the server has stored it, and print its answer for each event."""
        # With an id of its own, an event that is sent again is stored once.
        repeatable = [{"id": str(uuid4()), **event} for event in events]
        for attempt in range(TRIES):
            try:
                self._print(self._server.ask("POST", "/events", repeatable))
                return
            except (Away, Refusal) as failed:
                self._has_answered |= isinstance(failed, Refusal)
                if attempt == TRIES - 1 or not self._may_pass(failed):
                    raise CommandFailed(f"{where}: {failed}") from None
                hint = failed.retry_after_seconds if isinstance(failed, Refusal) else None
                pause = min(LONGEST_PAUSE_SECONDS, hint or FIRST_PAUSE_SECONDS * 2**attempt)
                notice(f"{where}: {failed}; trying again in {pause:.1f} s")
                time.sleep(pause)

    def _print(self, answer: Any) -> None:
        accepted = part(answer, list, "accepted")
        self._has_answered = True
        for one in accepted:
            say(orjson.dumps(one).decode())

    def _may_pass(self, failed: Away | Refusal) -> bool:
        return self._has_answered if isinstance(failed, Away) else failed.status in PASSING_STATUSES


def _publish_all(reporter: _Reporter, file: BinaryIO, batch: int) -> None:
    for first, last, events in _batches(_events(file), batch):
        reporter.send(events, f"line {first}" if first == last else f"lines {first} to {last}")


def _events(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        if not line.strip():
            continue
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise CommandFailed(
                f"line {number}: expected JSON of at most {MAX_LINE_BYTES} bytes: {error}", code=USAGE
            ) from None
        if not isinstance(event, dict):
            raise CommandFailed(f"line {number}: expected an object with name and payload", code=USAGE)
        yield number, event


def _batches(
    events: Iterable[tuple[int, dict[str, Any]]], size: int
) -> Iterator[tuple[int, int, list[dict[str, Any]]]]:
    first, some = 0, list[dict[str, Any]]()
    number = 0
    for number, event in events:
        first = first if some else number
        some.append(event)
        if len(some) >= size:
            yield first, number, some
            some = []
    if some:
        yield first, number, some
