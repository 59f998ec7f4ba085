"""The start of a process: its settings, its logs, and one sentence about a start that fails."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from realtime.errors import BrokerUnusable, StoreUnavailable, StoreUnusable
from schema.trusted_documents import BadDocument
from server.runtime.descriptors import raise_descriptor_limit
from server.runtime.listening import CannotListen
from server.runtime.logs import set_up_logs
from server.settings import Settings

__all__ = ["EXIT_USAGE", "BadSetting", "begin_process", "read_settings", "report_start", "start_faults"]

#: The exit code of a process that cannot start for a setting, the port, the database or the broker.
EXIT_USAGE = 2

log = logging.getLogger(__name__)


class BadSetting(Exception):
    """A flag, a variable or a file of a setting is wrong."""


def read_settings() -> Settings:
    """Return the settings of the command line and the environment.

    Raises:
        BadSetting: one is wrong.
    """
    try:
        return CliApp.run(Settings, cli_exit_on_error=False)
    except (ValidationError, SettingsError) as error:
        raise BadSetting(_sentence(error)) from error


def begin_process(settings: Settings, **names: object) -> None:
    """Set up the logs of this process, whose lines all have `names`, and its limit of descriptors."""
    set_up_logs(settings.log_level, settings.secrets, names)
    raise_descriptor_limit()


def start_faults() -> tuple[type[Exception], ...]:
    """Return the exceptions of a start that fails for a reason outside of this program; their text is a sentence."""
    # This import takes a second. Here, it does not delay `--help` or the error about a wrong flag.
    from server.access.jwt_keys import BadKey

    return (BadDocument, BadKey, BadSetting, BrokerUnusable, CannotListen, StoreUnavailable, StoreUnusable)


def report_start(address: str, circumstances: Mapping[str, str]) -> None:
    """Log and print that the server accepts connections at `address`."""
    # Log first: a program that has read the address can rely on the log line.
    log.info("started", extra={"address": address, **circumstances})
    print(f"Listening on {address}", flush=True)


def _sentence(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error).removeprefix("error parsing CLI: ")
    found = error.errors(include_url=False)[0]
    name = "-".join(str(part) for part in found["loc"]).replace("_", "-")
    said = found["msg"].removeprefix("Value error, ")
    return f"--{name}: {said}, got {found['input']!r}" if name else said
