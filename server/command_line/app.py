"""The commands and their options, by typer. Each imports its work when it runs, because some imports take a second."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from server.command_line.asking import DEFAULT_URL, TOKEN_VARIABLE
from server.command_line.failing import REFUSED, USAGE, CommandFailed, ReaderLeft, fail, say, unwritable
from server.settings_flags import BadSetting

__all__ = ["make_app", "run_command"]

RUN, WATCH, DATA, ACCESS = "Run", "Watch and report", "Data", "Access"
#: All words belong to another parser, that of the settings.
_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}
EXAMPLES = """
Examples, each with more in its own --help:

- boardcast --demo
- boardcast check --database-url postgresql://boards
- boardcast tail board-1 --pretty
- boardcast backup boards-copy.db
- boardcast doctor https://boards.example.org
"""

_Url = Annotated[
    str, typer.Option(help=f"Address of the server; the token is in {TOKEN_VARIABLE}.", envvar="BOARDCAST_URL")
]
_AdminUrl = Annotated[
    str | None,
    typer.Option("--url", help=f"Address of a running server; the token of an admin is in {TOKEN_VARIABLE}."),
]
_DatabaseUrl = Annotated[
    str | None, typer.Option("--database-url", help="URL of the database, while no server has it; as for the server.")
]
_Board = Annotated[str, typer.Argument(metavar="BOARD", help="Id of the board.")]


class DeliveryName(StrEnum):
    """How changes come (docs/protocol.md, "Deliveries")."""

    STATE = "state"
    CHANGES = "changes"
    PATCH = "patch"


def run_command(words: Sequence[str], serve: Callable[[Sequence[str]], None]) -> NoReturn:
    """Carry out the command in `words` and leave; `serve` serves with the flags that it gets.

    A fault is one line on standard error. The exit code is 130 after an interrupt.
    """
    if sys.stdout is None and words[0] != "serve":  # the caller has closed it (`>&-`)
        fail("expected a standard output for the result, and it is closed", USAGE)
    app = make_app(serve)
    try:
        code = app(args=list(words), prog_name="boardcast", standalone_mode=False)
        if words[0].startswith("-"):  # the help of all: the flags of the server belong to it
            serve(["--help"])
    except CommandFailed as failed:
        _end_output()
        fail(str(failed), failed.code)
    except BadSetting as bad:
        fail(str(bad), USAGE)
    except ReaderLeft:
        _end_output()
        sys.exit(1)
    except OSError as error:  # of the help, which typer prints
        _end_output()
        fail(unwritable(error), REFUSED)
    except UnicodeEncodeError as error:
        fail(f"expected words in {error.encoding}, got {error.object[error.start : error.end]!r}", USAGE)
    except typer.Abort:
        fail("interrupted", 130)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # typer has no public name for its error about wrong words.
        if not hasattr(error, "format_message"):
            raise
        path = getattr(getattr(error, "ctx", None), "command_path", "boardcast")
        said = error.format_message()
        ended = said if said.endswith((".", "?")) else f"{said}."
        fail(f"{ended} See: {path} --help", getattr(error, "exit_code", 2))
    sys.exit(code if isinstance(code, int) else 0)


def _end_output() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        # What is left in the buffer would raise once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_app(serve: Callable[[Sequence[str]], None]) -> typer.Typer:
    """Return all commands."""
    app = typer.Typer(
        name="boardcast",
        help="Live kanban boards over GraphQL, raw WebSocket and server-sent events.",
        epilog=EXAMPLES,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.command("serve", rich_help_panel=RUN, context_settings=_PASSED_ON, add_help_option=False)
    def serve_command(context: typer.Context) -> None:
        """Serve boards until a signal; also without the word. `boardcast --help` lists the flags."""
        serve(context.args)

    app.command("check", rich_help_panel=RUN, context_settings=_PASSED_ON, add_help_option=False)(check)
    app.command("version", rich_help_panel=RUN)(version)
    app.command("tail", rich_help_panel=WATCH)(tail)
    app.command("publish", rich_help_panel=WATCH)(publish)
    app.command("doctor", rich_help_panel=WATCH)(doctor)
    app.command("backup", rich_help_panel=DATA)(backup)
    app.command("copy", rich_help_panel=DATA)(copy)
    app.command("export", rich_help_panel=DATA)(export)
    app.command("import", rich_help_panel=DATA)(import_)
    tokens = typer.Typer(help="Make, list and revoke access tokens.", subcommand_metavar="create | list | revoke")
    tokens.command("create")(create_token)
    tokens.command("list")(list_tokens)
    tokens.command("revoke")(revoke_token)
    app.add_typer(tokens, name="token", rich_help_panel=ACCESS)
    return app


def version() -> None:
    """Print the version."""
    from server.runtime.version import boardcast_version

    say(boardcast_version())


def check(context: typer.Context) -> None:
    """Say whether a server could start: its settings, database, broker, keys, documents.

    The flags are those of the server. Nothing is changed. The exit code is 0 if all is well, 2 if a setting is wrong,
    and 1 if something else is.
    """
    from server.command_line.check import check as look

    look(context.args)


def tail(
    board: _Board,
    url: _Url = DEFAULT_URL,
    delivery: Annotated[DeliveryName, typer.Option(help="How changes come.")] = DeliveryName.CHANGES,
    after: Annotated[str | None, typer.Option(help="Begin behind this cursor.", metavar="CURSOR")] = None,
    pretty: Annotated[
        bool | None, typer.Option("--pretty/--json", help="For people, or JSON lines; by default as the output is.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many envelopes.")] = None,
) -> None:
    """Print the envelopes of a board as they come.

    After a lost connection the stream resumes by its cursor. Example: `boardcast tail board-1 --delivery state --json`
    """
    from server.command_line.tail import Follow
    from server.command_line.tail import tail as run

    is_pretty = sys.stdout.isatty() if pretty is None else pretty
    run(Follow(board, delivery.value, after, is_pretty, limit), url)


def publish(
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines, one event in each; standard input by default.")
    ] = None,
    url: _Url = DEFAULT_URL,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Events in a request; 1 sends each line at once.")] = 100,
    name: Annotated[str | None, typer.Option(help="Report one event of this name, in place of lines.")] = None,
    payload: Annotated[str | None, typer.Option(help="The payload of that event, in JSON.")] = None,
) -> None:
    """Report events, and print what the server says about each.

    A batch that gets no answer is sent again. Its events have ids, so they are stored once. Example:
    `boardcast publish --name attempt.log.appended --payload '{"boardId":"board-1", …}'`
    """
    from server.command_line import publish as publishing

    if name is None and payload is None:
        publishing.publish_lines(file, batch, url)
    elif name is None or payload is None or file is not None:
        raise CommandFailed("expected --name and --payload together, without a file", code=2)
    else:
        publishing.publish(name, payload, url)


def doctor(
    url: Annotated[str, typer.Argument(help=f"Address of the server; the token of an admin is in {TOKEN_VARIABLE}.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    changes: Annotated[int, typer.Option(min=2, max=1000, help="Changes that are made and awaited.")] = 20,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds for each step.")] = 5.0,
    heartbeat: Annotated[
        float, typer.Option(min=0, max=600, help="Seconds to wait for a heartbeat, which has the hash; 0 = do not.")
    ] = 60.0,
) -> None:
    """Open every exit of a server, and measure how long a change takes on each.

    It makes a scratch board and removes it. It checks the order, the hash, resuming by a cursor, and whether a proxy
    holds answers back. The exit code is 1 if something is wrong. Example: `boardcast doctor https://boards.example.org`
    """
    from server.command_line.doctor.diagnosis import Plan
    from server.command_line.doctor.table import doctor as run

    run(url, Plan(changes, timeout, heartbeat), as_json=json)


def backup(target: Annotated[Path, typer.Argument(help="The new file.")], database_url: _DatabaseUrl = None) -> None:
    """Write a checked copy of the SQLite database, also while a server has it.

    Example: `boardcast backup /backups/boards-$(date +%F).db`
    """
    from server.command_line.databases import backup_database

    backup_database(target, database_url)


def copy(
    source: Annotated[str, typer.Option("--from", help="URL of the database; no server may have it.")],
    target: Annotated[str, typer.Option("--to", help="URL of an empty database, of any kind.")],
) -> None:
    """Copy an installation into an empty database.

    Example: `boardcast copy --from sqlite:///./boardcast.db --to postgresql://boards`
    """
    from server.command_line.databases import copy_database

    copy_database(source, target)


def export(
    target: Annotated[Path | None, typer.Argument(help="The new file; standard output by default.")] = None,
    board: Annotated[str | None, typer.Option(help="Only this board, without its event log.")] = None,
    database_url: _DatabaseUrl = None,
) -> None:
    """Write an installation, or one board, as JSON lines.

    An export of an installation has the digests of its tokens. Example: `boardcast export boards.jsonl`
    """
    from server.command_line.databases import export_rows

    export_rows(target, board, database_url)


def import_(
    source: Annotated[Path | None, typer.Argument(help="A file of export; standard input by default.")] = None,
    database_url: _DatabaseUrl = None,
) -> None:
    """Read the JSON lines of an export: an installation into an empty database, a board into a used one.

    Example: `boardcast import boards.jsonl --database-url sqlite:///./new.db`
    """
    from server.command_line.databases import import_rows

    import_rows(source, database_url)


def create_token(
    name: Annotated[str, typer.Option(help="Its name for people; tokens with one name are one client.")],
    boards: Annotated[str, typer.Option(help="Ids of boards, separated by commas; * = all.")],
    can: Annotated[str, typer.Option(help="Actions, separated by commas: read write publish dashboard admin.")],
    expires_at: Annotated[str | None, typer.Option(help="RFC 3339 time at which it expires; never by default.")] = None,
    url: _AdminUrl = None,
    database_url: _DatabaseUrl = None,
) -> None:
    """Make a token and print it with its secret.

    Example: `boardcast token create --name ci --boards shop --can publish`
    """
    from server.command_line import tokens

    lists = {"boards": _listed(boards), "can": _listed(can)}
    tokens.create_token({"name": name, **lists, "expiresAt": expires_at}, url, database_url)


def list_tokens(url: _AdminUrl = None, database_url: _DatabaseUrl = None) -> None:
    """Print all tokens, without their secrets."""
    from server.command_line import tokens

    tokens.list_tokens(url, database_url)


def revoke_token(
    id: Annotated[str, typer.Argument(help="Id of the token: tok-….")],
    url: _AdminUrl = None,
    database_url: _DatabaseUrl = None,
) -> None:
    """Revoke a token; its connections end within a second."""
    from server.command_line import tokens

    tokens.revoke_token(id, url, database_url)


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")]
