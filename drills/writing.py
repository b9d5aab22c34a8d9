"""Writers: callers that execute for as long as they are entered, and note what was acknowledged."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from drills.agents import Agents
from drills.journal import Journal, Sentinel

#: Seconds between two requests of a caller. The model has a limit of tokens a minute.
_PAUSE = 1.0
_LEAVE_SECONDS = 65.0


def message(token: str) -> tuple[str, dict[str, Any]]:
    """An execution that nobody else acts upon."""
    return "notification", {
        "channel": "teams",
        "recipient": "drills",
        "message": f"Sentinel {token}",
        "severity": "info",
    }


def incident(token: str) -> tuple[str, dict[str, Any]]:
    """An execution that others follow: operations proposes, and notification tells of both."""
    return "servicedesk", {
        "title": f"Nobody can sign in to the order portal ({token})",
        "description": "Since nine everyone gets 'token issuer not trusted'.",
        "reporter": "drills@example.com",
        "reportedAt": "2026-11-24T08:12:00Z",
        "affectedUsers": 240,
    }


class Writers:
    """`run` begins every correlation id; `now` is the drill's clock."""

    def __init__(
        self, agents: Agents, journal: Journal, run: str, now: Callable[[], datetime], callers: int = 2
    ) -> None:
        self.run = run
        self._agents, self._journal, self._now = agents, journal, now
        self._numbers, self._lock = itertools.count(1), threading.Lock()
        self._written: dict[int, Sentinel] = {}
        self._callers = callers
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._stop.clear()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(self._callers)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_LEAVE_SECONDS)

    @property
    def sentinels(self) -> list[Sentinel]:
        """As last known, by number."""
        with self._lock:
            return [self._written[number] for number in sorted(self._written)]

    def unanswered_since(self, moment: datetime) -> datetime | None:
        """When the first was sent, after `moment`, that was not acknowledged; None if all were."""
        failed = [one.sent for one in self.sentinels if one.failure and one.sent >= moment]
        return min(failed, default=None)

    def one(self, kind: Callable[[str], tuple[str, dict[str, Any]]] = message) -> Sentinel:
        """Write a sentinel now; what became of it is in the result."""
        number = next(self._numbers)
        agent, given = kind(f"{self.run} {number} {uuid.uuid4()}")
        sentinel = Sentinel(
            number=number, agent=agent, correlation=f"{self.run}-{number}", input=given, sent=self._now()
        )
        self._keep(sentinel)
        try:
            answer = self._agents.execute(agent, sentinel.correlation, given)
        except httpx.HTTPError as error:
            return self._keep(sentinel.model_copy(update={"failure": f"{type(error).__name__}: {error}"}))
        if answer.status_code != httpx.codes.OK:
            failure = f"{answer.status_code} {answer.text[:300]}"
            return self._keep(sentinel.model_copy(update={"failure": failure}))
        known = {"acknowledged": self._now(), "answer": answer.json()}
        return self._keep(sentinel.model_copy(update=known))

    def _keep(self, sentinel: Sentinel) -> Sentinel:
        self._journal.write(sentinel)
        with self._lock:
            self._written[sentinel.number] = sentinel
        return sentinel

    def _call(self) -> None:
        while not self._stop.is_set():
            self.one()
            self._stop.wait(_PAUSE)
