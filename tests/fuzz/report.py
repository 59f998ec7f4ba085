"""The table of a run, and its faults with the commands that reproduce them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.fuzz.judge import Fault, Kind
from tests.fuzz.tally import Tally, growth_of

__all__ = ["as_text", "distinct"]

_MIB = 1024 * 1024
_COUNTED = (Kind.SERVER_ERROR, Kind.TRACEBACK, Kind.UNENDED, Kind.HANG, Kind.WITNESS)
_LONGEST_LINE = 400


def as_text(seed: int, tallies: Iterable[Tally]) -> str:
    """Return the table, then each distinct fault with its count and the command that reproduces it."""
    tallies = list(tallies)
    rows = [["", *(tally.name for tally in tallies)], *_rows(tallies)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    faults = [line for tally in tallies for line in _fault_lines(seed, tally)]
    return "\n".join([*table, *(["", *faults] if faults else [])])


def distinct(faults: Iterable[Fault]) -> list[tuple[Fault, int]]:
    """Return one fault of each kind, with their number. Texts that differ only in figures and ids are of one kind."""
    found: dict[tuple[Kind, str], tuple[Fault, int]] = {}
    for fault in faults:
        key = (fault.kind, re.sub(r"[0-9a-f-]{8,}|\d+", "N", fault.what)[:120])
        first, count = found.get(key, (fault, 0))
        # A fault with fewer possible inputs is easier to reproduce.
        better = fault if 0 < len(fault.numbers) < (len(first.numbers) or 1_000) else first
        found[key] = (better, count + 1)
    return sorted(found.values(), key=lambda pair: -pair[1])


def _rows(tallies: list[Tally]) -> list[list[str]]:
    rows = [
        ["inputs", *(f"{tally.inputs.total():,}" for tally in tallies)],
        ["MiB sent", *(f"{tally.sent_bytes / _MIB:.1f}" for tally in tallies)],
        ["seconds", *(f"{tally.seconds:.0f}" for tally in tallies)],
        ["turned away (429, 503, 1013)", *(f"{tally.turned_away:,}" for tally in tallies)],
    ]
    rows += [[str(kind), *(f"{_count(tally, kind):,}" for tally in tallies)] for kind in _COUNTED]
    names = dict.fromkeys(name for tally in tallies for name in tally.seen)
    rows += [[f"longest wait, {name} (ms)", *(_wait(tally, name) for tally in tallies)] for name in names]
    rows.append(["longest of all, cores taken (ms)", *map(_disturbed, tallies)])
    rows.append(["memory before, after, most (MiB)", *map(_memory, tallies)])
    rows.append(["memory left by an hour (MiB)", *map(_growth, tallies)])
    return rows


def _count(tally: Tally, kind: Kind) -> int:
    return sum(fault.kind is kind for fault in tally.faults)


def _wait(tally: Tally, name: str) -> str:
    sight = tally.seen.get(name)
    return f"{sight.longest * 1_000:.0f} of {sight.asked:,}" if sight else "-"


def _disturbed(tally: Tally) -> str:
    """Return the longest wait that does not count, because other machines took the cores."""
    longest = max((sight.disturbed for sight in tally.seen.values()), default=0.0)
    return f"{longest * 1_000:.0f}" if longest else "-"


def _memory(tally: Tally) -> str:
    if not tally.memory:
        return "-"
    return " ".join(f"{used / _MIB:.0f}" for used in (tally.memory[0][1], tally.memory[-1][1], tally.peak))


def _growth(tally: Tally) -> str:
    growth = growth_of(tally.memory)
    return "too short a run" if growth is None else f"{growth / _MIB:+.1f}"


def _fault_lines(seed: int, tally: Tally) -> list[str]:
    lines = []
    for fault, count in distinct(tally.faults):
        lines.append(f"{count:>6} x {fault.kind}, {tally.name}: {fault.what[:_LONGEST_LINE]}")
        if fault.numbers:
            only = ",".join(map(str, fault.numbers[:16]))
            mode = "" if tally.name == "with tokens" else " --anonymous"
            lines.append(f"         python -m tests.fuzz --seed {seed} --only {only}{mode}")
    return lines
