"""Small stand-ins: programs that print a version, and steps that do as told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.toolchain.shell import Shell
from sandbox.toolchain.step import Step


@dataclass(frozen=True, kw_only=True)
class FakeStep(Step):
    label: str
    act: Callable[[Shell], None] = field(default=lambda _: None)

    @property
    def name(self) -> str:
        return self.label

    @property
    def disk(self) -> int:
        return 1

    @property
    def remedy(self) -> str:
        return f"mend {self.label}"

    def ready(self) -> bool:
        return False

    def run(self, shell: Shell) -> None:
        self.act(shell)


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Path]:
    """Makes an executable that prints `text` and ends with `code`."""

    def make(name: str, text: str = "", *, code: int = 0, folder: str = "programs") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
        path.chmod(0o755)
        return path

    return make
