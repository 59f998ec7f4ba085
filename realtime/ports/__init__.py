"""The ports: protocols that a back-end implements; the docstrings are the contracts that `tests/contract/` checks.

A back-end implements each protocol that it can. No protocol has a method that raises `NotImplementedError`. Other rooms
import every name from here.

See docs/guarantees.md.
"""

from __future__ import annotations

from realtime.ports.broker import Broker, BrokerStatistics, Handler, Heads, Listener
from realtime.ports.keys import FirstAnswer, KeyedRequest, RequestKey
from realtime.ports.log import HistoryReader, Horizon, LoggedEvent, LogPruner, NewEvent, Span, StoredEvent
from realtime.ports.nodes import NodeBook, StoredNode
from realtime.ports.readers import AttemptReader, BatchReader, BoardReader, DashboardReader
from realtime.ports.rows import Agent, Attempt, AttemptKey, CardKey, LogEntry, Page, Profile, StoredBoard
from realtime.ports.sessions import SessionStore, StoredSession
from realtime.ports.spans import UNTRACED, WriteSpans
from realtime.ports.store import MAX_UNCHANGED, EventStore, Inventory, Store, Transaction
from realtime.ports.tokens import AccessToken, TokenStore

__all__ = [
    "MAX_UNCHANGED",
    "UNTRACED",
    "AccessToken",
    "Agent",
    "Attempt",
    "AttemptKey",
    "AttemptReader",
    "BatchReader",
    "BoardReader",
    "Broker",
    "BrokerStatistics",
    "CardKey",
    "DashboardReader",
    "EventStore",
    "FirstAnswer",
    "Handler",
    "Heads",
    "HistoryReader",
    "Horizon",
    "Inventory",
    "KeyedRequest",
    "Listener",
    "LogEntry",
    "LogPruner",
    "LoggedEvent",
    "NewEvent",
    "NodeBook",
    "Page",
    "Profile",
    "RequestKey",
    "SessionStore",
    "Span",
    "Store",
    "StoredBoard",
    "StoredEvent",
    "StoredNode",
    "StoredSession",
    "TokenStore",
    "Transaction",
    "WriteSpans",
]
