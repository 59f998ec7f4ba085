"""`python -m server`, `boardcast`: read the settings, open, serve, close.

What is wrong with settings, database or port is one line on standard error and exit code 2.
"""

from __future__ import annotations

import socket
import sys
from contextlib import AsyncExitStack
from typing import NoReturn

import uvloop
from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from realtime.errors import StoreUnusable
from schema.root import make_schema
from server.app import create_app
from server.collector import calm_collector
from server.demo import running_demo
from server.logs import set_up_logs
from server.serve import bind, make_server
from server.settings import Settings
from server.switching import switch_soon
from server.wiring import open_node

__all__ = ["main"]

EXIT_USAGE = 2


def main() -> None:
    """Run the command."""
    try:
        settings = CliApp.run(Settings, cli_exit_on_error=False)
    except (ValidationError, SettingsError) as error:
        _fail(_setting_sentence(error))
    set_up_logs(settings.log_level)
    try:
        listening = bind(settings.host, settings.port)
    except OSError as error:
        _fail(f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}")
    try:
        uvloop.run(_serve(settings, listening))
    except StoreUnusable as error:
        _fail(str(error))
    except KeyboardInterrupt:
        pass  # a second one, while closing


async def _serve(settings: Settings, listening: socket.socket) -> None:
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(open_node(settings))
        if settings.demo:
            await stack.enter_async_context(running_demo(node, settings.demo_seed, settings.demo_pace))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listening.getsockname()[1]}"
        app = create_app(node, settings, make_schema())
        server = make_server(app, settings, lambda: print(f"Listening on {address}", flush=True))
        calm_collector()
        switch_soon()
        await server.serve(sockets=[listening])


def _setting_sentence(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error).removeprefix("error parsing CLI: ")
    found = error.errors(include_url=False)[0]
    name = "-".join(str(part) for part in found["loc"]).replace("_", "-")
    said = found["msg"].removeprefix("Value error, ")
    return f"--{name}: {said}, got {found['input']!r}" if name else said


def _fail(sentence: str) -> NoReturn:
    print(f"boardcast: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
