"""Copies of the project, for what must not write into the checkout or needs a changed program or settings."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from drills.shell import ROOT, Shell

#: What Pulumi reads of a project; `.venv` is lent, not copied.
_PROJECT = (
    *("Pulumi.yaml", "Pulumi.dev.yaml", "pyproject.toml", "uv.lock", "Dockerfile", ".dockerignore"),
    *("app", "infra", "prompts"),
)


def copy_project(folder: Path) -> None:
    """Into a folder that is there and empty."""
    for name in _PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")


def copied(shell: Shell, folder: Path) -> Shell:
    """A shell in a new copy of the project, where an earlier one is written over."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy_project(folder)
    # The project's packages are installed from the checkout; the copy's own come first.
    return replace(shell, env={**shell.env, "PYTHONPATH": str(folder)}, folder=folder)
