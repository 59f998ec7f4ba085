"""How the things on a board look on the wire: key names, key order, omitted keys (contract §1.1).

Encodes only; what comes in is parsed by `commands`, `events` and `state_input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from realtime.clock import iso
from realtime.kanban.models import ENCODED, ENCODED_BEFORE, BoardState, Card, Column, Project

__all__ = ["CARD_KEYS", "card_json", "card_wire", "columns_wire", "project_wire", "state_json"]

# `card_wire` ends with `updatedAt`, whose text has always the same length.
_TIME_BYTES = len(b'2025-01-02T03:04:05.678Z"}')
#: Attribute of a card → its key on the wire; a card's id never changes and its column is told by the column.
CARD_KEYS: Mapping[str, str] = {
    "ticket_key": "ticketKey",
    "pr_url": "prUrl",
    "disable_auto_close_on_pr_merge": "disableAutoCloseOnPRMerge",
    "ticket_type": "ticketType",
    "is_enhanced": "isEnhanced",
    "github_issue": "githubIssue",
    "title": "title",
    "description": "description",
    "depends_on": "dependsOn",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
}


def card_wire(card: Card) -> dict[str, Any]:
    """Return a card as it travels: keys in the contract's order, keys without a value absent."""
    wire: dict[str, Any] = {"id": card.id}
    if card.ticket_key is not None:
        wire["ticketKey"] = card.ticket_key
    if card.pr_url is not None:
        wire["prUrl"] = card.pr_url
    wire["disableAutoCloseOnPRMerge"] = card.disable_auto_close_on_pr_merge
    wire["ticketType"] = card.ticket_type
    wire["isEnhanced"] = card.is_enhanced
    if card.github_issue is not None:
        wire["githubIssue"] = {"issueNumber": card.github_issue.issue_number, "url": card.github_issue.url}
    wire["title"] = card.title
    if card.description is not None:
        wire["description"] = card.description
    if card.depends_on:
        wire["dependsOn"] = list(card.depends_on)
    wire["createdAt"] = iso(card.created_at)
    wire["updatedAt"] = iso(card.updated_at)
    return wire


def card_json(card: Card) -> bytes:
    """Return `card_wire` as JSON, encoded once in the life of a card (cards are immutable).

    Of a card that a move only renewed, all but the time is that of the card before.
    """
    own = card.__dict__
    cached: bytes | None = own.get(ENCODED)
    if cached is None:
        before: bytes | None = own.pop(ENCODED_BEFORE, None)
        if before is None:
            cached = orjson.dumps(card_wire(card))
        else:
            cached = before[:-_TIME_BYTES] + iso(card.updated_at).encode() + b'"}'
        own[ENCODED] = cached
    return cached


def columns_wire(*columns: Column) -> dict[str, Any]:
    """Return columns by id."""
    return {column.id: {"id": column.id, "title": column.title, "cardIds": list(column.card_ids)} for column in columns}


def state_json(state: BoardState) -> bytes:
    """Return a BoardState as JSON, joined from the cached bytes of its cards.

    The cards come by their place in the column, ties by creation: the order in which the original's database
    gave them. No client depends on it, but so a state is the original's byte for byte.
    """
    place = {card_id: n for column in state.columns.values() for n, card_id in enumerate(column.card_ids)}
    cards = sorted(state.cards.values(), key=lambda card: place[card.id])
    head = orjson.dumps({"columns": columns_wire(*state.columns.values()), "columnOrder": list(state.columns)})
    entries = b",".join(orjson.dumps(card.id) + b":" + card_json(card) for card in cards)
    return head[:-1] + b',"cards":{' + entries + b"}}"


def project_wire(project: Project) -> dict[str, Any]:
    """Return a project as the REST calls show it."""
    return {
        "id": project.id,
        "boardId": project.id,
        "name": project.name,
        "status": project.status,
        "createdAt": iso(project.created_at),
        "repositoryPath": project.repository_path,
        "repositoryUrl": project.repository_url,
        "repositorySlug": project.repository_slug,
    }
