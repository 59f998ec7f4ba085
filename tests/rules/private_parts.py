"""The undocumented parts of other packages that the source uses, and the check that a release still has them.

A documented name is stable between major releases. These are not. `PARTS` and `MODULES` list them by class and by
module.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.rules.trees import PACKAGES, parse, python_files

__all__ = [
    "MODULES",
    "PARTS",
    "PRIVATE",
    "find_class",
    "imported_names",
    "names_of",
    "private_names",
    "source_of",
    "used_names",
]

_HTTP = "uvicorn.protocols.http.httptools_impl.HttpToolsProtocol"
_CYCLE = "uvicorn.protocols.http.httptools_impl.RequestResponseCycle"
_FLOW = "uvicorn.protocols.http.flow_control.FlowControl"
_SOCKET = "uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol"
_SERVER = "uvicorn.server.Server"
_STATE = "uvicorn.server.ServerState"
_FRAMES = "websockets.server.ServerProtocol"
_EXECUTOR = "strawberry.schema.schema.StrawberryGraphQLCoreExecutionContext"

#: Class of another package → the names that we use or override, in subclasses or through the variables of `REACHED`.
PARTS = {
    _HTTP: """
        _start_asgi_task access_log access_logger app app_state asgi_version client config connections cycle flow logger
        loop on_response_complete parser pipeline root_path scheme scope server server_state shutdown timeout_keep_alive
        transport ws_protocol_class
    """,
    _CYCLE: """
        access_log access_logger body chunked_encoding default_headers disconnected expected_content_length flow
        keep_alive message_event more_body on_response receive response_complete response_started run_asgi scope send
        transport waiting_for_100_continue
    """,
    _FLOW: "drain pause_reading read_paused resume_reading write_paused",
    _SOCKET: """
        app client close_sent close_timer config conn curr_msg_data_type disconnected frames handle_close handle_connect
        handle_events handle_parser_exception handle_ping handle_pong handshake_complete handshake_initiated
        initial_response keepalive_timeout last_ping_rtt loop pending_ping_payload ping_interval ping_sent_at
        ping_timeout ping_timer pong_timer queue read_paused receive request response run_asgi schedule_ping scope send
        send_keepalive_ping send_receive_event_to_app server shutdown stop_keepalive transport writable
    """,
    _SERVER: "capture_signals force_exit server_state servers should_exit shutdown startup",
    _STATE: "connections default_headers total_requests",
    _FRAMES: """
        available_extensions close_sent data_to_send eof_sent events events_received extensions fail parser parser_exc
        receive_data
        send_close send_frame state writes
    """,
    _EXECUTOR: """
        _relevant_sub_fields async_helpers build_per_event_executor complete_awaitable_list_item_value
        complete_iterable_value complete_list_item_value context_value execute_field execute_fields
        execute_fields_serially execute_operation fragments hide_suggestions is_awaitable
        middleware_manager operation schema settle_in_background variable_values with_abort_signal
    """,
}

#: Class of another package → the private names that we use on its objects elsewhere, each marked `noqa: SLF001`.
PRIVATE = {
    "graphql.execution.Executor": "_relevant_sub_fields",
    "strawberry.Schema": "_schema",
    "strawberry.types.ExecutionContext": "_provided_operation_name",
    "strawberry.types.Info": "_raw_info",
}

#: Undocumented module of another package → the names that we import from it.
MODULES = {
    "graphql.execution.collect_fields": """
        CollectedFields FieldDetailsList FragmentDetails collect_fields collect_subfields
    """,
    "graphql.execution.values": "VariableValues get_argument_values get_variable_values",
    "graphql.pyutils": "Path Undefined gather_with_cancel is_iterable",
    "sse_starlette.sse": "AppStatus",
    "strawberry.schema.exceptions": "CannotGetOperationTypeError InvalidOperationTypeError",
    "strawberry.schema.schema": "StrawberryGraphQLCoreExecutionContext",
    "strawberry.schema.validation_rules.maybe_null": "MaybeNullValidationRule",
    "strawberry.schema.validation_rules.one_of": "OneOfInputValidationRule",
    "strawberry.types.base": "StrawberryObjectDefinition",
    "strawberry.types.graphql": "OperationType",
    "strawberry.types.scalar": "ScalarDefinition",
    "uvicorn.protocols.http.httptools_impl": "HttpToolsProtocol RequestResponseCycle",
    "uvicorn.protocols.websockets.websockets_sansio_impl": "WebSocketsSansIOProtocol",
}

#: Variables and attributes through which the source reaches objects of these classes.
REACHED = {
    "cycle": _CYCLE,
    "flow": _FLOW,
    "server_state": _STATE,
    "conn": _FRAMES,
    "executor": _EXECUTOR,
    "_executor": _EXECUTOR,
}

_STANDARD = frozenset({"abc", "asyncio", "builtins", "typing"})


def find_class(name: str) -> Any:
    """Return the class or function of that dotted name.

    Raises:
        ImportError, AttributeError: it has moved.
    """
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


@cache
def names_of(kind: type) -> set[str]:
    """Return the names that `kind` gives its instances and subclasses, without those of the standard library."""
    theirs = _classes(kind)
    standard = set(kind.__mro__) - set(theirs)
    found = {name for one in theirs for name in (*vars(one), *_assigned(one), *inspect.get_annotations(one))}
    return {name for name in found if not name.startswith("__")} - {name for one in standard for name in dir(one)}


def source_of(kind: type) -> str:
    """Return the source of `kind` and of its bases, without that of the standard library."""
    return "\n".join(map(inspect.getsource, _classes(kind)))


def used_names(root: Path, kind: str) -> set[str]:
    """Return the attributes of `kind` that our subclasses use or define, or that are used through `REACHED`."""
    variables = {variable for variable, reached in REACHED.items() if reached == kind}
    found = {name for owner, name in _all_attributes(root) if owner in variables}
    for one in _subclasses(root, kind.rpartition(".")[2]):
        found.update(name for owner, name in _attributes(one) if owner == "self")
        found.update(node.name for node in one.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return found


def private_names(root: Path) -> set[str]:
    """Return the private names of foreign objects, which ruff accepts only with `noqa: SLF001`."""
    return {
        node.attr
        for path, tree in _trees(root).items()
        if "SLF001" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
        if "SLF001" in text.splitlines()[(node.end_lineno or node.lineno) - 1]
    }


def imported_names(root: Path, module: str) -> set[str]:
    """Return the names that our source imports from `module`."""
    return {
        alias.name
        for tree in _trees(root).values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }


@cache
def _trees(root: Path) -> dict[Path, ast.Module]:
    return {path: parse(path) for path in python_files(root, PACKAGES)}


def _classes(kind: type) -> list[type]:
    return [one for one in kind.__mro__ if one.__module__.partition(".")[0] not in _STANDARD]


def _assigned(kind: type) -> Iterator[str]:
    """Yield the attributes that the methods of `kind` assign to `self`."""
    for node in ast.walk(ast.parse(dedent(inspect.getsource(kind)))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _word(node.value) == "self":
            yield node.attr


def _subclasses(root: Path, base: str) -> Iterator[ast.ClassDef]:
    """Yield our subclasses of `base`, direct and indirect. One of our classes may have the same name."""
    left = [node for tree in _trees(root).values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known = {base}
    while found := [one for one in left if known & {_word(of) for of in one.bases}]:
        known.update(one.name for one in found)
        left = [one for one in left if one not in found]
        yield from found


@cache
def _all_attributes(root: Path) -> set[tuple[str, str]]:
    return {found for tree in _trees(root).values() for found in _attributes(tree)}


def _attributes(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the last word of an owner with its attribute: `flow`, `drain` of `self.flow.drain`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield _word(node.value), node.attr


def _word(node: ast.AST) -> str:
    """Return the last word of a name: `flow` of `self.flow`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
