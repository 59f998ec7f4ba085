"""Requests through the proxies of `deploy/`: the examples of the README, the address of the client, logs and bounds."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import anyio.lowlevel
import pytest

from tests.clients.requirements import require_command
from tests.deploy.conftest import two_nodes
from tests.kit.deadline import deadline
from tests.kit.postgres_databases import TEMPLATE
from tests.kit.postgres_server import PostgresServer, free_port
from tests.kit.proxies import PROXIES, Proxy, running_proxy
from tests.kit.raw_http import exchange
from tests.live.command import Process
from tests.live.test_readme import EXAMPLES, PROMISES, ROOT, check_run, in_shell

_README = (ROOT / "README.md").read_text(encoding="utf-8")
_OF_README = [name for name in PROMISES if EXAMPLES[name] in _README]
_WAIT_UNITS = 30
_SECRET = "secret-of-a-client"


@pytest.fixture(scope="module")
async def shown(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Process, Process]]:
    """Two nodes for all tests of this file, one of which runs the demo."""
    folder = tmp_path_factory.mktemp("nodes")
    quick = ("--heartbeat-seconds", "1")
    demo = ("--demo", "--demo-pace", "20", *quick)
    with postgres.database(TEMPLATE) as url:
        async with two_nodes(folder, url, demo, quick) as nodes:
            yield nodes


@pytest.fixture(params=PROXIES)
async def proxy(request: pytest.FixtureRequest, shown: tuple[Process, Process]) -> AsyncIterator[Proxy]:
    """A proxy in front of them."""
    with running_proxy(request.param, [node.address for node in shown]) as started:
        await started.accepts()
        yield started


def test_readme_has_the_examples() -> None:
    assert len(_OF_README) == 7


@pytest.mark.parametrize("name", _OF_README)
async def test_example_of_the_readme_passes(proxy: Proxy, name: str) -> None:
    require_command("curl")
    is_python = name.endswith("python")
    command = [sys.executable, "-c", EXAMPLES[name]] if is_python else ["bash", "-euc", in_shell(name)]
    # An event is stored once on all nodes, and the other proxy has stored that of the example.
    command = [part.replace("build-7", f"build-{proxy.kind}") for part in command]
    await check_run(command, PROMISES[name], "{}:{}".format(*proxy.address))


async def test_nodes_know_the_client_and_believe_nothing_that_it_forges(
    shown: tuple[Process, Process], proxy: Proxy
) -> None:
    forged = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")]
    client = {"nginx": "127.0.1.7", "haproxy": "127.0.1.8"}[proxy.kind]
    async with deadline(_WAIT_UNITS):
        answer = await exchange(proxy.address, "GET", "/api/v1/boards/none", headers=forged, source=client)
        assert answer.status == 404
        assert answer.header("Strict-Transport-Security") is None
        while f"address={client}" not in (lines := "".join(node.errors.read_text() for node in shown)):
            await anyio.lowlevel.checkpoint()
        assert "192.0.2.1" not in lines


async def test_body_that_is_too_large_is_answered_by_the_server(proxy: Proxy) -> None:
    async with deadline(_WAIT_UNITS):
        answer = await exchange(proxy.address, "POST", "/api/v1/events", b" " * 1_500_000)
        assert (answer.status, answer.header("Content-Type")) == (413, "application/problem+json")


async def _logged(proxy: Proxy, path: str) -> int:
    """Ask with a token in the query, wait for the line in the log, which must not have it, and return the status."""
    async with deadline(_WAIT_UNITS):
        answer = await exchange(proxy.address, "GET", f"{path}?access_token={_SECRET}")
        while path not in proxy.log:
            await anyio.lowlevel.checkpoint()
        assert _SECRET not in proxy.log
    return answer.status


async def test_log_of_the_proxy_has_no_query(proxy: Proxy) -> None:
    assert await _logged(proxy, "/api/v1/projects") == 200


@pytest.mark.parametrize("kind", PROXIES)
async def test_log_of_the_proxy_has_no_query_when_no_node_is_there(kind: str) -> None:
    # nginx would log the whole request with this error.
    with running_proxy(kind, [("127.0.0.1", free_port()) for _ in range(2)]) as proxy:
        await proxy.accepts()
        assert await _logged(proxy, "/api/v1/projects") in (502, 503)
