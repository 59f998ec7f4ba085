"""Free memory returns to the system."""

from __future__ import annotations

import asyncio
import ctypes
import subprocess
import sys
from pathlib import Path

import anyio.lowlevel
import pytest

from server.runtime.tuning import giving_memory_back
from tests.kit.deadline import deadline

_MIB = 1024 * 1024
_STATUS = Path("/proc/self/status")

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")


def _anonymous_bytes() -> int:
    return next(int(line.split()[1]) * 1024 for line in _STATUS.read_text().splitlines() if line.startswith("RssAnon"))


async def test_memory_of_a_burst_goes_back_to_the_system() -> None:
    # Each is below the size for which the C library allocates separate memory. The last one pins the freed memory.
    burst = [b"x" * 100_000 for _ in range(1_500)]
    pin = b"y" * 100_000
    full = _anonymous_bytes()
    del burst
    async with giving_memory_back(0.001), deadline(10):
        while _anonymous_bytes() > full - 100 * _MIB:
            await anyio.lowlevel.checkpoint()
    assert pin


async def test_block_leaves_no_task() -> None:
    async with giving_memory_back(60):
        assert [task.get_name() for task in asyncio.all_tasks()].count("memory") == 1
    assert "memory" not in [task.get_name() for task in asyncio.all_tasks()]


def test_memory_of_large_objects_goes_back_with_them() -> None:
    assert _left_behind("") > 40
    assert _left_behind("tune_malloc()") < 10


def _left_behind(first: str) -> int:
    """Return the MiB that a process keeps of the large objects that it has freed, after it has done `first`."""
    code = f"""
from pathlib import Path
from threading import Thread
from server.runtime.tuning import tune_malloc

def used():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) // 1024

def burst():
    for _ in range(3):
        large = [bytes([1]) * 1_000_000 for _ in range(60)]
        pins.append(bytes([2]) * 2_000)
        del large

pins = []
{first}
before = used()
for thread in [Thread(target=burst) for _ in range(3)]:
    thread.start()
    thread.join()
print(used() - before)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(ended.stdout)
