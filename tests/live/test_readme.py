"""The examples of our pages, run unchanged against a live demo, except for the address.

An example that streams is ended after the output that it promises. Examples of `make` are not run, but must exist.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from graphql import build_schema, parse, validate

from realtime.fanout.counters import Counters
from realtime.service import Service
from realtime.service.roster import Figures
from schema.export import SDL_PATH
from server.demo.show import running_demo
from server.runtime.metrics import FiguresCollector, NodeCollector
from tests.clients.requirements import SCRIPTS, require_command, require_node
from tests.kit.deadline import deadline
from tests.kit.live_server import live_server

ROOT = Path(__file__).parents[2]
#: Blocks without a language are not run.
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_ADDRESS = "127.0.0.1:8000"
_WAIT_UNITS = 20
#: Our module for JavaScript, which an example imports from its own folder.
_MODULE = (ROOT / "server" / "static" / "boardcast.js").as_uri()
_BLOCK = re.compile(r"^#+ (?P<section>[^\n]+)$|^```(?P<language>\w+)\n(?P<source>.*?)^```$", re.MULTILINE | re.DOTALL)
#: Features that browsers have and Node.js 20 does not, by the words of an example that needs them.
_BROWSER = {
    "new EventSource(": 'import { EventSource } from "eventsource";\nglobalThis.EventSource = EventSource;\n',
    "new WebSocket(": 'import WebSocket from "ws";\nglobalThis.WebSocket = WebSocket;\n',
}


@dataclass(frozen=True)
class Promise:
    """The output of an example, and whether the example then ends by itself."""

    pattern: str
    streams: bool = False


_BOARD = "The exits, sh"
#: The number of cards, and again after a change.
_CARDS = r"\A[1-9]\d* cards\n([1-9]\d* cards\n)+"
_COPY_IS_RIGHT = Promise(r"\Aloaded\n(right at \d+\n){2}", streams=True)
_LIBRARIES = ("graphql-ws", "graphql-sse", "urql", "Apollo Client")
#: The class with which most examples of resuming begin.
_COPY = "The copy, js"
#: Parts of clients; the tests of resuming run them.
_PARTS = {_COPY, "Answers that come late, with Apollo Client, js"}
#: Section and language → the promise of the example.
PROMISES = {
    _BOARD: Promise(r"\A[\w-]{3,}\Z"),
    "Server-sent events, sh": Promise(r"event: hello\ndata: .*\n\nevent: state\ndata: .*\nid: .+\n\n", streams=True),
    "Server-sent events, js": Promise(r"^[1-9]\d* cards\n(.*\n)*.*\w", streams=True),
    "Raw WebSocket, python": Promise(r"\Ahello None\n(state \S+\n(\S+ \S+\n)*){2}", streams=True),
    "Keeping a copy, js": Promise(r"\A(.*\n)*the card is there\n(.*\n)*the copy is right\n", streams=True),
    "The dashboard, sh": Promise(
        r"event: hello\ndata: .*\n\nevent: dashboard_overview\ndata: .*\nid: .+\n", streams=True
    ),
    "The dashboard, js": Promise(r"^\d+ active attempts\n", streams=True),
    "Apollo Client, js": Promise(_CARDS, streams=True),
    "Repeating a mutation, js": Promise(r"\A(Once \S+\n)\1\Z"),
    "urql, js": Promise(_CARDS, streams=True),
    "graphql-ws, js": Promise(r"\A\S+ \[\s+\{\s+title: 'Backlog',\s+cardIds: \[", streams=True),
    "graphql-sse, js": Promise(_CARDS, streams=True),
    "gql, python": Promise(r"\ADemo \w+ [1-9]\d* cards\n(Demo .+\n)+", streams=True),
    "Resuming with gql, python": _COPY_IS_RIGHT,
    **dict.fromkeys((f"Resuming with {library}, js" for library in _LIBRARIES), _COPY_IS_RIGHT),
    "GraphQL, bash": Promise(
        r'event: next\ndata: \{"data":\{"boardEvents":\{"__typename":"State"\}\}\}\nid: \S+\n', streams=True
    ),
    "curl, sh": Promise(
        r'\A\{"data":\{"projects":\{"nodes":\[\{"id":".+"dashboardOverview":\{"metrics":\{"activeAttempts":\d'
    ),
    "Sending events, sh": Promise(
        r'\A\{"accepted":\[\{"name":"attempt.log.appended","cursor":".+","duplicate":false\}'
    ),
    "REST, sh": Promise(r'\A\{"state":.*"cardId":"card-'),
}
#: Sections whose commands are `make` targets.
_OF_MAKE = {"Boardcast, sh", "Make targets, sh"}
#: Examples that start a server of their own; `test_access_examples` runs them.
_OF_SERVERS = ("A secret of your own", "Keycloak, Auth0 and others", "A CI job that reports", "A screen on the wall")
OF_ACCESS = {f"{section}, {language}" for section in _OF_SERVERS for language in ("sh", "bash")}
#: Rules for Prometheus. The test compares their metrics with ours.
_ALERTS = {"Metrics, yaml"}
#: Languages of blocks that show data on the wire.
_SHOWN = {"json", "text"}


def _examples() -> dict[str, str]:
    found: dict[str, str] = {}
    for page in PAGES:
        section = ""
        for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            section = block["section"] or section
            if block["language"] and block["language"] not in _SHOWN:
                name = f"{section}, {block['language']}"
                assert name not in found, f"expected one example of a language in each section, got two: {name}"
                found[name] = block["source"]
    return found


EXAMPLES = _examples()
#: Documents without a server to run on: they must be valid against the schema.
_DOCUMENTS = {name for name in EXAMPLES if name.endswith(", graphql")}


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Host and port of a server with demo activity."""
    # Its heartbeats are frequent, because examples wait for one.
    async with live_server(heartbeat_seconds=1) as server, running_demo(Service(server.node), 1, 20.0):
        yield server.url.removeprefix("http://")


