"""nginx and HAProxy that belong to the tests: in a temporary folder, on a free port, with the files of `deploy/`.

The binaries are those of Debian's packages. A proxy ends with the process of the tests, even if that is killed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio.lowlevel
import pytest

from tests.kit.deadline import deadline, seconds
from tests.kit.postgres_server import free_port
from tests.kit.raw_http import Address

__all__ = ["DEPLOY", "PROXIES", "Proxy", "running_proxy"]

DEPLOY = Path(__file__).parents[2] / "deploy"
PROXIES = ("nginx", "haproxy")
WAIT_UNITS = 30
_FILES = {"nginx": "nginx/boardcast.conf", "haproxy": "haproxy/haproxy.cfg"}
#: What the files of `deploy/` have in place of the addresses of a test.
_NODES = ("127.0.0.1:8000", "127.0.0.1:8001")
_LISTEN = {"nginx": ("listen 80;", "listen 127.0.0.1:{};"), "haproxy": ("bind :80\n", "bind 127.0.0.1:{}\n")}
_NGINX = """daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/deployed;
}}
"""
#: Added to the global section of HAProxy, so that a test sees its health checks.
_HAPROXY = "global\n    stats socket {folder}/stats\n"


class Proxy:
    """A proxy that accepts connections at `address`."""

    def __init__(self, kind: str, folder: Path) -> None:
        """Keep its files in `folder`."""
        self.kind = kind
        self.address: Address = ("127.0.0.1", free_port())
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, nodes: Sequence[Address], **changes: str) -> None:
        """Write its files for two nodes; `changes` are values of the file and the ones to put in their place."""
        text = (DEPLOY / _FILES[self.kind]).read_text(encoding="utf-8")
        before, behind = _LISTEN[self.kind]
        wanted = {before: behind.format(self.address[1]), **changes}
        wanted |= {name: f"{host}:{port}" for name, (host, port) in zip(_NODES, nodes, strict=True)}
        if self.kind == "nginx":
            wanted["/var/log/nginx"] = str(self._folder)
        for old, new in wanted.items():
            assert old in text, f"expected {old} in {_FILES[self.kind]}"
            text = text.replace(old, new)
        (self._folder / "deployed").write_text(text, encoding="utf-8")
        # Its worker would be another user, which may not write into the folder.
        user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
        own = (_NGINX if self.kind == "nginx" else _HAPROXY).format(folder=self._folder, user=user)
        (self._folder / "own").write_text(own, encoding="utf-8")

    def start(self) -> None:
        """Start it."""
        own, deployed = self._folder / "own", self._folder / "deployed"
        # The messages of nginx before it has read its files; the output of HAProxy is its access log.
        words = ["-e", "stderr", "-c", str(own)] if self.kind == "nginx" else ["-f", str(own), "-f", str(deployed)]
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", _binary(self.kind), *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def accepts(self) -> None:
        """Wait until it accepts connections, also at the socket for `servers`, which HAProxy makes a moment later."""
        assert self._process is not None
        async with deadline(WAIT_UNITS):
            while self.kind == "haproxy" and not (self._folder / "stats").exists():
                assert self._process.poll() is None, self.log
                await anyio.lowlevel.checkpoint()
            while True:
                with suppress(ConnectionRefusedError), socket.create_connection(self.address):
                    return
                assert self._process.poll() is None, self.log
                await anyio.lowlevel.checkpoint()

    @property
    def log(self) -> str:
        """All that it has logged and printed."""
        names = ("output", "access.log", "error.log")
        return "".join(path.read_text() for name in names if (path := self._folder / name).exists())

    def servers(self, backend: str) -> dict[str, str]:
        """Return the state of each server of a backend of HAProxy."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(seconds(WAIT_UNITS))
            asking.connect(str(self._folder / "stats"))
            asking.sendall(b"show stat\n")
            answer = b""
            while data := asking.recv(65536):
                answer += data
        rows = [line.split(",") for line in answer.decode().splitlines() if line.startswith(f"{backend},")]
        state = answer.decode().splitlines()[0].split(",").index("status")
        return {row[1]: row[state] for row in rows if row[1] not in ("FRONTEND", "BACKEND")}

    def stop(self) -> None:
        """End it at once, with all connections."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(seconds(WAIT_UNITS))
            self._process = None


@contextmanager
def running_proxy(kind: str, nodes: Sequence[Address], **changes: str) -> Iterator[Proxy]:
    """Run a proxy in front of two nodes until the block ends. `Proxy.accepts` waits until it is there."""
    _binary(kind)
    folder = Path(tempfile.mkdtemp(prefix=f"boardcast-{kind}-"))
    proxy = Proxy(kind, folder)
    try:
        proxy.write(nodes, **changes)
        proxy.start()
        yield proxy
    finally:
        proxy.stop()
        shutil.rmtree(folder)


def _binary(kind: str) -> str:
    """Return the path of a proxy; without it, skip the test, or fail it if the clients are required."""
    found = shutil.which(kind, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is not None:
        return found
    missing = f"{kind} is not installed: apt-get install {kind}"
    if os.environ.get("BOARDCAST_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{missing}, and BOARDCAST_REQUIRE_CLIENTS=1 asks for it", pytrace=False)
    pytest.skip(missing)
