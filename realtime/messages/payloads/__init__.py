"""Payloads of envelopes: one class per type, all in one registry (docs/events.md, "Envelopes").

`translate` makes them from events. JSON, the GraphQL mapping and the page of envelopes use their attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from realtime.messages.payloads.agents import AgentProfile, AgentRegistered
from realtime.messages.payloads.attempts import (
    AttemptLog,
    AttemptSession,
    AttemptStarted,
    AttemptStatusChanged,
    AttemptTodos,
    ConversationItemAppended,
)
from realtime.messages.payloads.base import Payload
from realtime.messages.payloads.board import (
    CardCreated,
    CardDeleted,
    CardMoved,
    CardUpdated,
    ColumnsChanged,
    Overview,
    Patch,
    State,
    of_change,
)
from realtime.messages.payloads.git import AttemptPullRequest, GitCommit, GitPush, GitStatus
from realtime.messages.payloads.stream import Access, CommandRefused, Gap, Goodbye, Heartbeat, Hello, Pong

__all__ = [
    "PAYLOADS",
    "Access",
    "AgentProfile",
    "AgentRegistered",
    "AttemptLog",
    "AttemptPullRequest",
    "AttemptSession",
    "AttemptStarted",
    "AttemptStatusChanged",
    "AttemptTodos",
    "CardCreated",
    "CardDeleted",
    "CardMoved",
    "CardUpdated",
    "ColumnsChanged",
    "CommandRefused",
    "ConversationItemAppended",
    "Gap",
    "GitCommit",
    "GitPush",
    "GitStatus",
    "Goodbye",
    "Heartbeat",
    "Hello",
    "Overview",
    "Patch",
    "Payload",
    "Pong",
    "State",
    "of_change",
]

#: Type of the envelope → class of its payload, in the order in which pages list them.
PAYLOADS: Mapping[str, type[Payload]] = MappingProxyType(
    {
        one.type: one
        for one in (
            *(Hello, State, Overview),
            *(AttemptStarted, AttemptStatusChanged, AttemptLog, ConversationItemAppended),
            *(AttemptSession, AttemptTodos),
            *(GitStatus, GitCommit, GitPush, AttemptPullRequest),
            *(AgentRegistered, AgentProfile),
            *(CardCreated, CardUpdated, CardMoved, CardDeleted, ColumnsChanged, Patch),
            *(Heartbeat, Pong, Access, CommandRefused, Gap, Goodbye),
        )
    }
)
