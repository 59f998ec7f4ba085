"""The service between exits, entries and core; other rooms import every name from here.

See docs/architecture.md, "The write path".
"""

from __future__ import annotations

from realtime.service.access import SERVER, Access, Action, Caller, OpenAccess
from realtime.service.attempts import AttemptChange
from realtime.service.projects import ProjectChange
from realtime.service.service import Service
from realtime.service.streams import has_heartbeats
from realtime.writing.bus import Accepted, Executed

__all__ = [
    "SERVER",
    "Accepted",
    "Access",
    "Action",
    "AttemptChange",
    "Caller",
    "Executed",
    "OpenAccess",
    "ProjectChange",
    "Service",
    "has_heartbeats",
]
