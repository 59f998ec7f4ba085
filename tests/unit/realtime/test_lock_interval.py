"""The interval of the interpreter lock: short while heavy units are written, and as before afterwards."""

from __future__ import annotations

import sys

import pytest

from realtime.writing.lock_interval import HURRIED_SECONDS, LockInterval

#: Python cuts an interval down to whole microseconds.
_HURRIED = pytest.approx(HURRIED_SECONDS, abs=2e-6)


def test_interval_is_short_until_the_last_heavy_unit_is_written() -> None:
    interval, before = LockInterval(), sys.getswitchinterval()
    with interval.hurried():
        with interval.hurried():
            assert sys.getswitchinterval() == _HURRIED
        assert sys.getswitchinterval() == _HURRIED
    assert sys.getswitchinterval() == before > 2 * HURRIED_SECONDS


def test_interval_that_is_shorter_already_stays() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(HURRIED_SECONDS / 2)
    try:
        with LockInterval().hurried():
            assert sys.getswitchinterval() == pytest.approx(HURRIED_SECONDS / 2, abs=2e-6)
    finally:
        sys.setswitchinterval(before)


def test_interval_does_not_drift() -> None:
    interval, before = LockInterval(), sys.getswitchinterval()
    sys.setswitchinterval(0.00029)
    try:
        expected = sys.getswitchinterval()
        for _ in range(100):
            with interval.hurried():
                pass
        assert sys.getswitchinterval() == expected
    finally:
        sys.setswitchinterval(before)
