"""Commands with a server that is none of ours, or an address of none: one sentence, and never a traceback."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from server.__main__ import main
from server.command_line.asking import TOKEN_VARIABLE, remote
from server.command_line.doctor.diagnosis import Plan, examine
from server.command_line.doctor.exits import BOARD_EXITS, DASHBOARD_EXITS
from server.command_line.doctor.probes import Probe
from server.command_line.failing import CommandFailed
from server.command_line.publish import publish
from server.command_line.tail import Follow, tail
from server.command_line.tokens import create_token, list_tokens
from tests.kit.deadline import deadline

_ROOT = Path(__file__).parents[2]
_WAIT_UNITS = 20
_ANSWERS = [b"null", b"17", b'"text"', b"<html>", b"", b'{"accepted":null,"currentVersion":1}', b"\xff", b"[" * 2000]
_ASKING: dict[str, Callable[[str], object]] = {
    "publish": lambda url: publish("name", "{}", url),
    "token-create": lambda url: create_token({}, url, None),
    "token-list": lambda url: list_tokens(url, None),
    "doctor": lambda url: examine(remote(url), Plan(2, 1.0, 0.0)),
}
_ALL: dict[str, Callable[[str], object]] = {**_ASKING, "tail": lambda url: tail(Follow("b"), url)}
#: Messages that have the form of an envelope or a result, and wrong types inside.
_MESSAGES = [
    {"type": "hello", "payload": {"heartbeatSeconds": "often", "cursor": [1]}, "cursor": {}},
    {"type": ["state"], "payload": {"set": {"title": {}}, "hash": 7}},
    {"type": "next", "id": "1", "payload": {"errors": {"message": "no"}}},
    {"type": "next", "id": "1", "payload": {"errors": [3]}},
    {"type": "next", "id": "1", "payload": {"data": [1]}},
    {"type": "next", "id": "1", "payload": {"data": {"boardChanges": {"__typename": 3, "card": [1], "cursor": 3}}}},
]


@asynccontextmanager
async def _answering(body: bytes) -> AsyncIterator[str]:
    """Answer each request with 200 and `body`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def _saying(*messages: object) -> AsyncIterator[str]:
    """Acknowledge, say `messages` to each client of a WebSocket, and end."""

    async def say(socket: ServerConnection) -> None:
        if socket.subprotocol:
            await socket.send('{"type":"connection_ack"}')
        for message in messages:
            await socket.send(message if isinstance(message, bytes) else orjson.dumps(message).decode())

    async with serve(say, "127.0.0.1", 0, select_subprotocol=lambda _, offered: next(iter(offered), None)) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("command", _ASKING)
@pytest.mark.parametrize("body", _ANSWERS, ids=lambda body: repr(body[:12]))
async def test_answer_that_is_none_of_ours_is_one_sentence(command: str, body: bytes) -> None:
    async with deadline(_WAIT_UNITS), _answering(body) as url:
        with pytest.raises(CommandFailed, match="is it a Boardcast server"):
            await asyncio.to_thread(_ASKING[command], url)


async def test_tail_outlives_a_goodbye_with_a_wrong_pause_and_reason() -> None:
    wrong = [{"reconnectAfterMs": -1e12}, {"reason": ["forbidden"]}, {"reconnectAfterMs": "soon"}, 17]
    for payload in wrong:
        follow = Follow("b", limit=2)
        async with deadline(_WAIT_UNITS), _saying({"type": "goodbye", "payload": payload}) as url:
            await asyncio.to_thread(tail, follow, url)
        assert (follow.printed, follow.failures) == (2, 1), payload


async def test_tail_refuses_an_envelope_in_bytes() -> None:
    async with deadline(_WAIT_UNITS), _saying(b'{"type":"hello"}') as url:
        with pytest.raises(CommandFailed, match="expected envelopes as JSON objects"):
            await asyncio.to_thread(tail, Follow("b", limit=1), url)


async def test_tail_ends_when_the_server_breaks_the_protocol() -> None:
    async def say(socket: ServerConnection) -> None:
        await socket.send(b"\xff", text=True)
        await socket.wait_closed()

    async with deadline(_WAIT_UNITS), serve(say, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CommandFailed, match="the server broke the protocol: invalid start byte"):
            await asyncio.to_thread(tail, Follow("b", limit=1), f"http://127.0.0.1:{port}")


@pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")  # the thread of an exit closes it, no block
@pytest.mark.parametrize("exit", [name for name in (*BOARD_EXITS, *DASHBOARD_EXITS) if name.endswith("ws")])
async def test_doctor_names_what_is_wrong_with_an_exit(exit: str) -> None:
    open_exit = {**BOARD_EXITS, **DASHBOARD_EXITS}[exit]
    for message in _MESSAGES:
        probe = Probe(exit, open_exit, 5.0)
        async with deadline(_WAIT_UNITS), _saying(message) as url:
            probe.start(remote(url), "b")
            await asyncio.to_thread(probe.wait, lambda _: False, 10.0)
            probe.close()
        assert probe.fault is not None, message
        assert all(isinstance(item.type, str) for _, item in probe.items)
        for _, item in probe.items:
            assert isinstance(item.cursor, str | None)
            assert isinstance(item.title, str | None)
            assert isinstance(item.heartbeat_seconds, int | float | None)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "http://[::1",
        "http://127.0.0.1/ a",
        "http://a\nb",
        "http://\udcff",
        f"http://{'a' * 64}.org",
        "http://user:password@127.0.0.1",
    ],
)
@pytest.mark.parametrize("command", _ALL)
def test_address_of_no_server_is_one_sentence(command: str, url: str) -> None:
    with pytest.raises(CommandFailed, match=r"^--url: expected an address ") as failed:
        _ALL[command](url)
    assert "password" not in str(failed.value)


@pytest.mark.parametrize("url", ["http://[::1]:8000/", "https://b\u00fccher.example./boards", "http://a_b:1"])
def test_odd_address_of_a_server_is_taken(url: str) -> None:
    assert remote(url).url == url


@pytest.mark.parametrize("token", ["two\nlines", "a b", "\u20ac", "\udcff"])
def test_token_that_cannot_be_is_not_printed(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(CommandFailed, match=TOKEN_VARIABLE) as failed:
        remote("http://127.0.0.1:1")
    assert token not in str(failed.value)


@pytest.mark.parametrize("proxy", ["ftp://proxy", "http://[", "socks5://127.0.0.1:1"])
def test_proxy_of_the_environment_that_cannot_be_used_is_one_sentence(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(CommandFailed, match="cannot reach"):
        tail(Follow("b"), "http://192.0.2.1")


@pytest.mark.parametrize(
    "words",
    [
        ("tail", "\udcff"),
        ("tail", "b", "--after", "\udcff"),
        ("publish", "--name", "\udcff", "--payload", "{}"),
        ("token", "revoke", "\udcff"),
        ("token", "create", "--name", "\udcff", "--boards", "*", "--can", "read"),
    ],
)
def test_words_that_are_no_utf_8_are_one_line(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["boardcast", *words, "--url", "http://127.0.0.1:1"])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert (stopped.value.code, said.out, said.err.count("\n")) == (2, "", 1), said


@pytest.fixture
def full_disk() -> Iterator[TextIO]:
    """A file that cannot be written."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        yield full
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


async def test_tail_ends_if_its_output_cannot_be_written(full_disk: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", full_disk)
    async with deadline(_WAIT_UNITS), _saying({"type": "hello"}) as url:
        with pytest.raises(CommandFailed, match="cannot write to standard output: No space"):
            await asyncio.to_thread(tail, Follow("b"), url)


@pytest.mark.parametrize("word", ["version", "--help"])
def test_output_that_cannot_be_written_is_one_line(word: str) -> None:
    with Path("/dev/full").open("wb") as full:
        end = subprocess.run(
            [sys.executable, "-m", "server", word], cwd=_ROOT, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (end.returncode, end.stderr) == (1, b"boardcast: cannot write to standard output: No space left on device\n")


@pytest.mark.parametrize("words", ["version", "tail b", "export", "doctor http://127.0.0.1:1"])
def test_closed_output_is_one_line_before_anything_is_done(words: str) -> None:
    command = f'exec "$0" -m server {words} >&-'
    end = subprocess.run(["sh", "-c", command, sys.executable], cwd=_ROOT, stderr=subprocess.PIPE, check=False)
    sentence = b"boardcast: expected a standard output for the result, and it is closed\n"
    assert (end.returncode, end.stderr) == (2, sentence)
