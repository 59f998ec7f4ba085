"""The settings from flags and variables, and the help that lists them in groups."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_settings import CliApp, CliSettingsSource, SettingsError

from server.settings import Settings

__all__ = ["BadSetting", "read_settings"]

#: First field of a group of flags → its title in the help.
GROUPS: Mapping[str, str] = {
    "host": "Address",
    "tokens": "Access",
    "allowed_origins": "Browsers and proxies",
    "database_url": "Database and broker",
    "demo": "Demo",
    "heartbeat_seconds": "Streams",
    "send_timeout_seconds": "Connections",
    "max_queued_envelopes": "Slow clients",
    "max_operations": "GraphQL",
    "max_boards": "Limits",
    "log_level": "Log and clock",
}
_EXAMPLES = """\
examples:
  boardcast --demo                                     boards, a scripted agent, and a page at http://127.0.0.1:8000
  boardcast --database-url sqlite:////srv/boards.db    another database
  BOARDCAST_TOKENS=… boardcast --host 0.0.0.0          for other machines, which need the token
"""


class BadSetting(Exception):
    """A flag, a variable or a file of a setting is wrong."""


def read_settings(words: Sequence[str] | None = None, name: str = "boardcast") -> Settings:
    """Return the settings of the flags in `words` and of the environment; `--help` prints the help and exits.

    `words` are by default those of this process, after `serve`.

    Raises:
        BadSetting: one is wrong; the text is one sentence about the first.
    """
    parser = _Parser(
        name,
        usage=f"{name} [flags]",
        description="Serve boards until a signal. Each flag is also a variable: --max-boards is BOARDCAST_MAX_BOARDS.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    try:
        source = CliSettingsSource[Any](Settings, root_parser=parser, add_argument_method=_GroupedFlags().add)
        return CliApp.run(Settings, cli_args=_own_words() if words is None else list(words), cli_settings_source=source)
    except (ValidationError, SettingsError) as error:
        raise BadSetting(_sentence(error)) from error


def _own_words() -> list[str]:
    words = sys.argv[1:]
    return words[1:] if words[:1] == ["serve"] else words


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise the sentence, which argparse would print with the usage of 60 flags."""
        raise BadSetting(message)


class _GroupedFlags:
    """Adds each flag to the group of the last field that begins one."""

    def __init__(self) -> None:
        self._group: Any = None

    def add(self, parser: ArgumentParser, *names: str, **kept: Any) -> object:
        """Add a flag, as `ArgumentParser.add_argument` does."""
        title = GROUPS.get(names[0].lstrip("-").replace("-", "_"))
        if title is not None:
            self._group = parser.add_argument_group(title)
        return (self._group or parser).add_argument(*names, **kept)


def _sentence(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error).removeprefix("error parsing CLI: ")
    found = error.errors(include_url=False)[0]
    name = "-".join(str(part) for part in found["loc"]).replace("_", "-")
    said = found["msg"].removeprefix("Value error, ")
    return f"--{name}: {said}, got {found['input']!r}" if name else said
