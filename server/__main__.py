"""`python -m server`, `boardcast`: read the settings, open, serve, close; or carry out another command.

A fault of the settings, the database or the port gives one line on standard error and exit code 2.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from server.command_line.failing import USAGE, CommandFailed, fail
from server.settings import Settings
from server.settings_flags import BadSetting, read_settings
from server.starting import begin_process, start_faults

__all__ = ["main"]


def main() -> None:
    """Run `python -m server`; a bad setting or address ends it with one sentence and exit code 2.

    Flags alone, or the word `serve`, serve. Another first word is a command (`server.command_line.app`).
    """
    words = sys.argv[1:]
    if words and (not words[0].startswith("-") or words[0] in ("-h", "--help")):
        # Not for a server: typer takes memory, and a 30th of a second.
        from server.command_line.app import run_command

        run_command(words, serve)
    try:
        serve(words)
    except (BadSetting, CommandFailed) as failed:
        fail(str(failed), failed.code if isinstance(failed, CommandFailed) else USAGE)


def serve(words: Sequence[str]) -> None:
    """Serve until a signal, with the settings of the flags `words` and of the environment.

    Raises:
        BadSetting: a setting is wrong.
        CommandFailed: the server cannot start.
    """
    settings = read_settings(words)
    begin_process(settings)
    try:
        _run(settings)
    except start_faults() as error:
        raise CommandFailed(str(error), code=USAGE) from None
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
        raise CommandFailed(str(error), code=error.code) from None


if __name__ == "__main__":
    main()
