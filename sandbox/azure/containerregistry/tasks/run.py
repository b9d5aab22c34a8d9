"""One run: what was asked for, and how it went. Kept as a JSON file, so that a restart goes on with it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.arm.store import timestamp
from sandbox.azure.containerregistry.folder import Folder, read_json, write_json

#: Status -> what a log's `Complete` says. Source: az CLI, acr/_stream_utils.py.
OUTCOMES = {"Succeeded": "successful", "Failed": "failed", "Canceled": "canceled", "Timeout": "timedout"}


@dataclass(frozen=True)
class Build:
    """A DockerBuildRequest: the context's place in the registry's task storage and what to make of it."""

    source: str
    dockerfile: str
    images: tuple[str, ...]
    push: bool
    no_cache: bool
    target: str | None
    arguments: tuple[tuple[str, str], ...]
    timeout: int
    #: The pool whose machines build; None for Azure's shared ones.
    agent_pool: str | None = None
    architecture: str = "amd64"


@dataclass(frozen=True)
class Run:
    id: str
    registry: str
    login_server: str
    build: Build
    status: str = "Queued"
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    started: float | None = None
    finished: float | None = None
    output_images: tuple[dict[str, str], ...] = ()
    error: str | None = None

    @property
    def done(self) -> bool:
        return self.status in OUTCOMES

    def changed(self, **changes: Any) -> Run:
        return replace(self, updated=time.time(), **changes)

    def wire(self, registry_id: str) -> dict[str, Any]:
        """As ARM shows it."""
        properties: dict[str, Any] = {
            "runId": self.id,
            "status": self.status,
            "lastUpdatedTime": timestamp(self.updated),
            "runType": "QuickBuild",
            "createTime": timestamp(self.created),
            "startTime": timestamp(self.started) if self.started else None,
            "finishTime": timestamp(self.finished) if self.finished else None,
            "outputImages": list(self.output_images),
            "platform": {"os": "linux", "architecture": self.build.architecture},
            "agentConfiguration": {"cpu": 2},
            "agentPoolName": self.build.agent_pool,
            "runErrorMessage": self.error,
            "provisioningState": "Succeeded" if self.status == "Succeeded" or not self.done else "Failed",
            "isArchiveEnabled": False,
        }
        shown = {name: value for name, value in properties.items() if value is not None}
        return {
            "id": f"{registry_id}/runs/{self.id}",
            "name": self.id,
            "type": "Microsoft.ContainerRegistry/registries/runs",
            "properties": shown,
        }


@dataclass(frozen=True)
class RunFiles:
    """The runs of one registry on disk."""

    folder: Folder

    @property
    def _runs(self) -> Path:
        return self.folder.tasks / "runs"

    def save(self, run: Run) -> None:
        write_json(self._runs / f"{run.id}.json", asdict(run), mode=0o600)

    def get(self, run_id: str) -> Run | None:
        if not re.fullmatch(r"[a-z0-9]+", run_id):
            return None
        return _read(self._runs / f"{run_id}.json")

    def all(self) -> list[Run]:
        """Newest first, as Azure lists them."""
        found = [run for path in self._runs.glob("*.json") if (run := _read(path))]
        return sorted(found, key=lambda run: _number(run.id), reverse=True)

    def next_id(self) -> str:
        """`ca1`, `ca2`, … in the order of their creation."""
        return f"ca{max(self._numbers(), default=0) + 1}"

    def _numbers(self) -> Iterator[int]:
        return (_number(path.stem) for path in self._runs.glob("*.json"))


def _number(run_id: str) -> int:
    digits = run_id.removeprefix("ca")
    return int(digits) if digits.isdigit() else 0


def _read(path: Path) -> Run | None:
    stored = read_json(path)
    if not stored:
        return None
    build = stored.pop("build")
    build["images"] = tuple(build["images"])
    build["arguments"] = tuple((name, value) for name, value in build["arguments"])
    stored["output_images"] = tuple(stored["output_images"])
    return Run(build=Build(**build), **stored)
