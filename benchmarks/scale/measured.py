"""What of the benchmark's figures capacity is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean, median

from benchmarks.load.results import Results

#: Fewer answers than this say nothing about what one costs.
_ENOUGH = 50


class TooLittleError(ValueError):
    """The benchmark's file does not have what is needed; the message says what and how to get it."""


@dataclass(frozen=True)
class Measured:
    """Of one execution: processor time, the model's tokens (averages over the agents), bytes as stored.

    `consume_ms` is the processor time of taking an event from the queue, 0 where that was not measured.
    `peak_mib` is the most memory that a process has held. `calm` is False for figures of a busy machine.
    """

    cpu_ms: float
    consume_ms: float
    peak_mib: float
    prompt_tokens: float
    completion_tokens: float
    max_tokens: float
    execution_bytes: int
    machine: str
    at: str
    calm: bool


def read(results: Results) -> Measured:
    """Raises TooLittleError."""
    stages = [
        stage
        for stage in results.stages
        if stage.target == "app" and stage.callers > 1 and stage.figures.good >= _ENOUGH
    ]
    peak = results.peak_mib("app")
    if not stages or peak is None:
        raise TooLittleError(f"no stage of the agent has several callers and {_ENOUGH} answers")
    machine = results.machine
    return Measured(
        # Processor time hardly depends on what else a machine does; throughput and latency do.
        cpu_ms=round(median(stage.cpu_ms for stage in stages), 2),
        consume_ms=round(results.events.consume_cpu_ms, 2) if results.events else 0.0,
        peak_mib=peak,
        prompt_tokens=round(mean(one.prompt_tokens for one in results.prompts)),
        completion_tokens=round(mean(one.completion_tokens for one in results.prompts)),
        max_tokens=round(mean(one.max_tokens for one in results.prompts)),
        execution_bytes=results.request.execution_bytes,
        machine=f"{machine.cores} cores of {machine.processor}",
        at=machine.at,
        calm=machine.calm,
    )
