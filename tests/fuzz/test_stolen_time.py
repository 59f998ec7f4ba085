"""Waits in which another machine had the cores are told from waits for the server."""

from __future__ import annotations

import os
from pathlib import Path

from tests.fuzz.stolen_time import StolenTime, stolen_seconds

_TICKS = os.sysconf("SC_CLK_TCK")


def _write(stat: Path, seconds: float) -> None:
    stat.write_text(f"cpu  5 5 5 5 5 5 5 {int(seconds * _TICKS)} 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n", encoding="ascii")


def test_only_a_wait_in_which_cores_were_taken_is_disturbed(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    _write(stat, 3.0)
    stolen = StolenTime(stat)
    stolen.read(10.0)
    assert not stolen.took_part(10.1, 10.4)
    _write(stat, 3.1)
    assert stolen.took_part(10.1, 10.4)
    stolen.read(10.5)
    assert not stolen.took_part(10.6, 10.9)
    assert stolen.took_part(10.4, 10.9)


def test_a_small_share_does_not_disturb(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    _write(stat, 3.0)
    stolen = StolenTime(stat)
    _write(stat, 3.1)
    assert not stolen.took_part(0.0, 10.0)


def test_system_without_the_count_disturbs_nothing(tmp_path: Path) -> None:
    assert stolen_seconds(tmp_path / "none") == 0.0
    assert not StolenTime(tmp_path / "none").took_part(0.0, 1.0)
