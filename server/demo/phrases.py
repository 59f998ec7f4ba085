"""The texts of the scripted agent. The agent replaces `{title}` and `{path}`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACTIONS", "FAILURES", "SUMMARIES", "THOUGHTS", "TODOS", "Action", "Failure"]


@dataclass(frozen=True, slots=True)
class Action:
    """The use of a tool, and its output."""

    name: str
    action: str
    command: str
    stdout: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure of an attempt: a command that fails, and the agent's last message."""

    command: str
    stderr: str
    exit_code: int
    text: str


THOUGHTS = (
    ("Where to begin", "The behaviour lives in `{path}`. I will read its callers before I change anything."),
    ("Smallest change", "A new layer is not needed: `{path}` already has the seam, it is only not used."),
    ("What could break", "Two callers rely on the old order. A test first, so that I notice."),
    ("Edge cases", "Empty input, a second call, and a value from last year. The card is silent on the last."),
)
TODOS = (
    ("Read {path}", "Write the failing test", "Make the change", "Run the suite"),
    ("Find the callers of {path}", "Draft the change", "Cover the edge cases"),
    ("Reproduce it", "Fix it in {path}", "Clean up after the fix", "Run the suite"),
)
ACTIONS = (
    Action("read_file", "read", "cat {path}", "184 lines"),
    Action("search", "search", "rg -n 'export|def ' {path}", "12 matches in 3 files"),
    Action("edit_file", "edit", "apply_patch {path}", "+27 -9"),
    Action("shell", "run", "git diff --stat", " {path} | 36 ++++++++++++++++++++++++++---------"),
    Action("shell", "run", "make lint", "All checks passed."),
    Action("shell", "run", "make test", "214 passed in 6.8s"),
)
FAILURES = (
    Failure("make test", "2 failed, 212 passed in 7.1s", 1, "Two tests still fail and I do not see why."),
    Failure(
        "git rebase origin/main", "CONFLICT (content): Merge conflict in {path}", 1, "I cannot resolve the conflict."
    ),
    Failure("make build", "killed: out of memory", 137, "The build was killed; the machine is too small."),
)
SUMMARIES = (
    "Done: **{title}**. The change is in `{path}`, with a test that failed before it.",
    "`{path}` now does what the card asks. I left the public names as they were.",
    "Finished. One thing to look at in review: the order in `{path}` changed on purpose.",
)
