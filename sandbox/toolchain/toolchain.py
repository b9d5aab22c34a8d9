"""The installed toolchain: where each program, image and wheel lies."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.config import Config
from sandbox.toolchain.errors import ToolchainError

#: Where Debian puts daemons, besides what PATH names.
_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_REMEDY = "Run `make up`, or `uv run sandbox up`: it installs what is missing."


@dataclass(frozen=True)
class Toolchain:
    """`bin` goes first on PATH. Images are archives by reference: `images` for a cluster's nodes,
    `base_images` for builds. `wheelhouse` is what an image build mounts (wheelhouse.MOUNT)."""

    bin: Path
    images: Mapping[str, Path]
    base_images: Mapping[str, Path]
    wheelhouse: Path

    def program(self, name: str) -> Path:
        """The path of a program of ours or Debian's. Raises ToolchainError when there is none."""
        own = self.bin / name
        if own.exists():
            return own
        found = shutil.which(name, path=os.pathsep.join(_SYSTEM))
        if found is None:
            raise ToolchainError(f"The toolchain has no program '{name}'.", remedy=_REMEDY)
        return Path(found)

    @staticmethod
    def load(config: Config) -> Toolchain:
        """What the last `install` with this configuration made. Raises ToolchainError when it is gone."""
        file = _file(config)
        try:
            known = json.loads(file.read_text())
            toolchain = Toolchain(
                Path(known["bin"]),
                {name: Path(path) for name, path in known["images"].items()},
                {name: Path(path) for name, path in known["base_images"].items()},
                Path(known["wheelhouse"]),
            )
        except FileNotFoundError:
            raise ToolchainError(
                f"The toolchain is not installed ({file} is missing).", remedy=_REMEDY
            ) from None
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ToolchainError(f"{file} is damaged: {error!r}", remedy=_REMEDY) from None
        for path in toolchain.paths():
            if not path.exists():
                raise ToolchainError(f"A part of the toolchain is gone: {path}", remedy=_REMEDY)
        return toolchain

    def save(self, config: Config) -> None:
        config.state.mkdir(parents=True, exist_ok=True)
        known = {
            "bin": str(self.bin),
            "images": {name: str(path) for name, path in self.images.items()},
            "base_images": {name: str(path) for name, path in self.base_images.items()},
            "wheelhouse": str(self.wheelhouse),
        }
        descriptor, name = tempfile.mkstemp(dir=config.state, prefix=".toolchain.")
        with os.fdopen(descriptor, "w") as file:
            json.dump(known, file, indent=2)
        Path(name).chmod(0o644)
        Path(name).replace(_file(config))

    def paths(self) -> list[Path]:
        programs = list(self.bin.iterdir()) if self.bin.exists() else []
        return [self.bin, *programs, *self.images.values(), *self.base_images.values(), self.wheelhouse]


def _file(config: Config) -> Path:
    return config.state / "toolchain.json"
