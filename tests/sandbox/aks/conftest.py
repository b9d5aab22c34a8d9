"""Clusters without machines: handlers with fakes around them, and a runtime that notes what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sandbox.aks.runtime import Runtime
from sandbox.arm.resource import Resource
from tests.sandbox.azure.conftest import World, make_world


@dataclass
class Principals:
    made: dict[str, str] = field(default_factory=dict)

    def create(self, name: str, kind: str, *, resource_id: str | None = None) -> tuple[str, str]:
        self.made[f"object-{name}"] = kind
        return f"object-{name}", f"client-{name}"

    def remove(self, object_id: str) -> None:
        del self.made[object_id]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the runtime was told to do."""
    said: list[str] = []

    def note(name: str) -> object:
        async def call(_: Runtime, cluster: Resource, *rest: object) -> None:
            said.append(" ".join([name, cluster.id.name, *(part for part in rest if isinstance(part, str))]))

        return call

    for name in ("start", "stop", "add_node", "remove_node", "remove", "cut_off"):
        monkeypatch.setattr(Runtime, name, note(name))
    return said


@pytest.fixture
def world(tmp_path: Path, told: list[str]) -> World:
    made = make_world(tmp_path)
    made.services = replace(made.services, principals=Principals())  # type: ignore[arg-type]
    authority = made.services.config.ca_certificate
    authority.parent.mkdir(parents=True)
    authority.write_text(made.services.ca.pem)  # type: ignore[attr-defined]
    return made
