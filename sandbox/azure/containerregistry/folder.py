"""Where one registry keeps its things, below `Config.state/registries/<name>`; all survives a restart."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.config import Config
from sandbox.host.files import write


@dataclass(frozen=True)
class Folder:
    root: Path

    @classmethod
    def of(cls, config: Config, name: str) -> Folder:
        return cls(config.state / "registries" / name.lower())

    @property
    def settings(self) -> Path:
        """The distribution registry's own configuration."""
        return self.root / "config.yml"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def repositories(self) -> Path:
        """Where the distribution registry's file system driver lists what it stores."""
        return self.data / "docker" / "registry" / "v2" / "repositories"

    @property
    def blobs(self) -> Path:
        return self.data / "docker" / "registry" / "v2" / "blobs"

    @property
    def attributes(self) -> Path:
        return self.root / "attributes.json"

    @property
    def admin(self) -> Path:
        """Passwords of the admin user; readable by the owner alone."""
        return self.root / "admin.json"

    @property
    def tasks(self) -> Path:
        """Uploaded build contexts, runs and their logs."""
        return self.root / "tasks"

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; {} when there is no such file."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict[str, Any], *, mode: int = 0o644) -> None:
    write(path, json.dumps(content), mode=mode)
