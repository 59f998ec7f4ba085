"""The demo (`--demo`): two projects and a scripted agent, which uses the same entries as every client.

catalogue  phrases      what there is to say                               data
scene                   the words of a script: Scene, Step, Script         pure
people  agent  script   what happens on a board, given how it stands       pure, deterministic for a seed
seeding                 the events that make the projects                  pure
show                    carries the steps out on a node, until it is told to stop

See docs/operating.md, "Settings".
"""

from __future__ import annotations

from server.demo.show import running_demo

__all__ = ["running_demo"]
