"""The service between exits, entries and core; other rooms import every name from here.

See docs/architecture.md, "The write path".
"""

from __future__ import annotations

from realtime.kanban.grants import EVERYTHING, NOTHING, Action, Grants, parse_grants
from realtime.service.access import SERVER, Caller
from realtime.service.attempts import AttemptChange
from realtime.service.nodes import SeenNode
from realtime.service.projects import ProjectChange
from realtime.service.service import Service
from realtime.service.sessions import Sessions
from realtime.service.streams import has_heartbeats
from realtime.tokens.new_token import CreateToken
from realtime.tokens.token_book import Made
from realtime.writing.bus import Accepted
from realtime.writing.command_unit import Executed

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "SERVER",
    "Accepted",
    "Action",
    "AttemptChange",
    "Caller",
    "CreateToken",
    "Executed",
    "Grants",
    "Made",
    "ProjectChange",
    "SeenNode",
    "Service",
    "Sessions",
    "has_heartbeats",
    "parse_grants",
]
