"""The reason of a failed attempt, as one line of its log."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from realtime.dashboard.rows import AttemptLogRow
from realtime.dashboard.text import shortened, squeezed
from realtime.kanban.ids import AttemptId, BoardId

__all__ = ["NO_SUMMARY", "error_summaries", "error_summary"]

#: Summary of an attempt without a usable line in its log.
NO_SUMMARY = "Attempt failed – see logs for details"
#: Summary of a line without a message.
EMPTY_MESSAGE = "Attempt failed"
#: Most UTF-16 code units of a summary.
SUMMARY_UNITS = 200


#: Key of an attempt with its project, because two projects may use one attempt id.
_Key = tuple[BoardId, AttemptId]


def error_summaries(attempts: Collection[_Key], logs: Iterable[AttemptLogRow]) -> dict[_Key, str]:
    """Return a summary for each of `attempts`, in one pass over the lines of all logs."""
    found: dict[_Key, list[AttemptLogRow]] = {attempt: [] for attempt in attempts}
    for line in logs:
        if line.key in found:
            found[line.key].append(line)
    return {attempt: error_summary(lines) for attempt, lines in found.items()}


def error_summary(lines: Iterable[AttemptLogRow]) -> str:
    """Return the latest line of level error (in any case), else the latest line; trimmed, at most 200 characters."""
    newest_first = sorted(lines, key=lambda line: line.at)[::-1]
    if not newest_first:
        return NO_SUMMARY
    line = next((line for line in newest_first if line.level.lower() == "error"), newest_first[0])
    return shortened(squeezed(line.message or EMPTY_MESSAGE) or NO_SUMMARY, SUMMARY_UNITS)