def test_every_example_is_run() -> None:
    assert _DOCUMENTS
    assert set(EXAMPLES) == set(PROMISES) | _OF_MAKE | _DOCUMENTS | _ALERTS | _PARTS | OF_ACCESS


def test_metrics_are_those_that_are_shown() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    collectors = (NodeCollector(Counters()), FiguresCollector(Figures))
    shown = {metric.name for collector in collectors for metric in collector.collect()}
    assert {name.removesuffix("_total") for name in re.findall(r"\bboardcast_[a-z_]+", page)} == shown


@pytest.mark.parametrize("name", sorted(_DOCUMENTS))
def test_documents_fit_the_schema(name: str) -> None:
    assert validate(build_schema(SDL_PATH.read_text(encoding="utf-8")), parse(EXAMPLES[name])) == []


@pytest.mark.parametrize("name", sorted(_OF_MAKE))
def test_commands_are_targets_of_makefile(name: str) -> None:
    targets = {line.split()[1] for line in EXAMPLES[name].splitlines()}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets
    assert {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("name", [name for name in PROMISES if not name.endswith("js")])
async def test_example_does_what_it_says(name: str, address: str) -> None:
    if name.endswith("python"):
        await check_run([sys.executable, "-c", EXAMPLES[name]], PROMISES[name], address)
        return
    require_command("curl")
    await check_run(["bash", "-euc", in_shell(name)], PROMISES[name], address)


@pytest.mark.node
@pytest.mark.parametrize("name", [name for name in PROMISES if name.endswith("js")])
async def test_javascript_example_does_what_it_says(name: str, address: str) -> None:
    require_node()
    prelude = "".join(lent for words, lent in _BROWSER.items() if words in EXAMPLES[name])
    prelude += EXAMPLES[_COPY] if "new BoardCopy" in EXAMPLES[name] else ""
    source = prelude + EXAMPLES[name].replace('"./boardcast.js"', f'"{_MODULE}"')
    await check_run(["node", "--input-type=module", "--eval", source], PROMISES[name], address)


def in_shell(name: str) -> str:
    """Return the example after the one that selects the board, as a user types them one after the other."""
    return f'{EXAMPLES[name]}printf %s "$BOARD"' if name == _BOARD else EXAMPLES[_BOARD] + EXAMPLES[name]


def _environment() -> dict[str, str]:
    # `python3` is the interpreter of these tests
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", "PYTHONUNBUFFERED": "1"}


async def check_run(command: list[str], promise: Promise, address: str) -> None:
    """Run an example against the server at `address`, and require what it promises."""
    command = [part.replace(_ADDRESS, address) for part in command]
    # The session allows ending the shell together with its children. The packages are in the folder.
    process = await anyio.open_process(
        command, stdin=subprocess.DEVNULL, stderr=None, cwd=SCRIPTS, env=_environment(), start_new_session=True
    )
    output = ""
    try:
        assert process.stdout is not None
        async with deadline(_WAIT_UNITS):
            async for data in process.stdout:
                output += data.decode()
                if promise.streams and re.search(promise.pattern, output, re.MULTILINE):
                    return
            assert await process.wait() == 0
    except TimeoutError:
        raise AssertionError(f"expected {promise.pattern}, got {output}") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.wait()
            await process.aclose()
    assert not promise.streams, f"it ended, and said {output}"
    assert re.search(promise.pattern, output), f"expected {promise.pattern}, got {output}"
