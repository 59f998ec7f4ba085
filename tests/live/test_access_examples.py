"""The examples of docs/access.md, run as written: each starts its server, and then a client of it.

Two things are replaced: the address of the server, whose port is free, and the name of the identity provider. That is a
server of this test with a certificate of its own.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process

from tests.clients.requirements import require_command
from tests.kit.deadline import deadline
from tests.kit.identity_provider import IdentityProvider, identity_provider
from tests.live.test_readme import EXAMPLES, OF_ACCESS, ROOT

_PROVIDER = "id.example"
_ADDRESS = "127.0.0.1:8000"
_WAIT_UNITS = 60
pytestmark = pytest.mark.timeout(180)
#: Section → the output of its client; a stream goes on behind it.
_PROMISES = {
    "A secret of your own": r"\A\[\]\Z",
    "Keycloak, Auth0 and others": r"\A\[\]\Z",
    "A CI job that reports": r'\A\{"accepted":\[\{"name":"git.status.changed","cursor":".+","duplicate":false\}\]\}\Z',
    "A screen on the wall": r"\Aevent: hello\ndata: .*\n\nevent: dashboard_overview\ndata: .*\nid: .+\n\n",
}


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[IdentityProvider]:
    """An identity provider behind https."""
    async with identity_provider(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def _shell(folder: Path, source: str, **environment: str) -> AsyncIterator[Process]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    known = {name: value for name, value in os.environ.items() if not name.startswith("BOARDCAST_")}
    settings = {**known, "PATH": path, "NO_PROXY": "127.0.0.1,localhost", "PYTHONUNBUFFERED": "1", **environment}
    process = await anyio.open_process(
        ["bash", "-euc", source],
        stdin=subprocess.DEVNULL,
        stderr=None,
        cwd=folder,
        env=settings,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):  # it has ended, and left nobody
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await process.aclose()


async def _until(process: Process, pattern: str) -> str:
    """Return the output of a process, as soon as it has this form."""
    assert process.stdout is not None
    output = ""
    async for data in process.stdout:
        output += data.decode()
        if re.search(pattern, output):
            return output
    raise AssertionError(f"expected {pattern}, got {output}")


@pytest.mark.parametrize("section", _PROMISES)
async def test_example_of_access_does_what_it_says(section: str, provider: IdentityProvider, tmp_path: Path) -> None:
    for command in ("curl", "openssl"):
        require_command(command)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    begin, client = (
        EXAMPLES[f"{section}, {language}"].replace(_PROVIDER, provider.name) for language in ("sh", "bash")
    )
    trusted = {"SSL_CERT_FILE": str(provider.certificate), "CURL_CA_BUNDLE": str(provider.certificate)}
    server = {"BOARDCAST_PORT": "0", "PYTHONPATH": str(ROOT)}
    async with deadline(_WAIT_UNITS), _shell(tmp_path, begin, **server, **trusted) as serving:
        line = await _until(serving, r"Listening on http://(\S+)\n")
        address = line.partition("http://")[2].split()[0]
        async with _shell(tmp_path, client.replace(_ADDRESS, address), PYTHONPATH=str(ROOT), **trusted) as asking:
            assert await _until(asking, _PROMISES[section])


def test_each_example_of_access_has_a_promise() -> None:
    assert {f"{section}, {language}" for section in _PROMISES for language in ("sh", "bash")} == OF_ACCESS
