"""Whether the data is what it must be: every sentinel read back and compared with what was acknowledged."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from drills.agents import Agents
from drills.journal import Sentinel
from drills.report import Check

#: Requests at a time, and seconds until something that does not answer properly is given up.
_ABREAST, _PATIENCE = 4, 60.0
#: An execution as it was read back, None where there is none.
Answers = Mapping[int, dict[str, Any] | None]


class UnreadableError(Exception):
    """An agent says neither what it has nor that it has nothing."""


@dataclass(frozen=True)
class Restored:
    """The data are as of `as_of`: what was written later, up to `began`, is not wanted.

    From `began` to `adopted` agents move from one database to the other; from then on they write to the new
    one, where all must stay.
    """

    as_of: datetime
    began: datetime
    adopted: datetime

    @property
    def cut(self) -> tuple[datetime, datetime]:
        """Between which moments calls may have been cut off."""
        return self.as_of, self.as_of

    def wants(self, sent: datetime, acknowledged: datetime) -> bool | None:
        """Whether it must be there (True), or must not (False); None: nobody can say."""
        if acknowledged <= self.as_of or sent >= self.adopted:
            return True
        return False if sent > self.as_of and acknowledged < self.began else None


@dataclass(frozen=True)
class Behind:
    """The copy that took over was `lag` seconds behind when the original was lost at `failed`.

    What is older than that must be there, and what was written from `served` on, when the copy answered.
    `resolution`, seconds: how exactly the moment of the loss is known, and how often something is written.
    """

    failed: datetime
    lag: float
    resolution: float
    served: datetime

    @property
    def cut(self) -> tuple[datetime, datetime]:
        """As of `Restored`."""
        margin = timedelta(seconds=self.resolution)
        return self.failed - timedelta(seconds=self.lag) - margin, self.failed + margin

    def wants(self, sent: datetime, acknowledged: datetime) -> bool | None:
        """As of `Restored`. Nothing that was on its way must have been lost: it may have arrived."""
        return True if acknowledged <= self.cut[0] or sent >= self.served else None

    def problems(self, measured: float) -> list[str]:
        """Whether so much was lost as was behind. Less means that nothing was tested."""
        if abs(measured - self.lag) <= self.resolution:
            return []
        behind = f"{self.lag:.0f} s behind, give or take {self.resolution:.0f} s"
        return [f"RPO is {measured:.1f} s where the copy was {behind}"]


@dataclass(frozen=True)
class Judgement:
    """`problems` are empty where all is as it must be.

    `due` sentinels had to be there, `newer` ones had not to, and of `undecided` ones nobody can say. Of those
    acknowledged before the failure, `lost` are not there, and `newest` is when the last one that is there was
    acknowledged.
    """

    due: int
    newer: int
    undecided: int
    lost: int
    newest: datetime | None
    problems: list[str] = field(default_factory=list)


def read_back(agents: Agents, sentinels: Sequence[Sentinel]) -> Answers:
    """Of all that were acknowledged. Raises UnreadableError."""
    wanted = [one for one in sentinels if one.acknowledged]
    with ThreadPoolExecutor(_ABREAST) as pool:
        found = list(pool.map(lambda one: _read(agents, one), wanted))
    return {one.number: answer for one, answer in zip(wanted, found, strict=True)}


def _read(agents: Agents, sentinel: Sentinel) -> dict[str, Any] | None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            answer = agents.read(sentinel.agent, sentinel.id)
            if answer.status_code == httpx.codes.OK:
                found: dict[str, Any] = answer.json()
                return found
            if _is_absent(answer):
                return None
            said = f"{answer.status_code} {answer.text[:200]}"
        except httpx.HTTPError as error:
            said = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            raise UnreadableError(f"sentinel {sentinel.number} cannot be read: {said}")
        time.sleep(0.5)


def _is_absent(answer: httpx.Response) -> bool:
    """The agent's own 404: an ingress without a route has another."""
    return answer.status_code == httpx.codes.NOT_FOUND and "problem+json" in answer.headers["content-type"]


def judge(
    sentinels: Sequence[Sentinel],
    answers: Answers,
    *,
    failed: datetime,
    restored: Restored | Behind | None = None,
) -> Judgement:
    """Without `restored`, everything acknowledged must be there, whenever it was written."""
    problems: list[str] = []
    wanted: list[bool | None] = []
    lost, newest = 0, None
    for one in sentinels:
        if one.acknowledged is None:
            continue
        answer = answers[one.number]
        if one.acknowledged <= failed:
            lost += answer is None
            newest = newest if answer is None else max(newest or one.acknowledged, one.acknowledged)
        due = is_due(one, restored)
        wanted.append(due)
        if due and answer is None:
            problems.append(f"sentinel {one.number}, acknowledged {_said(one.acknowledged)}, is missing")
        if due is False and answer is not None:
            problems.append(f"sentinel {one.number}, sent {_said(one.sent)}, is newer and is there")
        if answer is not None and answer != one.answer:
            problems.append(f"sentinel {one.number} is altered: {_difference(one.answer or {}, answer)}")
    return Judgement(wanted.count(True), wanted.count(False), wanted.count(None), lost, newest, problems)


def judged(judgement: Judgement) -> Check:
    """A check fails also where there was nothing to judge."""
    looked_at = f"{judgement.due} that must be there, {judgement.newer} that must not"
    nothing = (
        [] if judgement.due else ["no sentinel that had to be there was acknowledged: nothing was tested"]
    )
    return Check(name="content", looked_at=looked_at, problems=[*judgement.problems, *nothing])


def is_due(sentinel: Sentinel, restored: Restored | Behind | None) -> bool | None:
    """Whether an acknowledged sentinel must be there (True) or must not (False); None: it may be either.

    A write lies between sending and acknowledging. Where that is on both sides of a moment, or while agents
    move, nobody can say.
    """
    if sentinel.acknowledged is None:
        return None
    return restored is None or restored.wants(sentinel.sent, sentinel.acknowledged)


def _said(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    keys = [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]
    return "; ".join(f"{key} was {wanted.get(key)!r} and is {found.get(key)!r}" for key in keys)
