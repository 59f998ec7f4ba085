"""One attempt of the scripted agent: its reports from start to end. Pure.

It reports like any runner outside. Meanwhile people may stop the attempt, delete its card or finish the card
themselves; the agent sees that in the next scene, and reacts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from realtime.clock import iso
from realtime.kanban.attempts import StopAttempt
from realtime.kanban.models import AttemptStatus
from realtime.ports import Attempt
from server.demo import phrases
from server.demo.catalogue import DemoProject
from server.demo.phrases import Action
from server.demo.scene import Json, Scene, Script, Step, event, random_uuid

__all__ = ["ENDINGS", "Work", "carry", "end_of"]

#: Endings of five successive attempts, in any order.
ENDINGS = (AttemptStatus.SUCCEEDED,) * 3 + (AttemptStatus.FAILED, AttemptStatus.STOPPED)
#: Seconds between two reports.
BEAT = (0.7, 1.3)


def carry(work: Work, ending: AttemptStatus) -> Script[None]:
    """Run one queued attempt up to `ending`, or to an earlier end that people cause."""
    for step in work.plot(ending):
        scene = yield step
        work.now = scene.now
        if not _goes_on(work, scene):
            last = end_of(work, scene)
            if last:
                yield last
            return


def end_of(work: Work, scene: Scene) -> Step | None:
    """Return the last report of an attempt that cannot continue, None if it has ended already."""
    row = scene.attempt(work.id)
    if row is None or row.status not in (AttemptStatus.RUNNING, AttemptStatus.STOPPING):
        return None
    if row.status is AttemptStatus.STOPPING:
        return work.end(AttemptStatus.STOPPED, row.status, "warn", "Stopped on request; the worktree is kept")
    if scene.card(work.card_id) is None:
        return work.end(AttemptStatus.STOPPED, row.status, "warn", "The card is gone; nothing left to work on")
    if scene.board.state.is_done(work.attempt.card_id):
        # Without `attempt.completed`, which would move the card out of Done.
        return work.say(
            work.status(AttemptStatus.SUCCEEDED, row.status), work.log("info", "Somebody finished the card")
        )
    return work.end(AttemptStatus.FAILED, row.status, "error", "The runner lost this attempt when it was restarted")


def _goes_on(work: Work, scene: Scene) -> bool:
    row = scene.attempt(work.id)
    running = row is not None and row.status is AttemptStatus.RUNNING
    return running and scene.card(work.card_id) is not None and not scene.board.state.is_done(work.attempt.card_id)


class Work:
    """The agent at work on one attempt; `now` is the time of its next report."""

    def __init__(self, rng: Random, project: DemoProject, attempt: Attempt, scene: Scene) -> None:
        """Begin with `attempt`; choices are made with `rng`."""
        self.attempt = attempt
        self.id = attempt.id
        self.card_id = attempt.card_id
        self.now: datetime = scene.now
        self._rng = rng
        self._project = project
        card, idea = scene.card(attempt.card_id), project.idea_of(attempt.card_id)
        self._title = card.title if card else "a card"
        self._path = idea.path if idea else "src/main.py"
        self._branch = attempt.branch_name or "demo"
        self._worktree = f"{project.repository_path}/.worktrees/{attempt.id[:12]}"
        # The number of the ticket: unique on the board, and the same for the same start.
        self._pull = int(card.ticket_key.rpartition("-")[2]) if card and card.ticket_key else 1

    def plot(self, ending: AttemptStatus) -> Iterator[Step]:
        """Yield the steps of the attempt, up to and including `ending`; each step uses the current `now`."""
        yield from self._beginning()
        todos = [self._fill(text) for text in self._rng.choice(phrases.TODOS)]
        yield self.say(self._todos(todos, 0), self._message("assistant", f"Plan: {'; '.join(todos).lower()}."))
        # An attempt that does not succeed ends in the middle of its todo list.
        rounds = len(todos) if ending is AttemptStatus.SUCCEEDED else self._rng.randint(1, len(todos) - 1)
        for done in range(1, rounds + 1):
            yield from self._act(self._rng.choice(phrases.ACTIONS))
            yield self.say(self._todos(todos, done), self.log("info", f"[agent] done: {todos[done - 1]}"))
        if ending is AttemptStatus.SUCCEEDED:
            yield from self._delivery()
        elif ending is AttemptStatus.FAILED:
            yield from self._failure()
        else:
            yield self._pause(commands=(StopAttempt(attempt_id=self.id),))

    def say(self, *events: Json) -> Step:
        """Return a step that reports `events`."""
        return self._pause(events)

    def log(self, level: str, message: str) -> Json:
        """Return a line of the attempt's log."""
        return self._event("attempt.log.appended", level=level, message=message, ts=iso(self.now))

    def status(self, status: AttemptStatus, previous: AttemptStatus) -> Json:
        """Return a change of status; if it ends the attempt, it has the time."""
        fields: dict[str, Any] = {"cardId": self.card_id, "status": status.value, "previousStatus": previous.value}
        if status is not AttemptStatus.RUNNING:
            fields["endedAt"] = iso(self.now)
        return self._event("attempt.status.changed", **fields)

    def end(self, status: AttemptStatus, previous: AttemptStatus, level: str, message: str) -> Step:
        """Return the step that ends the attempt with `status`, with the reason in its log."""
        completed = self._event("attempt.completed", cardId=self.card_id, status=status.value)
        return self.say(self.log(level, message), self.status(status, previous), completed)

    def _beginning(self) -> Iterator[Step]:
        fields = {"agent": self.attempt.agent, "branchName": self._branch, "baseBranch": "main"}
        tree = {"path": self._worktree, "branchName": self._branch, "baseBranch": "main"}
        yield self.say(
            self._git("worktree.created", **tree),
            self._event("attempt.started", cardId=self.card_id, worktreePath=self._worktree, **fields),
            self.status(AttemptStatus.RUNNING, AttemptStatus.QUEUED),
            self.log("info", f"[runner] worktree ready at {self._worktree}"),
        )
        yield from self._automation("setup", "make setup", "Installed 48 packages")
        yield self.say(
            self._event("attempt.session.recorded", sessionId=f"ses-{random_uuid(self._rng)}"),
            self._message("user", f"Please work on “{self._title}”."),
        )
        title, text = self._rng.choice(phrases.THOUGHTS)
        yield self.say(self._item("thinking", title=title, text=self._fill(text), format="markdown"))

    def _automation(self, stage: str, command: str, stdout: str) -> Iterator[Step]:
        item = {"stage": stage, "command": command, "cwd": self._worktree}
        started = self.now
        yield self.say(self._item("automation", **item, status="running", startedAt=iso(started)))
        yield self.say(self._item("automation", **item, status="succeeded", **self._ran(started, stdout)))

    def _act(self, action: Action) -> Iterator[Step]:
        started = self.now
        tool = {"name": action.name, "action": action.action, "command": self._fill(action.command)}
        tool["cwd"] = self._worktree
        yield self.say(self._item("tool", tool={**tool, "status": "running", "startedAt": iso(started)}))
        ended = {**tool, "status": "succeeded", **self._ran(started, self._fill(action.stdout))}
        yield self.say(self._item("tool", tool=ended), self._git("git.status.changed"))

    def _delivery(self) -> Iterator[Step]:
        sha = f"{self._rng.getrandbits(28):07x}"
        commit = {"shortSha": sha, "subject": self._title, "ts": iso(self.now)}
        yield self.say(
            self._event("attempt.autocommit.requested"),
            self._git("git.commit.created", **commit),
            self._git("git.status.changed"),
        )
        yield self.say(self._git("git.push.completed", remote="origin", branch=self._branch, ts=iso(self.now)))
        yield self.say(self._git("github.pr.created", pr=self._pull_request()))
        yield from self._automation("cleanup", "make clean", "Removed build/")
        yield self.say(self._message("assistant", self._fill(self._rng.choice(phrases.SUMMARIES))))
        yield self.end(AttemptStatus.SUCCEEDED, AttemptStatus.RUNNING, "info", "[runner] attempt succeeded")

    def _failure(self) -> Iterator[Step]:
        failure = self._rng.choice(phrases.FAILURES)
        stderr = self._fill(failure.stderr)
        tool = {"name": "shell", "action": "run", "command": failure.command, "cwd": self._worktree}
        outcome = {
            **self._ran(self.now - timedelta(seconds=1), ""),
            "status": "failed",
            "exitCode": failure.exit_code,
            "stderr": stderr,
        }
        yield self.say(self._item("tool", tool={**tool, **outcome}), self.log("warn", f"[agent] {stderr}"))
        details = {"command": failure.command, "exitCode": failure.exit_code}
        yield self.say(self._item("error", text=failure.text, details=details))
        yield self.end(AttemptStatus.FAILED, AttemptStatus.RUNNING, "error", f"[runner] attempt failed: {failure.text}")

    def _pull_request(self) -> Json:
        return {
            "number": self._pull,
            "url": self._project.pull_url(self._pull),
            "state": "open",
            "draft": False,
            "title": self._title,
            "headRef": self._branch,
            "baseRef": "main",
            "createdAt": iso(self.now),
        }

    def _todos(self, texts: list[str], done: int) -> Json:
        items = [
            {"id": f"todo-{n}", "text": text, "status": "done" if n <= done else "open"}
            for n, text in enumerate(texts, start=1)
        ]
        return self._event("attempt.todos.updated", todos={"total": len(texts), "completed": done, "items": items})

    def _message(self, role: str, text: str) -> Json:
        return self._item("message", role=role, text=text, format="markdown")

    def _item(self, type: str, **fields: Any) -> Json:
        # Each report has its own id, because the original's client drops a second item with the same id.
        item = {"id": self._item_id(), "timestamp": iso(self.now), "type": type, **fields}
        return self._event("attempt.conversation.appended", item=item)

    def _item_id(self) -> str:
        return f"item-{random_uuid(self._rng)}"

    def _ran(self, started: datetime, stdout: str) -> Json:
        times = {"startedAt": iso(started), "completedAt": iso(self.now)}
        took = (self.now - started) // timedelta(milliseconds=1)
        return {**times, "durationMs": took, "exitCode": 0, "stdout": stdout}

    def _event(self, name: str, **fields: Any) -> Json:
        return event(name, {"attemptId": self.id, "boardId": self.attempt.board_id, **fields})

    def _git(self, name: str, **fields: Any) -> Json:
        return event(name, {"projectId": self.attempt.board_id, "attemptId": self.id, **fields})

    def _pause(self, events: tuple[Json, ...] = (), commands: tuple[StopAttempt, ...] = ()) -> Step:
        return Step(self._rng.uniform(*BEAT), events, commands)

    def _fill(self, text: str) -> str:
        # Not `format`, because a title from people may contain braces.
        return text.replace("{title}", self._title).replace("{path}", self._path)
