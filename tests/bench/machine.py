"""The machine and the versions on which the figures depend."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import orjson

__all__ = ["machine", "raise_open_files", "versions"]

_LIBRARIES = ("starlette", "uvicorn", "uvloop", "sse-starlette", "strawberry-graphql", "graphql-core", "orjson")
_PEERS = Path(__file__).parent / "peers" / "package.json"


def machine() -> str:
    """Return cores, processor, memory and system. A load above zero means that other processes run too."""
    processor = _named("/proc/cpuinfo", "model name", str.strip) or platform.processor() or platform.machine()
    memory = _named("/proc/meminfo", "MemTotal", lambda text: f", {int(text.split()[0]) / 2**20:.0f} GiB of memory")
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({processor}){memory}, {platform.system()} {platform.release()}, load {load:.1f}"


def versions() -> str:
    """Return the versions of Python, of Node, and of the packages that Boardcast and the peers use."""
    peers: dict[str, str] = orjson.loads(_PEERS.read_bytes())["dependencies"]
    named = {
        f"Python {platform.python_version()}": [f"{name} {version(name)}" for name in _LIBRARIES],
        f"Node {_node_version()}": [f"{name} {pinned}" for name, pinned in peers.items()],
    }
    return "; ".join(f"{language} ({', '.join(parts)})" for language, parts in named.items())


def raise_open_files() -> int:
    """Raise the limit of open files for this process and its children to the maximum; return it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def _named(path: str, name: str, shown: Callable[[str], str]) -> str:
    """Return the first value of that name in a file of `/proc`, an empty text if there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    return next((shown(line.partition(":")[2]) for line in lines if line.startswith(name)), "")


def _node_version() -> str:
    node = shutil.which("node")
    if node is None:
        return "missing"
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
