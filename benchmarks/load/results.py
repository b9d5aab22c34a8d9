"""What a run found, as data: stages, and the comparisons that the issue's targets are about."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.load.events.figures import EventFigures
from benchmarks.load.machine import Machine
from benchmarks.load.prompts import PromptCost
from benchmarks.load.wrk import Figures

#: Where the figures that docs/scale.md is computed from are kept.
FILE = Path(__file__).parents[1] / "results" / "load.json"


@dataclass(frozen=True)
class Stage:
    """One target under `callers` callers, with a model that answers after `latency_ms`.

    `cpu_ms` is the target's processor time for a request, `peak_mib` the most it has held so far.
    """

    target: str
    latency_ms: int
    callers: int
    figures: Figures
    cpu_ms: float
    peak_mib: float

    @classmethod
    def read(cls, value: dict[str, Any]) -> Self:
        return cls(**{**value, "figures": Figures(**value["figures"])})


@dataclass(frozen=True)
class Request:
    """What one execution of the measured agent is: tokens by the model's account, bytes to it and stored."""

    agent: str
    prompt_tokens: int
    completion_tokens: int
    chat_bytes: int
    execution_bytes: int


@dataclass(frozen=True)
class Results:
    """Of one run; `stored` are executions in the store beside `answered` ones, of the agent.

    `prompts` are all agents' tokens; `events` is None where they were not measured.
    """

    machine: Machine
    seconds: float
    request: Request
    prompts: tuple[PromptCost, ...]
    stages: tuple[Stage, ...]
    answered: int
    stored: int
    events: EventFigures | None = None

    def stage(self, target: str, latency_ms: int, callers: int) -> Stage | None:
        return next(
            (
                stage
                for stage in self.stages
                if (stage.target, stage.latency_ms, stage.callers) == (target, latency_ms, callers)
            ),
            None,
        )

    def added_ms(self, target: str, latency_ms: int, callers: int) -> float | None:
        """What the target adds to the stub's own median; None where either answered nothing."""
        one, stub = self.stage(target, latency_ms, callers), self.stage("stub", latency_ms, callers)
        if not (one and stub and one.figures.good and stub.figures.good):
            return None
        return one.figures.p50 - stub.figures.p50

    def most_per_second(self, target: str, latency_ms: int) -> float | None:
        found = [
            stage.figures.per_second
            for stage in self.stages
            if (stage.target, stage.latency_ms) == (target, latency_ms)
        ]
        return max(found, default=None)

    def peak_mib(self, target: str) -> float | None:
        return max((stage.peak_mib for stage in self.stages if stage.target == target), default=None)

    def save(self, file: Path = FILE) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")


def load(file: Path = FILE) -> Results:
    """Raises FileNotFoundError when nothing was measured."""
    value = json.loads(file.read_text())
    return Results(
        machine=Machine(**value["machine"]),
        seconds=value["seconds"],
        request=Request(**value["request"]),
        prompts=tuple(PromptCost(**one) for one in value["prompts"]),
        stages=tuple(Stage.read(stage) for stage in value["stages"]),
        answered=value["answered"],
        stored=value["stored"],
        events=EventFigures(**value["events"]) if value.get("events") else None,
    )


def ratio(one: float | None, other: float | None) -> float | None:
    """`one` in shares of `other`; None where either was not measured or means nothing."""
    return one / other if one is not None and other is not None and other > 0 else None


def levels(stages: Sequence[Stage]) -> list[tuple[int, int]]:
    """Each (latency, callers) that was measured, in order."""
    return sorted({(stage.latency_ms, stage.callers) for stage in stages})
