"""A PostgreSQL server that belongs to the tests: in a temporary folder, on a free port, without a sync to the disk.

The binaries are those of Debian's package. PostgreSQL refuses to run as root, so for root it runs as another user. The
server ends with the process of the tests, even if that is killed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.deadline import seconds

__all__ = ["PostgresServer", "free_port", "postgres_binaries", "require_postgres", "running_postgres"]

PACKAGE = "postgresql"
#: Users for a server of root: Debian's, or the one that every system has.
USERS = ("postgres", "nobody")
START_UNITS = 30
SETTINGS = {
    # A power cut would end the tests anyway. A killed server loses nothing of this.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "listen_addresses": "127.0.0.1",
}


def postgres_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL that is installed, None if there is none."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest and newest.parent


def require_postgres() -> Path:
    """Return the folder of the binaries; without them, skip the test, or fail it if the clients are required."""
    found = postgres_binaries()
    if found is not None:
        return found
    missing = f"PostgreSQL is not installed: apt-get install {PACKAGE}"
    if os.environ.get("BOARDCAST_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{missing}, and BOARDCAST_REQUIRE_CLIENTS=1 asks for it", pytrace=False)
    pytest.skip(missing)


@contextmanager
def running_postgres(within: Path | None = None, **settings: str) -> Iterator[PostgresServer]:
    """Run a new server until the block ends; `settings` are those of `postgresql.conf`.

    Its folder is in `within`, or where temporary folders are.
    """
    binaries = require_postgres()
    folder = Path(tempfile.mkdtemp(prefix="boardcast-postgres-", dir=within))
    server = PostgresServer(binaries, folder, settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


class PostgresServer:
    """A server with the user `tests`, which may do everything without a password."""

    def __init__(self, binaries: Path, folder: Path, settings: dict[str, str]) -> None:
        """Keep the data in `folder`."""
        self._binaries = binaries
        self.folder = folder
        self._settings = {**SETTINGS, **settings}
        self._process: subprocess.Popen[str] | None = None
        self._databases = 0
        self.port = free_port()

    @property
    def is_running(self) -> bool:
        """Whether the server was started and not stopped."""
        return self._process is not None

    @property
    def has_ended(self) -> bool:
        """Whether the server was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def create(self) -> None:
        """Make the files of the server."""
        if (account := _account()) is not None:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        options = ("--auth=trust", "--username=tests", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
        made = subprocess.run(
            [*_with_parent(), self._binaries / "initdb", *options, "-D", self.folder / "data"],
            **_account_options(),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        assert made.returncode == 0, made.stderr

    def start(self) -> None:
        """Start the server, and return once it accepts connections."""
        options = {**self._settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        command: list[str | Path] = [*_with_parent(), self._binaries / "postgres", "-D", self.folder / "data"]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self._process = subprocess.Popen(
            command, **_account_options(), cwd=self.folder, stderr=subprocess.PIPE, text=True
        )
        ready = threading.Event()
        lines: list[str] = []
        threading.Thread(target=_read, args=(self._process, lines, ready), daemon=True).start()
        assert ready.wait(seconds(START_UNITS)), f"the server did not start: {''.join(lines)}"

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server if it runs: SIGQUIT ends all connections at once, as a crash would."""
        if self._process is not None:
            self.resume()
            self._process.send_signal(how)
            self._process.wait(seconds(START_UNITS))
            self._process = None

    def pause(self) -> None:
        """Stop the server and all its sessions in their tracks; connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._pids():
            with suppress(ProcessLookupError):  # a session has ended meanwhile
                os.kill(pid, number)

    def url(self, database: str, *, password: str = "secret") -> str:
        """Return the URL of a database."""
        return f"postgresql://tests:{password}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements, and return the rows of the last one."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Give the URL of a new database until the block ends."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def terminate_connections(self, url: str) -> int:
        """End the sessions of the database with that URL, and return their number once they are gone."""
        of_database = f"FROM pg_stat_activity WHERE datname = '{url.rpartition('/')[2]}'"
        ((count,),) = self.run(f"SELECT count(pg_terminate_backend(pid, {round(seconds(10) * 1000)})) {of_database}")
        return int(count)

    def _pids(self) -> list[int]:
        if self._process is None:
            return []
        main = self._process.pid
        return [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]


def _read(process: subprocess.Popen[str], lines: list[str], ready: threading.Event) -> None:
    """Read the log of the server to its end, so that the server never waits for its reader."""
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            if not ready.is_set():
                lines.append(line)
                if "ready to accept connections" in line:
                    ready.set()


@cache
def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(names[name] for name in USERS if name in names)


def _account_options() -> dict[str, Any]:
    account = _account()
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _with_parent() -> list[str]:
    """Return the command that ends a program with its parent."""
    return ["setpriv", "--pdeathsig", "QUIT"]


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
