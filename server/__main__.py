"""`python -m server`, `boardcast`: read the settings, open, serve, close. `boardcast token` manages access tokens.

`boardcast copy` copies the database. A fault of the settings, the database or the port gives one line on standard
error and exit code 2.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from server.settings import Settings
from server.starting import EXIT_USAGE, BadSetting, begin_process, read_settings, start_faults

__all__ = ["main"]


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
        settings = read_settings()
    except BadSetting as bad:
        _fail(str(bad))
    begin_process(settings)
    try:
        _run(settings)
    except start_faults() as error:
        _fail(str(error))
    except KeyboardInterrupt:
        pass  # a second signal, while closing


def _run(settings: Settings) -> None:
    # Both imports take long. Here, they do not delay `--help` or the error about a wrong flag.
    if settings.workers == 1:
        from server.process import run

        run(settings)
        return
    from server.workers.supervisor import supervise
    from server.workers.worker import CannotStart

    try:
        supervise(settings)
    except CannotStart as error:
        _fail(str(error), error.code)


def _fail(sentence: str, code: int = EXIT_USAGE) -> NoReturn:
    print(f"boardcast: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
