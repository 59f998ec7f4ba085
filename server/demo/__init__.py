"""The demo (`--demo`): two projects and a scripted agent, which uses the same entries as every client.

catalogue  phrases      the texts                                           data
scene                   the types of a script: Scene, Step, Script          pure
people  agent  script   the next step on a board, given its current state   pure, deterministic for a seed
seeding                 the events that create the projects                 pure
show                    carries the steps out, until it is stopped

See docs/operating.md, "Settings".
"""

from __future__ import annotations

from server.demo.show import running_demo

__all__ = ["running_demo"]
