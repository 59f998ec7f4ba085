"""`python -m server`, `boardcast`: read the settings, open, serve, close. `boardcast token` manages access tokens.

`boardcast copy` copies the database. A fault of the settings, the database or the port gives one line on standard
error and exit code 2.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from realtime.errors import BrokerUnusable, StoreUnavailable, StoreUnusable
from server.runtime.descriptors import raise_descriptor_limit
from server.runtime.logs import set_up_logs
from server.settings import Settings

__all__ = ["main"]

EXIT_USAGE = 2


def main() -> None:
    """Run `python -m server`; a bad setting or address ends it with one sentence and exit code 2.

    With `token` as the first word it is the command for access tokens, with `copy` that for a copy of the database.
    """
    if sys.argv[1:2] == ["token"]:
        from server.token_command import run_token_command

        run_token_command(sys.argv[2:])
        return
    if sys.argv[1:2] == ["copy"]:
        from server.copy_command import run_copy_command

        run_copy_command(sys.argv[2:])
        return
    try:
        settings = CliApp.run(Settings, cli_exit_on_error=False)
    except (ValidationError, SettingsError) as error:
        _fail(_setting_sentence(error))
    set_up_logs(settings.log_level, settings.secrets)
    raise_descriptor_limit()
    # This import takes two seconds. Here, it does not delay `--help` or the error about a wrong flag.
    from schema.trusted_documents import BadDocument
    from server.access.jwt_keys import BadKey
    from server.process import CannotListen, run

    try:
        run(settings)
    except (BadDocument, BadKey, CannotListen, BrokerUnusable, StoreUnusable, StoreUnavailable) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        pass  # a second signal, while closing


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
