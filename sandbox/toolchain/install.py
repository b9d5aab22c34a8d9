"""Bringing the toolchain about: what is missing is installed or built, the rest is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from sandbox.config import Config
from sandbox.toolchain import requirements, view
from sandbox.toolchain.parts import Parts, parts
from sandbox.toolchain.report import Report
from sandbox.toolchain.runner import Runner
from sandbox.toolchain.shell import make_folder
from sandbox.toolchain.step import Step
from sandbox.toolchain.toolchain import Toolchain
from sandbox.toolchain.versions import versions


def install(config: Config, console: Console | None = None) -> Toolchain:
    """Idempotent, and fast when all is there. Raises ToolchainError with what was wrong and what to do."""
    pinned = versions()
    requirements.check_machine(pinned.requires)
    make_folder(config.cache)
    known = parts(config, pinned)
    missing = _missing(known.steps)
    if missing:
        requirements.check_steps(missing, config.cache, pinned.requires)
        with Report("toolchain", len(missing), console) as report:
            Runner(missing, config.cache / "logs", report).run()
        for step in known.entries:
            if step in missing:
                step.drop_superseded()
    view.refresh(config.cache / "bin", known)
    toolchain = _toolchain(config, known)
    toolchain.save(config)
    return toolchain


def _missing(steps: Sequence[Step]) -> list[Step]:
    with ThreadPoolExecutor() as pool:
        ready = list(pool.map(lambda step: step.ready(), steps))
    return [step for step, there in zip(steps, ready, strict=True) if not there]


def _toolchain(config: Config, known: Parts) -> Toolchain:
    return Toolchain(
        bin=config.cache / "bin",
        images=known.images.archives(),
        base_images={known.python_image.image: known.python_image.archive},
        wheelhouse=known.wheelhouse.entry.path,
    )
