"""A Redis server that belongs to the tests: in a temporary folder, on a free port, without files.

The binary is that of Debian's package. The server ends with the process of the tests, even if that is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.deadline import seconds
from tests.kit.postgres_server import free_port

__all__ = ["RedisServer", "redis", "running_redis"]

PACKAGE = "redis-server"
START_UNITS = 30


def _binary() -> str:
    """Return the path of the server; without it, skip the test, or fail it if the clients are required."""
    found = shutil.which(PACKAGE)
    if found is not None:
        return found
    missing = f"Redis is not installed: apt-get install {PACKAGE}"
    if os.environ.get("BOARDCAST_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{missing}, and BOARDCAST_REQUIRE_CLIENTS=1 asks for it", pytrace=False)
    pytest.skip(missing)


class RedisServer:
    """A server that can be killed, started again and paused."""

    def __init__(self, binary: str, folder: Path) -> None:
        """Run in `folder`."""
        self._binary = binary
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def is_running(self) -> bool:
        """Whether the server was started and not killed."""
        return self._process is not None

    def start(self) -> None:
        """Start the server, and return once it accepts connections."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", self._binary, *options],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ready = threading.Event()
        lines: list[str] = []
        threading.Thread(target=_read, args=(self._process, lines, ready), daemon=True).start()
        assert ready.wait(seconds(START_UNITS)), f"the server did not start: {''.join(lines)}"

    def kill(self) -> None:
        """End the server at once, with all connections."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(seconds(START_UNITS))
            self._process = None

    def flush(self) -> None:
        """Delete all that it stores."""
        with socket.create_connection(("127.0.0.1", self.port)) as asking:
            asking.settimeout(seconds(START_UNITS))
            asking.sendall(b"FLUSHALL\r\n")
            assert asking.recv(100) == b"+OK\r\n"

    def pause(self) -> None:
        """Stop the server in its tracks; connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Run a new server until the block ends."""
    binary = _binary()
    with tempfile.TemporaryDirectory(prefix="boardcast-redis-") as folder:
        server = RedisServer(binary, Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.resume()
            server.kill()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server of the test's own; it starts in milliseconds."""
    with running_redis() as server:
        yield server


def _read(process: subprocess.Popen[str], lines: list[str], ready: threading.Event) -> None:
    """Read the log of the server to its end, so that the server never waits for its reader."""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if not ready.is_set():
                lines.append(line)
                if "eady to accept connections" in line:
                    ready.set()
