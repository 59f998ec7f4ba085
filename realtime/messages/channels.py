"""Channels: the topics of subscribers. One per board and delivery, one per range of the dashboard, `*` for all."""

from __future__ import annotations

from typing import NewType

from realtime.kanban.ids import BoardId
from realtime.messages.options import Delivery

__all__ = [
    "ACCESS",
    "DASHBOARD",
    "EVERYBODY",
    "Channel",
    "board_channel",
    "board_of",
    "dashboard_channel",
    "delivery_channel",
    "delivery_channels",
    "delivery_of",
]

#: The name of a channel, and of its log.
Channel = NewType("Channel", str)

#: Global events (agents, settings); the subscribers of every other channel get those that have an envelope.
EVERYBODY = Channel("*")
#: Access tokens and sessions. It has no events: its head grows with each change of them.
ACCESS = Channel("access")
#: All ranges of the dashboard; only their positions have this name, and the hints to compute them again.
DASHBOARD = Channel("dashboard")


_BOARD = "board:"
_PREFIXES = {one: _BOARD if one is Delivery.STATE else f"{one}:" for one in Delivery}


def board_channel(board_id: BoardId) -> Channel:
    """Return the channel of a board. The prefix separates a board named `dashboard` or `*` from other channels."""
    return Channel(f"{_BOARD}{board_id}")


def board_of(channel: Channel) -> BoardId | None:
    """Return the board of a channel, None if it is not a board's channel."""
    return BoardId(channel.removeprefix(_BOARD)) if channel.startswith(_BOARD) else None


def delivery_channel(board_id: BoardId, delivery: Delivery) -> Channel:
    """Return the channel of the subscribers of a board that use one delivery; it is not the name of a log.

    The channel of the delivery `state` is `board_channel`.
    """
    return Channel(_PREFIXES[delivery] + board_id)


def delivery_channels(board_id: BoardId) -> tuple[tuple[Delivery, Channel], ...]:
    """Return each delivery of a board with its channel."""
    return tuple((delivery, Channel(prefix + board_id)) for delivery, prefix in _PREFIXES.items())


def delivery_of(channel: Channel) -> tuple[BoardId | None, str]:
    """Return the board and the delivery of a subscriber's channel; of a dashboard's, None and its time range."""
    prefix, _, rest = channel.partition(":")
    delivery = next((one for one, known in _PREFIXES.items() if known == f"{prefix}:"), None)
    return (None, rest) if delivery is None else (BoardId(rest), str(delivery))


def dashboard_channel(time_range_key: str) -> Channel:
    """Return the channel of the dashboard for one time range."""
    return Channel(f"dashboard:{time_range_key}")
