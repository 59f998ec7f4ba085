"""The texts of settings: lists, host names, networks, secrets, folders.

Each check raises a `ValueError` with what was expected and what came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path

from realtime.clock import parse_iso
from realtime.messages.options import SlowPolicy

__all__ = [
    "check_secrets",
    "has_tracing",
    "host_names",
    "instant",
    "is_loopback",
    "networks",
    "node_name",
    "policies",
    "single",
    "web_client",
]

#: The characters of a bearer token (RFC 6750, 2.1), and their least number.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
MIN_TOKEN_CHARACTERS = 16
#: A host name or address of the server, IPv6 in brackets, with an optional port; `*` = all.
_HOST = re.compile(r"\*|(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]*]+)(:\d{1,5})?")
#: Names of nodes are parts of tokens and of the configurations of proxies.
_NODE = re.compile(r"[A-Za-z0-9_-]{0,64}")


def has_tracing(wanted: bool) -> bool:
    """Return `wanted`; traces need the packages of an extra."""
    if wanted and (find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None):
        raise ValueError("--open-telemetry needs more packages: pip install 'boardcast[otel]'")
    return wanted


def single(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts without spaces around them, and without empty ones."""
    return tuple(filter(None, map(str.strip, texts)))


def check_secrets(setting: str, secrets: Sequence[str]) -> None:
    """Check the form of secrets; the message names the place of a wrong one, not its value."""
    for place, secret in enumerate(secrets, 1):
        if len(secret) < MIN_TOKEN_CHARACTERS or not _TOKEN.fullmatch(secret):
            raise ValueError(
                f"{setting}: expected at least {MIN_TOKEN_CHARACTERS} characters of A-Z a-z 0-9 - . _ ~ + / and "
                f"= at the end in each, got something else as number {place}"
            )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def policies(text: str) -> str:
    """Return names of slow policies, separated by commas."""
    for name in text.split(","):
        if name not in set(SlowPolicy):
            raise ValueError(f"expected some of {', '.join(SlowPolicy)}, separated by commas, got {name!r}")
    return text


def host_names(text: str) -> str:
    """Return host names, separated by commas."""
    for name in filter(None, map(str.strip, text.split(","))):
        if not _HOST.fullmatch(name):
            raise ValueError(f"expected names or addresses, with or without a port, separated by commas, got {name!r}")
    return text


def networks(text: str) -> str:
    """Return addresses and networks, separated by commas."""
    for name in single(text.split(",")):
        try:
            ip_network(name)
        except ValueError as error:
            raise ValueError(
                f"expected addresses or networks (10.0.0.0/8), separated by commas, got {name!r}"
            ) from error
    return text


def node_name(text: str) -> str:
    """Return the name of a node, or an empty text."""
    if not _NODE.fullmatch(text):
        raise ValueError("expected at most 64 characters of A-Z a-z 0-9 - _")
    return text


def web_client(folder: Path | None) -> Path | None:
    """Return a folder with a page, or None."""
    if folder is not None:
        index = (folder / "index.html").resolve()
        # Do not follow a link that leads out of the folder.
        if not index.is_file() or not index.is_relative_to(folder.resolve()):
            raise ValueError("expected a folder with an index.html in it")
    return folder


def instant(text: str | None) -> str | None:
    """Return an ISO 8601 instant, or None."""
    if text is not None:
        parse_iso(text)
    return text
