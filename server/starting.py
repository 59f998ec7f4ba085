"""The start of a process: its logs, and one sentence about a start that fails."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from realtime.errors import BrokerUnusable, StoreUnavailable, StoreUnusable
from schema.trusted_documents import BadDocument
from server.runtime.descriptors import raise_descriptor_limit
from server.runtime.listening import CannotListen
from server.runtime.logs import set_up_logs
from server.settings import Settings
from server.settings_flags import BadSetting

__all__ = ["EXIT_USAGE", "begin_process", "report_start", "start_faults"]

#: The exit code of a process that cannot start for a setting, the port, the database or the broker.
EXIT_USAGE = 2

log = logging.getLogger(__name__)


def begin_process(settings: Settings, **names: object) -> None:
    """Set up the logs of this process, whose lines all have `names`, and its limit of descriptors."""
    set_up_logs(settings.log_level, settings.secrets, names, settings.log_format)
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
