"""Runs steps two at a time, each when those it needs are done; stops the rest when one fails."""

from __future__ import annotations

import graphlib
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from sandbox.toolchain.report import Report, StepError
from sandbox.toolchain.shell import Shell
from sandbox.toolchain.step import Step

#: One step compiles on all cores while the other mostly waits for the network.
_AT_ONCE = 2


class Runner:
    """`order` is kept among the steps that are free to start."""

    def __init__(self, steps: Sequence[Step], logs: Path, report: Report) -> None:
        self._steps = {step.name: step for step in steps}
        self._order = list(self._steps)
        self._logs = logs
        self._report = report
        self._shells: dict[str, Shell] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def run(self) -> None:
        """Raises StepError for the first step that fails, after the others have ended."""
        graph = graphlib.TopologicalSorter(
            {name: [need for need in step.needs if need in self._steps] for name, step in self._steps.items()}
        )
        graph.prepare()
        waiting: list[str] = []
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                while graph.is_active():
                    waiting = sorted([*waiting, *graph.get_ready()], key=self._order.index)
                    while waiting and len(running) < _AT_ONCE:
                        name = waiting.pop(0)
                        running[pool.submit(self._one, self._steps[name])] = name
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        name = running.pop(future)
                        future.result()
                        graph.done(name)
            except BaseException:
                self._stop()
                raise

    def _one(self, step: Step) -> None:
        shell = Shell(self._logs / f"{step.name}.log")
        with self._lock:
            if self._stopped:
                return
            self._shells[step.name] = shell
        self._report.started(step.name)
        try:
            step.run(shell)
        except Exception as error:
            self._report.failed(step.name)
            raise StepError(step.name, error, shell.log, step.remedy) from error
        self._report.finished(step.name)

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            shells = list(self._shells.values())
        for shell in shells:
            shell.stop()
